#include "turn.h"

#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux since 6.12; earlier ones ignore slices. Who has begun a slice may end it, unless who wakes
 * up has a shorter one (EEVDF, PREEMPT_SHORT): so the patient have long ones. With short ones a
 * wake-up within them would wait for the next tick, up to 4 ms. */
#define PROMPT_SLICE_NS 100000U    /* the least there is */
#define PATIENT_SLICE_NS 20000000U /* any longer than a prompt one and the default of 3 ms */
#define PATIENT_NICE 10            /* in a storm they still get on */

/* sched_setattr(2); the C library has no name for it. */
struct wish {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline,
        period; /* ns; runtime: the slice, for policies without a deadline */
};

static void ask(uint32_t policy, int more_nice, uint64_t slice_ns)
{
    int nice = getpriority(PRIO_PROCESS, 0) + more_nice;
    struct wish wish = {
        .size = sizeof(wish), .policy = policy, .nice = nice > 19 ? 19 : nice, .runtime = slice_ns};
    syscall(SYS_sched_setattr, 0, &wish, 0); /* where it is refused, it is less smooth */
}

void turn_prompt(void)
{
    ask(SCHED_OTHER, 0, PROMPT_SLICE_NS);
}

void turn_patient(void)
{
    ask(SCHED_BATCH, PATIENT_NICE, PATIENT_SLICE_NS);
}

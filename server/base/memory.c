#include "memory.h"

#include <linux/capability.h>
#include <malloc.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Their shadows are terabytes of address space, and a leak report needs to look at the process. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(DESKGATE_VALGRIND)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static bool locked; /* set before the first thread */

void memory_undumped(void)
{
    struct rlimit limit;

    /* A core_pattern that is a pipe does not ask for the limit; it asks for this. */
    if (!SANITIZED)
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &limit);
    }
}

static bool may(unsigned capability)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3];

    return syscall(SYS_capget, &head, has) == 0 &&
           has[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

void memory_allow_lock(void)
{
    static const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

    if (may(CAP_SYS_RESOURCE))
        setrlimit(RLIMIT_MEMLOCK, &all);
}

/* A limit counts address space, of which threads and heaps reserve much more than they use: with
 * any but none, the next allocation may fail. */
static bool unlimited(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

bool memory_may_lock(void)
{
    return may(CAP_SYS_RESOURCE) || unlimited();
}

static bool lock(void)
{
    return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

bool memory_lock(void)
{
    if (SANITIZED)
        return true;
    locked = (unlimited() || may(CAP_IPC_LOCK)) && lock();
    return locked;
}

/* madvise(MADV_DONTNEED), by which the C library gives back, leaves locked pages alone. */
void memory_trim(void)
{
    if (locked)
        munlockall();
    malloc_trim(0);
    if (locked)
        lock();
}

#include "pass_on.h"

#include "conn.h"
#include "gate_state.h"
#include "owner.h"
#include "worker.h"

#include <stdlib.h>
#include <unistd.h>

#define PASSING_MOST 64 /* at once: they hold descriptors that nobody counts */

struct passed {
    struct loop_task task;
    struct worker *to;
    struct newcomer newcomer;
};

static void on_passed(struct loop_task *task)
{
    struct passed *passed = OWNER_OF(task, struct passed, task);
    struct gate_state *gate = passed->to->gate;
    atomic_fetch_sub(&gate->passing, 1);
    if (atomic_load(&gate->draining))
        close(passed->newcomer.fd);
    else
        conn_accept(passed->to, &passed->newcomer);
    free(passed);
}

static struct worker *next_worker(const struct worker *worker)
{
    const struct gate_state *gate = worker->gate;
    for (size_t i = 0; i < gate->worker_count; i++) {
        if (gate->workers[i] == worker)
            return gate->workers[(i + 1) % gate->worker_count];
    }
    return NULL;
}

bool pass_on(struct worker *worker, const struct newcomer *newcomer)
{
    struct gate_state *gate = worker->gate;
    struct worker *next = newcomer->tried + 1 < gate->worker_count ? next_worker(worker) : NULL;
    if (!next || !admit_worth_a_look(gate->admit, &newcomer->address, loop_now(worker->loop)))
        return false;
    struct passed *passed = calloc(1, sizeof(*passed));
    if (!passed || atomic_fetch_add(&gate->passing, 1) >= PASSING_MOST) {
        if (passed)
            atomic_fetch_sub(&gate->passing, 1);
        free(passed);
        return false;
    }
    passed->task.run = on_passed;
    passed->to = next;
    passed->newcomer = *newcomer;
    passed->newcomer.tried++;
    loop_post(next->loop, &passed->task);
    return true;
}

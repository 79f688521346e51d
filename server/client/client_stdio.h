/* --stdio: one connection on standard input and output. A socket pair stands between them and the
 * relay, which wants one descriptor, and two threads pump: standard input may be a file or a
 * terminal, which no event loop can wait for. */
#pragma once

#include "loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct client_stdio {
    struct loop *loop;
    struct loop_task *drained; /* posted when all has been written out, or never can be */
    int far;                   /* the pumps' end */
    int cancel;
    atomic_int running; /* pumps */
};

/* Returns the near end (non-blocking, close-on-exec, the caller's), or a negative errno. `stdio`
 * and `cancel` must outlive the pumps, which end by `cancel` or when both directions are at their
 * end. */
int client_stdio_start(struct client_stdio *stdio, struct loop *loop, struct loop_task *drained,
                       int cancel);

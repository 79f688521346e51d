/* Successors: 'deskgate upgrade' makes the supervisor start the program that is installed now as
 * another supervisor (the hidden verb serve-heir), with the listening sockets and a link to this
 * one. It reads the configuration, starts a keeper of its own and, once that serves, a gate, and
 * says when both do; only then does the one before stop accepting and let its tunnels end. So
 * whatever is wrong with the new program, nothing has happened to the old one.
 *
 *   STARTING ──ready──► CURRENT ──the next one is ready──► RETIRED ──► gone
 *       └─ ends, or is not ready in time: given up
 *
 * All successors are children of the first supervisor, whose process id stays that of the service;
 * it passes on signals. What is said over the link is in ipc/control.h. */
#pragma once

#include "serve_listen.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVE_HEIRS_MOST 8 /* at once; each has two processes below it */
#define SERVE_HEIR_READY_MS 30000

enum serve_heir_stage { SERVE_HEIR_STARTING, SERVE_HEIR_CURRENT, SERVE_HEIR_RETIRED };

struct serve_heir {
    pid_t pid;
    int link;
    enum serve_heir_stage stage;
    uint64_t ready_by_ms; /* while STARTING */
};

struct serve_heirs {
    struct serve_heir all[SERVE_HEIRS_MOST]; /* oldest first */
    size_t count;
};

/* 0, or an exit code with words in `why`. `program` is a path. */
int serve_heirs_start(struct serve_heirs *heirs, const char *program, const char *state,
                      const struct serve_listeners *listeners, const sigset_t *mask, uint64_t now,
                      char *why, size_t size);
struct serve_heir *serve_heirs_find(struct serve_heirs *heirs, pid_t pid);           /* or NULL */
struct serve_heir *serve_heirs_at(struct serve_heirs *heirs, enum serve_heir_stage); /* or NULL */
/* The same for who only looks. */
const struct serve_heir *serve_heirs_look(const struct serve_heirs *heirs,
                                          enum serve_heir_stage stage);
void serve_heirs_remove(struct serve_heirs *heirs, struct serve_heir *heir); /* it has ended */
/* One that does not hear is killed; its end is noticed by SIGCHLD. `type` is enum control_type. */
void serve_heir_tell(struct serve_heir *heir, int type);
void serve_heirs_tell(struct serve_heirs *heirs, int type); /* all */
void serve_heirs_kill(struct serve_heirs *heirs);
/* What it says: CONTROL_READY, or 0 for nothing. */
int serve_heir_hear(struct serve_heir *heir);

/* Starting keeper and gate: this binary executed anew with a hidden verb and exactly the
 * descriptors that it needs, so neither child holds what another one knows. */
#pragma once

#include "conf.h"
#include "serve_listen.h"

#include <signal.h>
#include <sys/types.h>

/* All return the process id or a negative errno; descriptors stay the caller's. The child dies
 * with the supervisor (SIGKILL) and ignores SIGINT, SIGTERM, SIGHUP and SIGPIPE: orders come over
 * `control`. `mask` is the signal mask to begin with. */
/* `company`: another keeper has the store as well (keeper.h). `conf`: see conf_memory.h. */
pid_t serve_child_keeper(const char *state, int conf, int control, bool company,
                         const sigset_t *mask);
pid_t serve_child_forwarder(const char *state, int conf, int channel, const sigset_t *mask);
/* 'deskgate audit expire'. */
pid_t serve_child_expire(const char *state, const sigset_t *mask);
pid_t serve_child_gate(const char *state, int conf, int control, int keeper,
                       const struct serve_listeners *listeners, const sigset_t *mask);

/* A successor (serve_heirs.h): the program at that path. Unlike the others it starts from nothing:
 * it reads the configuration itself. */
pid_t serve_child_heir(const char *program, const char *state, int link,
                       const struct serve_listeners *listeners, const sigset_t *mask);

/* In a child: the two descriptors of its command line, and the configuration in the first. */
bool serve_child_take(const char *conf_word, const char *fd_word, const struct conf **conf,
                      int *fd);

/* In a child: a descriptor of its command line, not for its own children. */
bool serve_child_fd(const char *word, int *out);
/* In a child: its words for listeners, at least one. */
bool serve_child_listeners(int argc, char **argv, struct serve_listeners *listeners);
/* For a hidden verb with other words than these. An exit code. */
int serve_child_not_by_hand(const char *verb);

/* Starting keeper and gate: this binary executed anew with a hidden verb and exactly the
 * descriptors that it needs, so neither child holds what another one knows. */
#pragma once

#include "conf.h"
#include "serve_listen.h"

#include <signal.h>
#include <sys/types.h>

/* The configuration as the supervisor read it, in a sealed memory file for the children: all three
 * work by the same one, and a file that is being edited cannot hinder a restart.
 * A descriptor or a negative errno. */
int serve_child_conf(const struct conf *conf);

/* All return the process id or a negative errno; descriptors stay the caller's. The child dies
 * with the supervisor (SIGKILL) and ignores SIGINT, SIGTERM, SIGHUP and SIGPIPE: orders come over
 * `control`. `mask` is the signal mask to begin with. */
pid_t serve_child_keeper(const char *state, int conf, int control, const sigset_t *mask);
pid_t serve_child_forwarder(const char *state, int conf, int channel, const sigset_t *mask);
/* 'deskgate audit expire'. */
pid_t serve_child_expire(const char *state, const sigset_t *mask);
pid_t serve_child_gate(const char *state, int conf, int control, int keeper,
                       const struct serve_listeners *listeners, const sigset_t *mask);

/* In a child: the two descriptors of its command line, and the configuration in the first. */
bool serve_child_take(const char *conf_word, const char *fd_word, const struct conf **conf,
                      int *fd);

/* "deskgate serve": the supervisor and the entries of its two children. It handles no byte from the
 * network: it binds, drops root, starts keeper and gate, and starts them again when they die. */
#pragma once

#include "conf.h"

struct cli;

int serve_verb(struct cli *cli, int argc, char **argv);

/* Runs until told to stop by SIGTERM or SIGINT. `ready_fd` (-1: none) gets one line with the
 * addresses when the gateway serves. Returns an exit code (sysexits.h). */
int serve_run(const struct conf *conf, int ready_fd);

/* The hidden verbs, which only serve_run() starts (serve_child.h). */
int serve_heir_child(struct cli *cli, int argc, char **argv);
int serve_gate_child(struct cli *cli, int argc, char **argv);
int serve_keeper_child(struct cli *cli, int argc, char **argv);

/* "deskgate serve": the supervisor and the entries of its two children. It handles no byte from the
 * network: it binds, drops root, starts keeper and gate, and starts them again when they die. */
#pragma once

struct cli;

int serve_verb(struct cli *cli, int argc, char **argv);

/* The hidden verbs, which only a supervisor starts (serve_child.h, serve_heirs.h). */
int serve_heir_child(struct cli *cli, int argc, char **argv);
int serve_gate_child(struct cli *cli, int argc, char **argv);
int serve_keeper_child(struct cli *cli, int argc, char **argv);

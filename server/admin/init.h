/* "deskgate init": a state folder that a gateway can start from. */
#pragma once

struct cli;

int init_verb(struct cli *cli, int argc, char **argv);

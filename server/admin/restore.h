/* "deskgate restore FILE": a state folder of what 'deskgate backup' wrote. */
#pragma once

struct cli;

int restore_verb(struct cli *cli, int argc, char **argv);

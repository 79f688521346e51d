/* "deskgate connect": the tunnel client. */
#pragma once

struct cli;

/* argv[0] is the verb itself. Returns an exit code (sysexits.h), or the started command's. */
int connect_verb(struct cli *cli, int argc, char **argv);

/* "deskgate rdp-file": signs in like the tunnel client and fetches an .rdp file. */
#pragma once

struct cli;

/* argv[0] is the verb itself. Returns an exit code (sysexits.h). */
int rdp_file_verb(struct cli *cli, int argc, char **argv);

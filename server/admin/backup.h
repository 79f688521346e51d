/* "deskgate backup FILE": database, keys, configuration and certificates in one file, while the
 * gateway runs. */
#pragma once

struct cli;

int backup_verb(struct cli *cli, int argc, char **argv);

/* Files that the configuration names and that lie elsewhere are kept, and restored, below this. */
#define BACKUP_OUTSIDE "outside"

#define BACKUP_PASSPHRASE_SIZE 1024

/* For both directions: says what came in the way of `what`. An exit code. */
int backup_failed(const char *what, int error);

/* "deskgate check": says what is wrong with a gateway and how to mend it. The verb is in checkup.c;
 * what is looked at is in checkup_disk.c, checkup_files.c,
 * checkup_chain.c, checkup_paths.c, checkup_settings.c,
 * checkup_ports.c, checkup_grants.c and checkup_desktops.c. */
#pragma once

#include "conf.h"
#include "store.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct cli;

int checkup_verb(struct cli *cli, int argc, char **argv);

enum checkup_level { CHECKUP_OK, CHECKUP_WARNING, CHECKUP_PROBLEM };

struct checkup {
    struct conf conf;
    struct store *store; /* NULL when it cannot be opened */
    bool json;
    json_t *items;
    bool read_only, full;                /* the state folder's file system */
    bool runs;                           /* a gateway, of this state folder */
    unsigned found[CHECKUP_PROBLEM + 1]; /* how many of each level */
    uid_t uid;                           /* whom the gateway runs as, as far as can be told */
    gid_t gid;
};

/* One finding: what was looked at, what to do ("" when all is well), and what was found. */
void checkup_say(struct checkup *check, enum checkup_level level, const char *item,
                 const char *mend, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Whether the gateway's user can get at a file so (access(2)), asked of the kernel in that user's
 * name. 0, or the errno of why not. */
int checkup_access(const struct checkup *check, const char *path, int how);

void checkup_disk(struct checkup *check);         /* room, and whether it can be written */
void checkup_state(struct checkup *check);        /* the folder, its files' modes and owners */
void checkup_certificates(struct checkup *check); /* match, validity, name */
void checkup_chain(struct checkup *check, const char *path); /* order, authority, strength */
void checkup_paths(struct checkup *check);                   /* what else the configuration names */
void checkup_settings(struct checkup *check);                /* weaker than they should be */
void checkup_store(struct checkup *check); /* opens check->store; integrity, schema */
void checkup_clock(struct checkup *check);
void checkup_ports(struct checkup *check);
void checkup_cage(struct checkup *check);
void checkup_memory(struct checkup *check);
void checkup_grants(struct checkup *check);   /* hours that mislead */
void checkup_desktops(struct checkup *check); /* a short connection to each */

/* "deskgate check": says what is wrong with a gateway and how to mend it. The verb is in checkup.c;
 * what is looked at is in checkup_files.c, checkup_ports.c and checkup_desktops.c. */
#pragma once

#include "conf.h"
#include "store.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct cli;

int check_verb(struct cli *cli, int argc, char **argv);

enum check_level { CHECK_OK, CHECK_WARNING, CHECK_PROBLEM };

struct check {
    struct conf conf;
    struct store *store; /* NULL when it cannot be opened */
    bool json;
    json_t *items;
    unsigned found[CHECK_PROBLEM + 1]; /* how many of each level */
    uid_t uid;                         /* whom the gateway runs as, as far as can be told */
    gid_t gid;
};

/* One finding: what was looked at, what to do ("" when all is well), and what was found. */
void check_say(struct check *check, enum check_level level, const char *item, const char *mend,
               const char *format, ...) __attribute__((format(printf, 5, 6)));

void check_state(struct check *check);        /* the folder, its files' modes and owners */
void check_certificates(struct check *check); /* match, validity, name */
void check_store(struct check *check);        /* opens check->store; integrity, schema */
void check_clock(struct check *check);
void check_ports(struct check *check);
void check_cage(struct check *check);
void check_desktops(struct check *check); /* a short connection to each */

/* What every administrator's act has in common: the open store, one transaction with its audit row,
 * who acts, and how faults are told. */
#pragma once

#include "conf.h"
#include "secret.h"
#include "store.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct cli;

struct act {
    struct conf conf;
    struct store *store;
    int64_t now;                 /* Unix seconds, when the act began */
    char by[TEXT_NAME_SIZE + 4]; /* "cli:alice": for the audit log */
    FILE *out, *err;             /* what was asked for; what is said besides. Not act's to close */
    const struct addr *address;  /* where the browser is, and … */
    const char *conn;            /* … its connection, for the audit log; NULL: a terminal */
    bool no_conf;                /* it cannot be read: `conf` is what is so without one */
    bool in_browser;             /* not on a terminal: messages begin without the program's name */
};

/* The command line's: now, to standard output and error. */
void act_init(struct act *act);
/* Opens the state folder's store. An exit code; faults are told. */
int act_open(struct act *act, struct cli *cli);
void act_close(struct act *act);
/* For what would be wrong, and not merely incomplete, when the configuration cannot be read: EX_OK,
 * or EX_CONFIG with words. */
int act_needs_conf(struct act *act, const char *why);
/* The key that people's factors are sealed with, refused when it is another database's, unless it
 * is `lost`. Wipe it. An exit code; faults are told. */
int act_key(struct act *act, struct secret_key *key, bool lost);
/* What both act_open() and 'check' do: opens the store, and brings it up to date unless a gateway
 * runs, perhaps of an older version, that could not live with it: NEWER. Otherwise as store_open().
 */
enum store_result act_open_store(struct store **store, const struct conf *conf, char *why,
                                 size_t size);

/* Runs `change` in one transaction: committed when it returns EX_OK, else rolled back; in the
 * browser also when it would lock out whoever does it. An exit code; faults of the store itself are
 * told here, all others by `change`. */
int act_change(struct act *act, int (*change)(struct act *act, void *owner), void *owner);

/* Adds the audit row of an act, within its transaction; `who` and `desktop` may be NULL, `detail`
 * is a printf format. EX_OK or, told, EX_IOERR. */
int act_audit(struct act *act, const char *event, const char *who, const char *desktop,
              const char *detail, ...) __attribute__((format(printf, 5, 6)));

/* One line to act->err, control characters made harmless. Returns `code`. */
int act_error(struct act *act, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Tells what the store said. Returns EX_IOERR. */
int act_store_failed(struct act *act);

/* Look-ups by name. EX_OK; EX_NOINPUT with words and a "did you mean"; EX_IOERR. */
int act_user(struct act *act, const char *name, struct store_user *out);
int act_group(struct act *act, enum store_group_kind kind, const char *name,
              struct store_group *out);
int act_desktop(struct act *act, const char *name, struct store_desktop *out);

/* EX_OK when it may name a new person, group or desktop (`what`); else EX_DATAERR with words. */
int act_new_name(struct act *act, const char *what, const char *name);
/* A row's number as typed: > 0, or EX_DATAERR with words. */
int act_number(struct act *act, const char *what, const char *typed, int64_t *out);

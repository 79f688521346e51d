/* What guards the audit log beyond its chain: a key derived from secret.key seals the log's head
 * (store_audit.h), and the file audit.head in the state folder notes, sealed as well, a row that
 * was there: an older copy of the whole database is seen by it. */
#pragma once

#include "conf.h"
#include "secret.h"
#include "store_audit.h"

/* Gives the store its key. The first time ever (no audit.head yet), a head without a seal gets one.
 * secret_init() comes before. */
enum store_result audit_seal_open(struct store *store, const struct conf *conf,
                                  const struct secret_key *secret);

enum audit_mark { AUDIT_MARK_GOOD, AUDIT_MARK_NONE, AUDIT_MARK_BAD };

struct audit_mark_row {
    int64_t id;
    uint8_t link[STORE_AUDIT_LINK];
};

/* BAD: the file is there, but is not one that was sealed with this key. */
enum audit_mark audit_mark_read(const struct conf *conf, const struct secret_key *secret,
                                struct audit_mark_row *row);
/* In place of the one before; durable. 0 or a negative errno. */
int audit_mark_write(const struct conf *conf, const struct secret_key *secret,
                     const struct audit_mark_row *row);

/* The derived key itself, for the seals of archives; the caller wipes it. */
void audit_seal_key(const struct secret_key *secret, uint8_t key[STORE_AUDIT_LINK]);

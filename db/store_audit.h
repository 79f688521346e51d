/* The audit log's chain: sealing and verifying it. Rows are added by store_audit_add().
 *
 * Each row carries a link (audit_chain.h). The head, a row of its own, says which row is the last
 * and what its link is, with a seal. A new row is always linked to the head, not to what stands
 * last in the table: a tail that was cut off leaves a gap. A head whose seal is not right is never
 * sealed again by adding to it, so that nobody's forgery is made good by the next honest row. */
#pragma once

#include "store.h"

#define STORE_AUDIT_LINK 32

/* From now on the head is sealed and checked with this key, of which the store keeps a copy. */
void store_audit_key(struct store *, const uint8_t key[STORE_AUDIT_LINK]);
bool store_audit_keyed(const struct store *);

enum store_audit_fault {
    STORE_AUDIT_WHOLE,
    STORE_AUDIT_CHANGED,    /* row `bad` was changed, put in or moved */
    STORE_AUDIT_REMOVED,    /* rows `last` + 1 to `bad` - 1 are gone */
    STORE_AUDIT_CUT,        /* rows `last` + 1 to `bad` are gone, the newest ones */
    STORE_AUDIT_REMADE,     /* the last row is not the one that was sealed */
    STORE_AUDIT_UNSEALED,   /* the head is missing, or its seal is not by this key */
    STORE_AUDIT_CHECKPOINT, /* the checkpoint at row `bad` has a seal by another key */
    STORE_AUDIT_RETURNED,   /* row `bad` stands where rows were archived and removed */
    STORE_AUDIT_UNEXPECTED, /* the row `expect_id` is not there with that link */
};

struct store_audit_walk {
    int64_t expect_id; /* in: a row that somebody has noted; 0: none … */
    uint8_t expect_link[STORE_AUDIT_LINK];
    int64_t rows;  /* good ones so far */
    int64_t after; /* the checkpoint from which the walk began; 0: from the first row */
    int64_t last;  /* the last good row, … */
    uint8_t link[STORE_AUDIT_LINK];
    bool expect_seen; /* … and whether the noted one was among them */
    bool ended;       /* at the head, or at a fault */
    enum store_audit_fault fault;
    int64_t bad;
};

/* Goes on with a walk (zeroed before its beginning, but for what is expected) by at most so many
 * rows, 0: to the end. Reads a state of the log that does not change meanwhile. Without a key, no
 * seal is checked. */
enum store_result store_audit_verify(struct store *, struct store_audit_walk *, int64_t most);

/* Sets a seal on a head that has none, as after an upgrade from before there were any, or once an
 * administrator has accepted what is wrong. The caller makes sure of that. */
enum store_result store_audit_seal_bare(struct store *);
/* The head as it stands, whoever wrote it. `sealed`: by the key. NONE: there is no row yet. */
struct store_audit_head {
    int64_t id;
    uint8_t link[STORE_AUDIT_LINK];
    bool bare; /* without any seal */
    bool sealed;
};
enum store_result store_audit_head(struct store *, struct store_audit_head *);

/* ---- keeping less ---- */

/* Where a walk over all rows that are there begins: its last, link and after. */
enum store_result store_audit_begin(struct store *, struct store_audit_walk *);
/* The last row before which none is as late as `before_ms`, itself included; 0: none is. */
enum store_result store_audit_before(struct store *, int64_t before_ms, int64_t *last);
/* From now on verifying begins behind this row, which is there. Within a transaction; needs the
 * key (else REFUSED). `removed`: the rows up to it are removed, and were archived before. */
enum store_result store_audit_checkpoint(struct store *, int64_t id, int64_t now, bool removed);

/* ---- handing on ---- */

/* The last row that a receiver has; NONE: none yet. */
enum store_result store_audit_forwarded(struct store *, int64_t *id);
enum store_result store_audit_forwarded_set(struct store *, int64_t id);

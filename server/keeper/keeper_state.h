/* What the keeper's parts share. Everything here belongs to the event loop's thread. */
#pragma once

#include "audit_seal.h"
#include "conf.h"
#include "keeper_meter.h"
#include "live_index.h"
#include "loop.h"
#include "pool.h"
#include "secret.h"
#include "store.h"

struct gate_link;
struct keeper_order;
struct live;
struct opening;
struct probe;
struct rekey;
struct signin;

/* audit_check.c */
struct audit_watch {
    struct loop_timer look;
    struct store_audit_walk walk;
    uint64_t begun_ms;          /* from the first row */
    bool changed;               /* somebody else has written since */
    struct audit_mark_row mark; /* found whole; id 0: none */
    bool mark_forged;           /* the file was not written with this key */
    int64_t saved_id;           /* in the file */
    uint64_t saved_ms;
    enum store_audit_fault told; /* the last one that was told, … */
    int64_t told_bad;            /* … and where */
};

/* audit_forward.c */
struct audit_queue {
    struct loop_source source; /* fd -1: nobody forwards */
    struct loop_timer look;
    int64_t first;        /* the last row of an earlier run */
    int64_t sent;         /* handed over up to this row, */
    int64_t acknowledged; /* with the receiver, … */
    int64_t saved;        /* … and written down */
    uint64_t saved_ms;
};

struct keeper {
    const struct conf *_Atomic conf; /* another one after a reload; those before stay */
    bool company;                    /* another keeper has the store, too (keeper.h) */
    struct loop *loop;
    struct store *store;
    struct secret_key key;
    char dummy[STORE_PASSWORD_SIZE]; /* verified for people who do not exist */
    struct pool *hashers;
    struct pool *resolvers;
    struct {
        int (*administer)(struct keeper_order *order);
        struct pool *pool;   /* one thread */
        struct store *store; /* that thread's own, once it runs */
        unsigned under_way;
    } acts;
    struct gate_link *gates;         /* usually one */
    struct live *live;               /* tunnels that live now */
    struct live_index living;        /* the same, to be found */
    bool unsaved;                    /* of one of them the store has not heard the last counts */
    int64_t review_at;               /* when live_review_due() has to look next; 0: not at all */
    bool review_soon;                /* … at all of them, not before … */
    uint64_t review_from_ms;         /* … loop_now() */
    uint64_t enforce_ms;             /* when live_enforce() has to look next; 0: not at all */
    struct live *ended, *ended_last; /* their ends are yet to be written */
    struct signin *signins;          /* being judged */
    struct rekey *rekeys;            /* people changing their factors */
    struct opening *openings;        /* being dialled */
    struct probe *probes;            /* likewise, only to see whether they answer */
    struct loop_source control;
    struct loop_timer poll;  /* looks for changes that others made in the store */
    struct loop_timer sweep; /* ends what has expired */
    struct {
        int64_t second; /* the limiter of audit rows that strangers cause without limit */
        unsigned count;
        unsigned dropped;
    } notes;
    struct {
        int64_t ahead_ms; /* of the wall clock at the last look */
        bool back;        /* it was set back: the store is yet to hear of it */
    } clock;              /* wall_clock.c */
    struct {
        int64_t told; /* the last notice's number */
        bool waiting; /* there may be more */
    } notices;
    struct {
        struct loop_timer look;
        int64_t place, saved_place; /* the audit log has been looked through so far */
        int64_t saved_at;
        int64_t handed;  /* the last alert that went to the supervisor */
        int64_t told_at; /* of alerts over the limit */
        int64_t swept_day;
        int64_t expires; /* the gateway's certificate; 0: not known */
    } alerts;
    struct { /* duty.c */
        int lock;
        int forward; /* for audit_forward_to(), when it becomes our duty; -1 */
        bool ours, retired;
    } duty;
    struct audit_watch audit;
    struct audit_queue forward;
    struct keeper_meter meter;
    int exit_code;
};

int64_t keeper_now(void);    /* Unix seconds */
int64_t keeper_now_ms(void); /* Unix milliseconds */

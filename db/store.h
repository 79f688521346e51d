/* The store: people, desktops, grants, sessions, tunnels and the audit log behind one interface
 * that hides the engine (SQLite now). All SQL on their tables is in db/schema and db/queries; every
 * statement is prepared at open.
 *
 * One store belongs to one thread. Several processes may have the same database open (WAL): the
 * keeper, and the command line beside it.
 *
 * Results: STORE_OK, or a positive verdict about the data, or STORE_FAILED: the engine failed (disk
 * full, corrupt, locked beyond 5 s), with words in store_error(). A change that returned STORE_OK
 * outside a transaction, or whose store_commit() did, is on disk (synchronous=FULL).
 * Times are Unix seconds. Text out of the store is copied into the caller's structs. */
#pragma once

#include "addr.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

enum store_result {
    STORE_FAILED = -1,
    STORE_OK = 0,
    STORE_NONE,    /* no such row */
    STORE_EXISTS,  /* the name is taken, or the row is already there */
    STORE_REFUSED, /* a compare-and-set lost: the step was used, the session is over */
    STORE_NEWER,   /* open: the schema is newer than this program */
    STORE_MISSING, /* open: no database there (and not asked to create) */
};

/* ---- life ---- */
enum store_open_mode {
    STORE_MUST_EXIST, /* and have something in it: an empty file is what a crash may leave */
    STORE_CREATE,     /* make it (0600) when missing */
    /* An older program has it open and goes on: like STORE_MUST_EXIST, but only changes that it can
     * live with are made, else NEWER. */
    STORE_IN_COMPANY,
};
/* Opens, and migrates forward when older: first a backup beside the file ("….before-v3" when that
 * is the first step to take; it replaces an older one), then one transaction per step. `why` gets
 * words on anything but STORE_OK, with the path in them. */
enum store_result store_open(struct store **out, const char *path, enum store_open_mode mode,
                             char *why, size_t size);
void store_close(struct store *store); /* NULL is fine */
const char *store_error(const struct store *store);
/* PRAGMA integrity_check and foreign_key_check; `why` gets the first finding. */
enum store_result store_check(struct store *store, char *why, size_t size);
/* True when another connection has changed the database since the last call (cheap; poll it). */
bool store_changed(struct store *store);
/* True when the file is no longer where it was opened: removed, or another one is in its place.
 * What is written then is lost. Cheap, too. */
bool store_moved(struct store *store);

/* Begin takes the write lock at once (BEGIN IMMEDIATE). Rollback after a failed commit is done. */
enum store_result store_begin(struct store *store);
enum store_result store_commit(struct store *store);
void store_rollback(struct store *store);

/* ---- people ---- */
#define STORE_PASSWORD_SIZE 129 /* Argon2id in PHC form (crypto_pwhash_STRBYTES) */
#define STORE_SEED_SIZE 128     /* sealed TOTP seed */

struct store_user {
    int64_t id;
    char name[TEXT_NAME_SIZE]; /* compared without case (ASCII) */
    bool disabled;
    char password[STORE_PASSWORD_SIZE];
    uint8_t seed[STORE_SEED_SIZE]; /* sealed by keeper/secret.h */
    size_t seed_size;
    int64_t created_at;
    int64_t signed_in_at; /* 0: never */
    bool administrator;   /* may administer in the browser; set by its own function only */
    bool must_change;     /* out only: another password is due, before anything else */
    int64_t password_at;  /* out only: when it was set */
};
enum store_result store_user_add(struct store *, const struct store_user *user, int64_t *id);
enum store_result store_user_by_name(struct store *, const char *name, struct store_user *out);
enum store_result store_user_by_id(struct store *, int64_t id, struct store_user *out);
/* Also says that none other is due; the one of before is kept for store_user_passwords(). */
enum store_result store_user_set_password(struct store *, int64_t id, const char *password,
                                          int64_t now);
/* Another password is due. */
enum store_result store_user_must_change(struct store *, int64_t id);
/* Hashes: the present one and those of before, the newest first, at most `most`. */
enum store_result store_user_passwords(struct store *, int64_t id, size_t most,
                                       char (*hashes)[STORE_PASSWORD_SIZE], size_t *count);
/* Codes of the new one work from the first step on. */
enum store_result store_user_set_seed(struct store *, int64_t id, const uint8_t *seed, size_t size);
enum store_result store_user_set_disabled(struct store *, int64_t id, bool disabled);
enum store_result store_user_set_administrator(struct store *, int64_t id, bool administrator);
/* Removes the person with grants, memberships and sessions; the audit log keeps the name. */
enum store_result store_user_remove(struct store *, int64_t id);
/* Uses up a TOTP step and notes the sign-in: only when `step` is later than the last one
 * used and the person is not disabled; else STORE_REFUSED. */
enum store_result store_user_use_step(struct store *, int64_t id, int64_t step, int64_t now);
/* Lists call `each` per row, in order of name; a non-zero answer stops. */
enum store_result store_user_list(struct store *,
                                  int (*each)(void *owner, const struct store_user *), void *owner);

/* ---- enrolment: people set up their own factors ---- */
/* One at a time: a newer one replaces it, and its use forgets it. Hashes are SHA-256. */
enum store_result store_invitation_set(struct store *, int64_t user, const uint8_t hash[32],
                                       int64_t now, int64_t expires_at);
/* The person it is for; NONE: unknown, expired, or the person is disabled. */
enum store_result store_invitation_user(struct store *, const uint8_t hash[32], int64_t now,
                                        int64_t *user);
/* NONE: there is none that is good now. */
enum store_result store_invitation_until(struct store *, int64_t user, int64_t now, int64_t *until);
enum store_result store_invitation_forget(struct store *, int64_t user);
/* A second factor that is offered until `expires_at`; a newer one replaces it. */
enum store_result store_offer_set(struct store *, int64_t user, const uint8_t *seed, size_t size,
                                  int64_t expires_at);
/* `seed` holds STORE_SEED_SIZE. NONE: there is none, or it has expired. */
enum store_result store_offer_get(struct store *, int64_t user, int64_t now, uint8_t *seed,
                                  size_t *size);
enum store_result store_offer_forget(struct store *, int64_t user);
/* Replaces all codes of a person. */
enum store_result store_recovery_set(struct store *, int64_t user, const uint8_t (*hashes)[32],
                                     size_t count);
/* OK when there is such an unused code, else NONE. */
enum store_result store_recovery_known(struct store *, int64_t user, const uint8_t hash[32]);
/* Uses one up and notes the sign-in, like store_user_use_step(); REFUSED: no such unused code, or
 * the person is disabled. */
enum store_result store_recovery_use(struct store *, int64_t user, const uint8_t hash[32],
                                     int64_t now);
enum store_result store_recovery_left(struct store *, int64_t user, unsigned *count);

/* ---- groups: of people, and of desktops ---- */
enum store_group_kind { STORE_OF_PEOPLE, STORE_OF_DESKTOPS };

struct store_group {
    int64_t id;
    char name[TEXT_NAME_SIZE];
    int64_t members;
};
enum store_result store_group_add(struct store *, enum store_group_kind, const char *name,
                                  int64_t *id);
enum store_result store_group_by_name(struct store *, enum store_group_kind, const char *name,
                                      struct store_group *out);
/* With its grants. */
enum store_result store_group_remove(struct store *, enum store_group_kind, int64_t id);
/* `member` is a person or a desktop, as the kind says. */
enum store_result store_group_join(struct store *, enum store_group_kind, int64_t group,
                                   int64_t member);
enum store_result store_group_leave(struct store *, enum store_group_kind, int64_t group,
                                    int64_t member);
enum store_result store_group_list(struct store *, enum store_group_kind,
                                   int (*each)(void *owner, const struct store_group *),
                                   void *owner);
struct store_member {
    char name[TEXT_NAME_SIZE];
    bool disabled; /* a person */
};
enum store_result store_group_members(struct store *, enum store_group_kind, int64_t group,
                                      int (*each)(void *owner, const struct store_member *),
                                      void *owner);

/* The groups of a person or desktop, one a line, as many as fit. */
#define STORE_GROUP_NAMES_SIZE 4096
enum store_result store_group_names(struct store *, enum store_group_kind, int64_t member,
                                    char names[STORE_GROUP_NAMES_SIZE]);

/* ---- desktops ---- */
#define STORE_SETTINGS_SIZE 1025

struct store_desktop {
    int64_t id;
    char name[TEXT_NAME_SIZE];
    char host[256]; /* name or address, as the administrator wrote it, IPv6 without brackets */
    uint16_t port;
    char description[201];
    char mac[18];          /* "aa:bb:cc:dd:ee:ff" or "" */
    bool same_credentials; /* people sign in there with the name they have here */
    uint8_t forbidden;     /* what may not be redirected: bits of enum ipc_forbid */
    char rdp_settings[STORE_SETTINGS_SIZE]; /* for its .rdp files: lines, each ended by "\n" */
    /* The certificate; written by store_desktop_trust() and store_desktop_fingerprint() alone. */
    char trust[16];          /* "first-use", "pin" or "ca" */
    uint8_t fingerprint[32]; /* SHA-256 of its DER, … */
    int64_t fingerprint_at;  /* … known since; 0: none yet */
};
enum store_result store_desktop_add(struct store *, const struct store_desktop *, int64_t *id);
enum store_result store_desktop_by_name(struct store *, const char *name,
                                        struct store_desktop *out);
/* By id. Another host or port forgets a fingerprint that was learnt at first use. */
enum store_result store_desktop_set(struct store *, const struct store_desktop *);
/* How its certificate is judged; `fingerprint` NULL forgets what is known. */
enum store_result store_desktop_trust(struct store *, int64_t id, const char *trust,
                                      const uint8_t *fingerprint, int64_t now);
/* Remembers the first one seen: REFUSED when one is known already, or it is not trust by first use.
 */
enum store_result store_desktop_fingerprint(struct store *, int64_t id,
                                            const uint8_t fingerprint[32], int64_t now);
enum store_result store_desktop_remove(struct store *, int64_t id);
enum store_result store_desktop_list(struct store *,
                                     int (*each)(void *owner, const struct store_desktop *),
                                     void *owner);

/* ---- grants: a person or a group may reach a desktop or a group of them ---- */
#define STORE_HOURS_SIZE 257
struct store_terms { /* when it holds; 0 and "": always */
    int64_t valid_from, valid_until;
    char hours[STORE_HOURS_SIZE]; /* keeper/hours.h */
};
struct store_grant_key {
    bool group;    /* who is a group of people, … */
    bool desktops; /* … what is a group of desktops */
    int64_t who, what;
};
struct store_grant {
    bool group, desktops;
    char who[TEXT_NAME_SIZE], what[TEXT_NAME_SIZE];
    struct store_terms terms;
};
enum store_result store_grant_add(struct store *, const struct store_grant_key *);
enum store_result store_grant_remove(struct store *, const struct store_grant_key *);
/* NONE when there is no such grant. */
enum store_result store_grant_terms(struct store *, const struct store_grant_key *,
                                    struct store_terms *out);
enum store_result store_grant_set_terms(struct store *, const struct store_grant_key *,
                                        const struct store_terms *);
enum store_result
store_grant_list(struct store *, int (*each)(void *owner, const struct store_grant *), void *owner);
/* Those that the person has for the desktop, directly or by groups. */
enum store_result store_grant_list_for(struct store *, int64_t user, int64_t desktop,
                                       int (*each)(void *owner, const struct store_grant *),
                                       void *owner);
/* STORE_OK with the desktop when the person, not disabled, may reach it, directly or by a group;
 * STORE_NONE when it does not exist or is not granted. */
enum store_result store_granted(struct store *, int64_t user, const char *desktop,
                                struct store_desktop *out);
/* What a person sees of a desktop. */
struct store_granted {
    struct store_desktop desktop;
    int64_t last_used; /* by this person; 0: never */
    bool in_use;       /* this person has a live tunnel to it */
};
/* Desktops that the person may reach, by name, after `after`, at most `most`. */
enum store_result store_granted_list(struct store *, int64_t user, const char *after, unsigned most,
                                     int (*each)(void *owner, const struct store_granted *),
                                     void *owner);

/* ---- sessions ---- */
struct store_session {
    int64_t id;
    uint8_t hash[32]; /* SHA-256 of the token */
    int64_t user;
    char user_name[TEXT_NAME_SIZE]; /* out only */
    bool user_disabled;             /* out only */
    int64_t created_at, used_at, expires_at;
    int64_t ended_at; /* 0: live */
    char end[32];     /* why it ended: "signed-out", "admin", "idle", "expired", … */
    struct addr address;
    char agent[257];
    int64_t factor_at;   /* when the second factor was last shown; 0, to be added: created_at */
    bool must_change;    /* out only: the person's password, before anything else */
    int64_t password_at; /* out only: when it was set */
};
enum store_result store_session_add(struct store *, const struct store_session *, int64_t *id);
enum store_result store_session_by_hash(struct store *, const uint8_t hash[32],
                                        struct store_session *out);
enum store_result store_session_by_id(struct store *, int64_t id, struct store_session *out);
/* Sets used_at (only forward) of a live session. */
enum store_result store_session_use(struct store *, int64_t id, int64_t now);
/* The second factor was shown again (only forward) in a live session. */
enum store_result store_session_factor(struct store *, int64_t id, int64_t now);
/* STORE_REFUSED when it was already over. */
enum store_result store_session_end(struct store *, int64_t id, int64_t now, const char *end);
enum store_result store_session_end_user(struct store *, int64_t user, int64_t now,
                                         const char *end);
/* Ends what is past expires_at ("expired") or unused since `idle_before` ("idle") and carries no
 * live tunnel; forgets sessions that ended before `forget_before`. */
enum store_result store_session_sweep(struct store *, int64_t now, int64_t idle_before,
                                      int64_t forget_before, bool *expired);
enum store_result store_session_list(struct store *, bool live_only,
                                     int (*each)(void *owner, const struct store_session *),
                                     void *owner);

/* Live sessions of a person after the one numbered `after`, at most `most`. */
enum store_result store_session_list_user(struct store *, int64_t user, int64_t after,
                                          unsigned most,
                                          int (*each)(void *owner, const struct store_session *),
                                          void *owner);

/* ---- tickets: one opening of one desktop by one session ---- */
#define STORE_TICKET_PASSWORD_SIZE 128 /* sealed: see password */

struct store_ticket {
    int64_t id;
    uint8_t hash[32]; /* SHA-256 of the ticket */
    int64_t session, desktop;
    int64_t user;                                                 /* out only: the session's */
    char user_name[TEXT_NAME_SIZE], desktop_name[TEXT_NAME_SIZE]; /* out only */
    char way[16];                                                 /* ipc_way_name() */
    int64_t created_at, expires_at, used_at;                      /* used_at 0: not yet */
    int64_t tunnel;                                               /* 0: none came of it */
    char outcome[32];                                             /* why it was refused; "" */
    char tunnel_end[32];     /* out only: why its tunnel ended; "" while it lives */
    int64_t tunnel_ended_at; /* out only */
    struct addr address;     /* where it was made; all zero: not known */
    /* What a gateway password that stands for it is checked with, sealed by keeper/secret.h; size
     * 0: there is none. */
    uint8_t password[STORE_TICKET_PASSWORD_SIZE];
    size_t password_size;
    uint8_t forbidden; /* out only: the desktop's */
};
enum store_result store_ticket_add(struct store *, const struct store_ticket *, int64_t *id);
enum store_result store_ticket_by_hash(struct store *, const uint8_t hash[32],
                                       struct store_ticket *out);
enum store_result store_ticket_by_id(struct store *, int64_t id, struct store_ticket *out);
/* Uses it up: REFUSED when it was used before, has expired, or its session is over. */
enum store_result store_ticket_use(struct store *, int64_t id, int64_t now);
/* What became of it: a tunnel's number (then outcome ""), or 0 and why it was refused. */
enum store_result store_ticket_end(struct store *, int64_t id, int64_t tunnel, const char *outcome);
/* How many of a session's are made and neither used nor expired. */
enum store_result store_ticket_waiting(struct store *, int64_t session, int64_t now,
                                       unsigned *count);
/* Forgets those made before. */
enum store_result store_ticket_sweep(struct store *, int64_t before);

/* ---- gateway passwords: tickets in another form ---- */
struct store_password {
    char user_name[TEXT_NAME_SIZE];
    uint8_t sealed[STORE_TICKET_PASSWORD_SIZE]; /* store_ticket.password */
    size_t size;
};
/* Those of a person who is called `name` or `other_name` that may still be good, the newest first,
 * at most `most`: of live sessions, and neither expired unused nor over since before `over`. */
enum store_result store_password_list(struct store *, const char *name, const char *other_name,
                                      int64_t now, int64_t over, unsigned most,
                                      int (*each)(void *owner, const struct store_password *),
                                      void *owner);

/* ---- tunnels ---- */
struct store_tunnel {
    int64_t id;
    int64_t session, user, desktop;
    char user_name[TEXT_NAME_SIZE];    /* out only */
    char desktop_name[TEXT_NAME_SIZE]; /* out only */
    char way[16];                      /* ipc_way_name() */
    char conn[17];
    struct addr address;
    int64_t opened_at, ended_at; /* ended_at 0: live */
    uint64_t up, down;
    char end[32]; /* ipc_end_name() */
};
enum store_result store_tunnel_add(struct store *, const struct store_tunnel *, int64_t *id);
enum store_result store_tunnel_counts(struct store *, int64_t id, uint64_t up, uint64_t down);
enum store_result store_tunnel_end(struct store *, int64_t id, int64_t now, uint64_t up,
                                   uint64_t down, const char *end);     /* REFUSED when over */
enum store_result store_tunnel_request_end(struct store *, int64_t id); /* REFUSED when over */
enum store_result store_tunnel_list(struct store *, bool live_only,
                                    int (*each)(void *owner, const struct store_tunnel *),
                                    void *owner);
/* Live ones of a person or to a desktop that nobody has asked to end; which of both it is, or is
 * it both. */
struct store_tunnel_of {
    int64_t id;
    bool person, desktop;
};
enum store_result store_tunnel_of(struct store *, int64_t user, int64_t desktop,
                                  int (*each)(void *owner, const struct store_tunnel_of *),
                                  void *owner);
/* Names of the desktops that a session has live tunnels to, in order. */
enum store_result store_tunnel_desktops(struct store *, int64_t session,
                                        int (*each)(void *owner, const char *desktop), void *owner);
/* For one live tunnel: why it must end now, judged from the database alone. */
enum store_tunnel_verdict {
    STORE_TUNNEL_MAY,
    STORE_TUNNEL_REQUESTED,     /* an administrator asked for its end */
    STORE_TUNNEL_SIGNED_OUT,    /* its session ended with "signed-out" */
    STORE_TUNNEL_SESSION_ENDED, /* … otherwise, or is gone */
    STORE_TUNNEL_USER_DISABLED, /* disabled or removed */
    STORE_TUNNEL_NO_GRANT       /* grant, membership or desktop removed, or its host changed */
};
enum store_result store_tunnel_verdict(struct store *, int64_t id, enum store_tunnel_verdict *out);

/* ---- notices: an administrator's words to the person in front of a tunnel's client ---- */
struct store_notice {
    int64_t id; /* rising */
    int64_t tunnel;
    char words[TEXT_WORDS_SIZE];
};
/* REFUSED when there is no such live tunnel. */
enum store_result store_notice_add(struct store *, int64_t tunnel, const char *words, int64_t now);
/* Those with a number above `after`, in order, at most `most`. */
enum store_result store_notice_list(struct store *, int64_t after, unsigned most,
                                    int (*each)(void *owner, const struct store_notice *),
                                    void *owner);
/* Forgets those made before. */
enum store_result store_notice_sweep(struct store *, int64_t before);

/* ---- throttling: failures per key within a window ---- */
struct store_throttle {
    int64_t failures;
    int64_t since; /* first failure of the window */
    int64_t last_at;
};
struct store_throttle_of { /* a bucket of failures: its key, and what it is of, to be listed */
    char key[48];
    char bucket[16]; /* keeper/throttle.c names it */
    int64_t user;    /* 0: of nobody, or of a name that nobody has */
    bool has_net;
    struct addr_net net;
    uint8_t browser[32]; /* the hash of a known browser's; not stored here */
};
enum store_result store_throttle_get(struct store *, const char *key, struct store_throttle *out);
enum store_result store_throttle_set(struct store *, const struct store_throttle_of *,
                                     const struct store_throttle *);
enum store_result store_throttle_clear(struct store *, const char *key);
enum store_result store_throttle_sweep(struct store *, int64_t last_before);
struct store_throttle_item {
    struct store_throttle counts;
    char bucket[16];
    char user_name[TEXT_NAME_SIZE]; /* "": of nobody, or of a name that nobody has */
    bool has_net;
    struct addr_net net;
};
/* The latest first. */
enum store_result store_throttle_list(struct store *,
                                      int (*each)(void *owner, const struct store_throttle_item *),
                                      void *owner);
/* NONE: there was nothing. */
enum store_result store_throttle_clear_user(struct store *, int64_t user);
enum store_result store_throttle_clear_place(struct store *, const struct addr_net *net);
enum store_result store_throttle_clear_all(struct store *);

/* ---- browsers that a person has signed in with; hashes are SHA-256 of their cookies ---- */
#define STORE_BROWSERS 8 /* of one person, at most; the one that was not used for longest goes */
/* All of a person's are forgotten with a new password or second factor, and when disabled. */
enum store_result store_browser_add(struct store *, const uint8_t hash[32], int64_t user,
                                    int64_t now);
/* OK or NONE. */
enum store_result store_browser_known(struct store *, const uint8_t hash[32], int64_t user);
enum store_result store_browser_use(struct store *, const uint8_t hash[32], int64_t now);
/* A wrong guess from there; forgets it at the `most`-th since the last success. */
enum store_result store_browser_failed(struct store *, const uint8_t hash[32], unsigned most);
/* The clock was set back: what was written in the future of `now` is as if written now, so that
 * nobody waits, no alert is held back, and no session, fresh factor, ticket, invitation or password
 * lives, until the clock is there again. How long they may live stays. Within a transaction. */
enum store_result store_clock_back(struct store *, int64_t now);
enum store_result store_browser_sweep(struct store *, int64_t used_before);

/* ---- how many there are ---- */
struct store_census {
    uint32_t sessions; /* live: neither ended nor past a limit */
    uint32_t people, disabled, desktops;
};
enum store_result store_census(struct store *, int64_t now, int64_t idle_before,
                               struct store_census *out);

/* ---- audit: append-only (triggers refuse update and delete) ---- */
struct store_audit {
    int64_t id;
    int64_t at_ms;    /* Unix milliseconds */
    char event[33];   /* "sign-in", "tunnel-open", "user-add", … */
    char outcome[17]; /* "ok", "denied", "throttled", … */
    char who[129];    /* the person it concerns, as known or as typed */
    char by[TEXT_NAME_SIZE +
            4]; /* "cli:root", "web:alice" for an administrator's act; "" otherwise */
    char desktop[TEXT_NAME_SIZE];
    char conn[17];
    bool has_address;
    struct addr address;
    char detail[513]; /* words or JSON, never a secret */
    uint8_t link[32]; /* its own, see store_audit.h; read, not given */
};
/* Written with its link to the row before, see store_audit.h; within a transaction or on its own.
 */
enum store_result store_audit_add(struct store *, const struct store_audit *);
struct store_audit_filter {
    int64_t after_id;  /* 0: from the beginning */
    int64_t since_ms;  /* 0: any */
    int64_t before_ms; /* 0: any */
    const char *event; /* NULL: any */
    const char *who;   /* NULL: any */
    unsigned last;     /* only the newest so many, still oldest first; 0: all */
};
enum store_result store_audit_list(struct store *, const struct store_audit_filter *,
                                   int (*each)(void *owner, const struct store_audit *),
                                   void *owner);

/* ---- alerts ---- */
struct store_alert {
    int64_t id; /* rising */
    int64_t at; /* Unix seconds */
    char rule[33];
    char subject[129]; /* what it is about: a person's name, an address, …; for repetitions */
    char message[257];
    char who[129];
    bool has_address;
    struct addr address;
    char desktop[TEXT_NAME_SIZE];
    bool test; /* raised by 'deskgate alert test' */
    bool sent; /* the supervisor has it */
};
enum store_result store_alert_add(struct store *, const struct store_alert *);
/* The newest so many, oldest first. */
enum store_result store_alert_list(struct store *, unsigned last,
                                   int (*each)(void *owner, const struct store_alert *),
                                   void *owner);
/* The first that the supervisor does not have yet; NONE: it has all. */
enum store_result store_alert_unsent(struct store *, struct store_alert *out);
enum store_result store_alert_sent(struct store *, int64_t id);
struct store_alerts_seen { /* tests not counted */
    int64_t last_at;       /* 0: never */
    int64_t count,
        failures; /* of store_alert_since(): about failed attempts, which anybody can make */
};
enum store_result store_alert_last(struct store *, const char *rule, const char *subject,
                                   struct store_alerts_seen *out);
enum store_result store_alert_since(struct store *, int64_t after, struct store_alerts_seen *out);
enum store_result store_alert_sweep(struct store *, int64_t before);

/* How far the audit log has been looked through: the last row's number. NONE: not at all yet. */
enum store_result store_alert_place(struct store *, int64_t *audit_id);
enum store_result store_alert_place_set(struct store *, int64_t audit_id);
enum store_result store_alert_newest(struct store *, int64_t *audit_id); /* 0: the log is empty */
/* Failed attempts to prove who one is, up to and including this row. */
enum store_result store_alert_failures_who(struct store *, const char *who, int64_t after_ms,
                                           int64_t last_id, int64_t *count);
enum store_result store_alert_failures_address(struct store *, const struct addr_net *net,
                                               int64_t after_ms, int64_t last_id, int64_t *count);

/* The networks that people have signed in from. */
struct store_networks {
    int64_t known;   /* of this person */
    bool seen;       /* this one among them */
    int64_t seen_at; /* … and when last */
};
enum store_result store_network_look(struct store *, const char *who, const struct addr *network,
                                     struct store_networks *out);
/* Keeps the newest `most`. */
enum store_result store_network_see(struct store *, const char *who, const struct addr *network,
                                    int64_t now, unsigned most);

/* Tunnels that live now, and the watch over whether they still may. */
#pragma once

#include "ipc.h"
#include "keeper_state.h"
#include "live_index.h"

struct gate_link;

struct live {
    struct live *next, *previous; /* of all; of those that have ended only `next` */
    struct live_place places[LIVE_KEYS];
    struct gate_link *gate; /* carries it; not referenced: the link ends its tunnels first */
    int64_t tunnel, session;
    int64_t user_id, desktop_id;
    enum ipc_way way;
    int64_t opened_at;
    uint64_t opened_ms; /* loop_now(), which nobody can set; 0: of an earlier keeper */
    int64_t since;      /* when it began, earlier where it came back after a drop */
    uint64_t up, down;  /* as last told */
    int64_t told_at;    /* when the gate last told of moved bytes, and … */
    bool unsaved;       /* … the store has not heard of it */
    /* The keeper's own copy of the connection to the desktop, or -1: with it the keeper itself ends
     * the connection, so that a gate in foreign hands can neither keep it nor pretend. */
    int socket;
    bool closing;         /* the gate has its order, for … */
    enum ipc_end order;   /* … this reason, … */
    bool ending;          /* its gate has decided … */
    enum ipc_end decided; /* … why it ends, and says goodbye */
    uint64_t close_by_ms; /* … and until then (loop_now()) to carry it out */
    int64_t again_at;     /* a date, an hour or a limit ends then: judge again; 0: none does */
    int64_t ended_at;     /* once it is over: when, … */
    int64_t lasted;       /* … after how many seconds, … */
    enum ipc_end end;     /* … and why */
    char user[TEXT_NAME_SIZE], desktop[TEXT_NAME_SIZE];
    struct ipc_origin origin;
};

/* Takes over `live` (malloc'd) and its socket. */
void live_add(struct keeper *keeper, struct live *live);
/* One is live in this session, here or with another keeper. */
bool live_in_session(struct keeper *keeper, int64_t session);
/* How many this person has, and how many there are to this desktop, with other keepers, but for the
 * tunnel `without`; those that somebody has asked to end do not count. */
struct live_counted {
    uint32_t person, desktop;
};
void live_count_elsewhere(struct keeper *keeper, int64_t user, int64_t desktop, int64_t without,
                          struct live_counted *out);

/* A live tunnel of this gate, or NULL. */
struct live *live_find(const struct keeper *keeper, const struct gate_link *gate, int64_t tunnel);

/* The gate reports. False: it is not a tunnel of that gate. Both only take note: thousands of
 * tunnels may report, or end, at one moment, and the store takes them all in one transaction. */
bool live_counts(struct keeper *keeper, struct gate_link *gate, int64_t tunnel, uint64_t up,
                 uint64_t down);
bool live_ended(struct keeper *keeper, struct gate_link *gate, int64_t tunnel, uint64_t up,
                uint64_t down, enum ipc_end end);

/* A live tunnel of this gate says goodbye. */
void live_ending(struct keeper *keeper, const struct gate_link *gate, int64_t tunnel,
                 enum ipc_end end);
/* The tunnel with this number lives, but its end is decided: `*end` is why. */
bool live_is_ending(const struct keeper *keeper, int64_t tunnel, enum ipc_end *end);

/* Writes ends, if any waits to be written, and with them the counts. What cannot be written now is
 * kept for the next call. */
enum store_result live_save_ends(struct keeper *keeper);
/* Writes counts too when no end waits. Call it every few seconds. */
enum store_result live_save(struct keeper *keeper);

/* Notes when it must be judged again (0: never), but looks more often than that: a day on which the
 * clocks change is longer or shorter than was reckoned. */
void live_judge_again(struct keeper *keeper, struct live *live, int64_t at);
/* Asks the store about those of which a date or an hour ends now, and what live_review_soon() has
 * asked for. Call it often. */
void live_review_due(struct keeper *keeper);
/* Asks the store about each and orders the gates to close those that may not live on. */
void live_review(struct keeper *keeper);
/* The same for one person's: what strangers and people cause must not take longer the more tunnels
 * others have. */
void live_review_person(struct keeper *keeper, int64_t user);
/* Somebody else has written: live_review(), soon, but not so often that it takes more than a small
 * part of the keeper's time, as when another keeper writes of every sign-in. */
void live_review_soon(struct keeper *keeper);
/* Its client is back by another connection: orders the gate to close this one. */
void live_replace(struct keeper *keeper, int64_t tunnel);
/* The same for one that another keeper has, after the new one is in the store. */
void live_replace_elsewhere(struct keeper *keeper, int64_t tunnel);
/* Words for the person in front of its client: sent when it lives and its way can show them. */
void live_say(struct keeper *keeper, int64_t tunnel, const char *words);
/* Cuts those whose gate has not obeyed in time. Call it often; it looks only when one is due. */
void live_enforce(struct keeper *keeper);
/* The gate is gone, and all its tunnels with it. */
void live_gate_lost(struct keeper *keeper, struct gate_link *gate);
/* When no other keeper has the store: what it still calls live and is not here died with an earlier
 * process. */
enum store_result live_end_stale(struct keeper *keeper);

/* Whether a person may reach a desktop now: the rules out of the store, judged by decision.h. All
 * ways in and the watch over live tunnels ask here. */
#pragma once

#include "decision.h"
#include "ipc.h"
#include "store.h"

struct keeper;
struct live;
struct live_index;

struct may_ask {
    int64_t user, desktop;
    struct addr address;
    int64_t now;
    uint32_t person_tunnels, desktop_tunnels; /* live now, … */
    const struct live_index *living;          /* … and, not NULL: to be counted, if they matter */
    int64_t replaces;  /* a live tunnel that ends when this one begins, not to be counted; 0 */
    int64_t factor_at; /* when the session's second factor was last shown */
    struct decision_limits limits; /* the configuration's */
    /* What was judged before and is not asked again: the numbers and the factor, of a tunnel that
     * lives; the factor, when a ticket was made that stands for it. */
    bool live, factor_judged;
};

/* OK with the decision in `out`; NONE: no such person or desktop; FAILED. Also for the command
 * line, which has a store and no keeper. */
enum store_result may_judge(struct store *store, const struct may_ask *ask, struct decision *out);
/* The person and the address alone, for signing in. */
enum store_result may_judge_person(struct store *store, int64_t user, const struct addr *address,
                                   int64_t now, struct decision *out);

/* For the keeper: counts the live ones. `ask` has desktop, address and factor_judged. OK;
 * NO_DESKTOP, NOT_NOW, NOT_FROM_HERE, TOO_MANY, STALE_FACTOR with the rule in `out`; FAILED. */
enum ipc_status may_open(struct keeper *keeper, const struct store_session *session,
                         struct may_ask ask, struct decision *out);
/* The same for a tunnel that lives. OK, NONE, FAILED as may_judge(). */
enum store_result may_live_on(struct keeper *keeper, const struct live *live, struct decision *out);

/* Whether a person may reach a desktop now: the rules out of the store, judged by decision.h. All
 * ways in and the watch over live tunnels ask here. */
#pragma once

#include "decision.h"
#include "ipc.h"
#include "store.h"

struct keeper;

struct may_ask {
    int64_t user, desktop;
    struct addr address;
    int64_t now;
    uint32_t person_tunnels, desktop_tunnels; /* live now */
    bool live; /* of a tunnel that lives: the numbers were judged when it began */
};

/* OK with the decision in `out`; NONE: no such person or desktop; FAILED. Also for the command
 * line, which has a store and no keeper. */
enum store_result may_judge(struct store *store, const struct may_ask *ask, struct decision *out);
/* The person and the address alone, for signing in. */
enum store_result may_judge_person(struct store *store, int64_t user, const struct addr *address,
                                   int64_t now, struct decision *out);

/* For the keeper: counts the live ones. OK; NO_DESKTOP, NOT_NOW, NOT_FROM_HERE, TOO_MANY with the
 * rule in `out`; FAILED. */
enum ipc_status may_open(struct keeper *keeper, int64_t user, const struct store_desktop *desktop,
                         const struct addr *address, struct decision *out);

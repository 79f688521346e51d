/* Who may reach which desktop, from where, when: one pure function over plain structs. No clock, no
 * store, no memory of its own; the same rows give the same answer in any order.
 *
 * All of these must hold, and the first that does not is told:
 *     the person     enabled, and within the account's dates
 *     the address    no entry that denies it; one that allows it, where there are such entries: of
 *                    the gateway; and of the person and all of the person's groups together
 *     a grant        one at least, to the person or a group of the person's, of the desktop or a
 *                    group of desktops it is in: within its dates and hours
 *     the factor     second factor shown recently enough, where the desktop wants it
 *     the numbers    of live tunnels, the person's and the desktop's; the last, since a ticket is
 *                    made all the same and is judged by them when it is used */
#pragma once

#include "addr.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum decision_rule {
    DECISION_ALLOWED,
    DECISION_DISABLED,
    DECISION_ACCOUNT_DATES,
    DECISION_ADDRESS_DENIED,
    DECISION_ADDRESS_NOT_LISTED,
    DECISION_NO_GRANT,
    DECISION_GRANT_DATES,
    DECISION_GRANT_HOURS,
    DECISION_PERSON_BUSY,
    DECISION_DESKTOP_BUSY,
    DECISION_STEP_UP,
    DECISION_RULES
};

/* Minutes of the local day, 0 to 1440. `until` at or before `from` crosses midnight into the next
 * day, which need not be one of `days`; equal ones are the whole day. */
struct decision_hours {
    uint8_t days; /* bit 0 is Monday */
    uint16_t from, until;
};

/* Unix seconds; 0: open. From the first second of `from` to before `until`. */
struct decision_dates {
    int64_t from, until;
};

enum decision_scope { DECISION_OF_GATEWAY, DECISION_OF_GROUP, DECISION_OF_PERSON };

struct decision_net { /* only those that apply to the person */
    enum decision_scope scope;
    bool allow;
    struct addr_net net;
    const char *group; /* its name, of DECISION_OF_GROUP */
};

struct decision_grant { /* only those that are for the person and the desktop */
    const char *who;    /* a group's name; NULL: the person's own */
    const char *what;   /* a group of desktops' name; NULL: of the desktop itself */
    struct decision_dates dates;
    const struct decision_hours *hours; /* one of them must hold; none: always */
    size_t hours_count;
};

struct decision_limits { /* of a connection; seconds, 0: none */
    uint32_t idle_seconds, absolute_seconds;
};

/* Whose limits they are; the narrowest of each holds. */
enum decision_limiter {
    DECISION_CONFIGURED,
    DECISION_PERSONS,
    DECISION_DESKTOPS,
    DECISION_LIMITERS
};

struct decision_rules {
    const char *person, *desktop; /* names, for the words */
    bool disabled;
    struct decision_dates dates; /* the account's */
    const struct decision_net *nets;
    size_t net_count;
    const struct decision_grant *grants;
    size_t grant_count;
    uint32_t person_tunnels, desktop_tunnels; /* at most so many live ones; 0: any number */
    uint32_t step_up_seconds;                 /* the desktop's; 0: never */
    struct decision_limits limits[DECISION_LIMITERS];
};

struct decision_ask {
    int64_t now;
    unsigned weekday, minute; /* of `now`, where the administrator's clock stands; 0 is Monday */
    struct addr address;
    uint32_t person_tunnels, desktop_tunnels; /* live now, without the one that is asked for */
    int64_t factor_at;                        /* when the session's second factor was last shown */
};

struct decision {
    enum decision_rule rule;
    int64_t again_at; /* allowed: judge again then, for a date or an hour ends; 0: none does */
    struct decision_limits limits;
    char words[256]; /* the rule that made it, for the administrator */
};

/* True: allowed. */
bool decision_judge(const struct decision_rules *rules, const struct decision_ask *ask,
                    struct decision *out);

/* The person and the address alone. */
bool decision_judge_person(const struct decision_rules *rules, const struct decision_ask *ask,
                           struct decision *out);

/* "account-dates", …: for the audit log, at most 16 characters. */
const char *decision_rule_name(unsigned rule);

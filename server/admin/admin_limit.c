#include "admin_limit.h"

#include "act.h"
#include "day.h"
#include "listing.h"
#include "store_policy.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define SPAN_LEAST 10 /* seconds: shorter ones only annoy */
#define SPAN_MOST (366 * DAY_SECONDS)

int admin_limit_moment(struct act *act, const char *option, const char *typed, enum when_day day,
                       int64_t *to)
{
    if (!typed)
        return EX_OK;
    if (strcmp(typed, "none") == 0) {
        *to = 0;
        return EX_OK;
    }
    return when_ahead(typed, day, act->now, to)
               ? EX_OK
               : act_error(act, EX_DATAERR,
                           "--%s '%s': write such as 2026-12-24 or "
                           "2026-12-24T18:00, 8h or 30d from now, or "
                           "none",
                           option, typed);
}

static int tunnels(struct act *act, const char *typed, uint32_t *to)
{
    uint64_t number;
    if (!typed)
        return EX_OK;
    if (strcmp(typed, "none") == 0) {
        *to = 0;
        return EX_OK;
    }
    if (!text_number(typed, ADMIN_LIMIT_TUNNELS_MOST, &number))
        return act_error(act, EX_DATAERR, "--tunnels '%s': give a number, or none", typed);
    if (number == 0)
        return act_error(act, EX_DATAERR,
                         "--tunnels '%s': give 1 or more, or none for any number; to shut a person "
                         "out: 'deskgate user disable'",
                         typed);
    *to = (uint32_t)number;
    return EX_OK;
}

static int span(struct act *act, const struct sub_args *args, const char *option, uint32_t *to)
{
    const char *typed = sub_value(args, option);
    int64_t seconds = 0;
    if (!typed)
        return EX_OK;
    if (strcmp(typed, "none") != 0 &&
        (!when_span(typed, &seconds) || seconds < SPAN_LEAST || seconds > SPAN_MOST))
        return act_error(act, EX_DATAERR,
                         "--%s '%s': give a time such as 90s, 15m, 8h or 7d, from %d s to 366d, or "
                         "none",
                         option, typed, SPAN_LEAST);
    *to = (uint32_t)seconds;
    return EX_OK;
}

static int limits(struct act *act, const struct sub_args *args, struct store_limits *to)
{
    int code = span(act, args, "idle", &to->idle_seconds);
    return code == EX_OK ? span(act, args, "absolute", &to->absolute_seconds) : code;
}

int admin_limit_dates(struct act *act, const struct sub_args *args, int64_t *from, int64_t *until)
{
    int code = admin_limit_moment(act, "from", sub_value(args, "from"), WHEN_DAY_BEGINS, from);
    if (code == EX_OK)
        code = admin_limit_moment(act, "until", sub_value(args, "until"), WHEN_DAY_ENDS, until);
    if (code == EX_OK && *from && *until && *until <= *from)
        code = act_error(act, EX_DATAERR, "it would end before it begins");
    return code;
}

const char *admin_limit_date(int64_t at, char *to)
{
    return at ? when_utc(at, to) : "none";
}

bool admin_limit_shows(const struct sub_args *args)
{
    for (size_t i = 0; args->options[i].name; i++) {
        const char *name = args->options[i].name;
        if (args->options[i].value && args->values[i] && !strstr(name, "group") &&
            strcmp(name, "user") != 0)
            return false;
    }
    return true;
}

/* ---- people ---- */

struct user_change {
    const struct sub_args *args;
    struct store_user user;
    struct store_person_policy policy;
};

static const struct listing_column user_columns[] = {
    {"name", "NAME", LISTING_TEXT},
    {"from", "FROM", LISTING_TIME},
    {"until", "UNTIL", LISTING_TIME},
    {"tunnels", "TUNNELS", LISTING_LIMIT},
    {"idle_seconds", "IDLE SECONDS", LISTING_LIMIT},
    {"absolute_seconds", "ABSOLUTE SECONDS", LISTING_LIMIT},
    {NULL, NULL, LISTING_TEXT},
};

static int load_user(struct act *act, struct user_change *change)
{
    int code = act_user(act, change->args->words[0], &change->user);
    if (code == EX_OK &&
        store_policy_person(act->store, change->user.id, &change->policy) != STORE_OK)
        code = act_store_failed(act);
    return code;
}

static int change_user(struct act *act, void *owner)
{
    struct user_change *change = owner;
    struct store_person_policy *policy = &change->policy;
    char from[WHEN_SIZE], until[WHEN_SIZE];
    int code = load_user(act, change);
    if (code == EX_OK)
        code = admin_limit_dates(act, change->args, &policy->valid_from, &policy->valid_until);
    if (code == EX_OK)
        code = tunnels(act, sub_value(change->args, "tunnels"), &policy->tunnels);
    if (code == EX_OK)
        code = limits(act, change->args, &policy->limits);
    if (code != EX_OK)
        return code;
    if (store_policy_person_set(act->store, change->user.id, policy) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "user-limit", change->user.name, NULL,
                     "from=%s until=%s tunnels=%u idle=%u absolute=%u",
                     admin_limit_date(policy->valid_from, from),
                     admin_limit_date(policy->valid_until, until), policy->tunnels,
                     policy->limits.idle_seconds, policy->limits.absolute_seconds);
}

int admin_limit_tell(struct act *act, const struct listing_column *columns,
                     const struct listing_value *values, const struct sub_args *args)
{
    return sub_value(args, "json") ? listing_json(act->out, listing_object(columns, values))
                                   : listing_show(act, columns, values);
}

int admin_limit_user(struct act *act, const struct sub_args *args)
{
    struct user_change change = {.args = args};
    int code =
        admin_limit_shows(args) ? load_user(act, &change) : act_change(act, change_user, &change);
    const struct listing_value values[] = {{.text = change.user.name},
                                           {.number = change.policy.valid_from},
                                           {.number = change.policy.valid_until},
                                           {.number = change.policy.tunnels},
                                           {.number = change.policy.limits.idle_seconds},
                                           {.number = change.policy.limits.absolute_seconds}};
    if (code == EX_OK)
        code = admin_limit_tell(act, user_columns, values, args);
    explicit_bzero(&change, sizeof(change));
    return code;
}

const struct sub_option admin_limit_user_options[] = {
    {"from", "WHEN", "the account begins then (2026-12-24, or 7d from now); none: it has begun"},
    {"until", "WHEN", "the account ends then, a day without a time with that day; none: never"},
    {"tunnels", "NUMBER", "so many connections at once; none: any number"},
    {"idle", "TIME", "a connection ends when nothing moves for so long; none: as configured"},
    {"absolute", "TIME", "a connection ends after so long; none: as configured"},
    {"json", NULL, "print a JSON object"},
    {0},
};

/* ---- desktops ---- */

struct desktop_change {
    const struct sub_args *args;
    struct store_desktop desktop;
    struct store_desktop_policy policy;
};

static const struct listing_column desktop_columns[] = {
    {"name", "NAME", LISTING_TEXT},
    {"tunnels", "TUNNELS", LISTING_LIMIT},
    {"idle_seconds", "IDLE SECONDS", LISTING_LIMIT},
    {"absolute_seconds", "ABSOLUTE SECONDS", LISTING_LIMIT},
    {"step_up_seconds", "STEP-UP SECONDS", LISTING_LIMIT},
    {NULL, NULL, LISTING_TEXT},
};

static int load_desktop(struct act *act, struct desktop_change *change)
{
    int code = act_desktop(act, change->args->words[0], &change->desktop);
    if (code == EX_OK &&
        store_policy_desktop(act->store, change->desktop.id, &change->policy) != STORE_OK)
        code = act_store_failed(act);
    return code;
}

static int change_desktop(struct act *act, void *owner)
{
    struct desktop_change *change = owner;
    struct store_desktop_policy *policy = &change->policy;
    int code = load_desktop(act, change);
    if (code == EX_OK)
        code = tunnels(act, sub_value(change->args, "tunnels"), &policy->tunnels);
    if (code == EX_OK)
        code = limits(act, change->args, &policy->limits);
    if (code == EX_OK)
        code = span(act, change->args, "step-up", &policy->step_up_seconds);
    if (code != EX_OK)
        return code;
    if (store_policy_desktop_set(act->store, change->desktop.id, policy) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "desktop-limit", NULL, change->desktop.name,
                     "tunnels=%u idle=%u absolute=%u step-up=%u", policy->tunnels,
                     policy->limits.idle_seconds, policy->limits.absolute_seconds,
                     policy->step_up_seconds);
}

int admin_limit_desktop(struct act *act, const struct sub_args *args)
{
    struct desktop_change change = {.args = args};
    int code = admin_limit_shows(args) ? load_desktop(act, &change)
                                       : act_change(act, change_desktop, &change);
    const struct listing_value values[] = {{.text = change.desktop.name},
                                           {.number = change.policy.tunnels},
                                           {.number = change.policy.limits.idle_seconds},
                                           {.number = change.policy.limits.absolute_seconds},
                                           {.number = change.policy.step_up_seconds}};
    return code == EX_OK ? admin_limit_tell(act, desktop_columns, values, args) : code;
}

const struct sub_option admin_limit_desktop_options[] = {
    {"tunnels", "NUMBER", "so many connections at once; none: any number"},
    {"idle", "TIME", "a connection ends when nothing moves for so long; none: as configured"},
    {"absolute", "TIME", "a connection ends after so long; none: as configured"},
    {"step-up", "TIME", "its second factor must have been shown within so long; none: any"},
    {"json", NULL, "print a JSON object"},
    {0},
};

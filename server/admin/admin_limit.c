#include "admin_limit.h"

#include "act.h"
#include "hours.h"
#include "listing.h"
#include "store_policy.h"
#include "when.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define TUNNELS_MOST 1000000

int admin_limit_moment(struct act *act, const char *option, const char *typed, int64_t now,
                       int64_t *to)
{
    if (!typed)
        return EX_OK;
    if (strcmp(typed, "none") == 0) {
        *to = 0;
        return EX_OK;
    }
    return when_parse(typed, now, to)
               ? EX_OK
               : act_error(act, EX_DATAERR,
                           "--%s '%s': write such as 2026-12-24 or 2026-12-24T18:00, or none",
                           option, typed);
}

static int tunnels(struct act *act, const char *typed, uint32_t *to)
{
    uint64_t number;
    if (!typed)
        return EX_OK;
    if (strcmp(typed, "none") == 0)
        typed = "0";
    if (!text_number(typed, TUNNELS_MOST, &number))
        return act_error(act, EX_DATAERR, "--tunnels '%s': give a number, or none", typed);
    *to = (uint32_t)number;
    return EX_OK;
}

static int dates(struct act *act, const struct sub_args *args, int64_t *from, int64_t *until)
{
    int code = admin_limit_moment(act, "from", sub_value(args, "from"), act->now, from);
    if (code == EX_OK)
        code = admin_limit_moment(act, "until", sub_value(args, "until"), act->now, until);
    if (code == EX_OK && *from && *until && *until <= *from)
        code = act_error(act, EX_DATAERR, "it would end before it begins");
    return code;
}

/* Nothing given: what holds is shown. */
static bool shows(const struct sub_args *args)
{
    for (size_t i = 0; args->options[i].name; i++) {
        if (args->options[i].value && args->values[i] && strcmp(args->options[i].name, "group"))
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
    {"name", "NAME", LISTING_TEXT},   {"from", "FROM", LISTING_TIME},
    {"until", "UNTIL", LISTING_TIME}, {"tunnels", "TUNNELS", LISTING_NUMBER},
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
        code = dates(act, change->args, &policy->valid_from, &policy->valid_until);
    if (code == EX_OK)
        code = tunnels(act, sub_value(change->args, "tunnels"), &policy->tunnels);
    if (code != EX_OK)
        return code;
    if (store_policy_person_set(act->store, change->user.id, policy) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "user-limit", change->user.name, NULL, "from=%s until=%s tunnels=%u",
                     when_utc(policy->valid_from, from), when_utc(policy->valid_until, until),
                     policy->tunnels);
}

static int tell(struct act *act, const struct listing_column *columns,
                const struct listing_value *values, const struct sub_args *args)
{
    return sub_value(args, "json") ? listing_json(act->out, listing_object(columns, values))
                                   : listing_show(act, columns, values);
}

int admin_limit_user(struct act *act, const struct sub_args *args)
{
    struct user_change change = {.args = args};
    int code = shows(args) ? load_user(act, &change) : act_change(act, change_user, &change);
    const struct listing_value values[] = {{.text = change.user.name},
                                           {.number = change.policy.valid_from},
                                           {.number = change.policy.valid_until},
                                           {.number = change.policy.tunnels}};
    if (code == EX_OK)
        code = tell(act, user_columns, values, args);
    explicit_bzero(&change, sizeof(change));
    return code;
}

const struct sub_option admin_limit_user_options[] = {
    {"from", "WHEN", "the account begins then; none: it has begun"},
    {"until", "WHEN", "the account ends then; none: never"},
    {"tunnels", "NUMBER", "so many connections at once; none: any number"},
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
    {"tunnels", "TUNNELS", LISTING_NUMBER},
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
    int code = load_desktop(act, change);
    if (code == EX_OK)
        code = tunnels(act, sub_value(change->args, "tunnels"), &change->policy.tunnels);
    if (code != EX_OK)
        return code;
    if (store_policy_desktop_set(act->store, change->desktop.id, &change->policy) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "desktop-limit", NULL, change->desktop.name, "tunnels=%u",
                     change->policy.tunnels);
}

int admin_limit_desktop(struct act *act, const struct sub_args *args)
{
    struct desktop_change change = {.args = args};
    int code = shows(args) ? load_desktop(act, &change) : act_change(act, change_desktop, &change);
    const struct listing_value values[] = {{.text = change.desktop.name},
                                           {.number = change.policy.tunnels}};
    return code == EX_OK ? tell(act, desktop_columns, values, args) : code;
}

const struct sub_option admin_limit_desktop_options[] = {
    {"tunnels", "NUMBER", "so many connections at once; none: any number"},
    {"json", NULL, "print a JSON object"},
    {0},
};

/* ---- grants ---- */

struct grant_change {
    const struct sub_args *args;
    bool group;
    int64_t who;
    char who_name[TEXT_NAME_SIZE];
    struct store_desktop desktop;
    struct store_terms terms;
};

static const struct listing_column grant_columns[] = {
    {"who", "WHO", LISTING_TEXT},     {"desktop", "DESKTOP", LISTING_TEXT},
    {"from", "FROM", LISTING_TIME},   {"until", "UNTIL", LISTING_TIME},
    {"hours", "HOURS", LISTING_TEXT}, {NULL, NULL, LISTING_TEXT},
};

static int load_who(struct act *act, struct grant_change *change, const char *group)
{
    struct store_user user = {0};
    struct store_group found = {0};
    int code = group ? act_group(act, group, &found) : act_user(act, change->args->words[0], &user);
    change->group = group != NULL;
    change->who = group ? found.id : user.id;
    text_copy(change->who_name, sizeof(change->who_name), group ? found.name : user.name);
    explicit_bzero(&user, sizeof(user));
    return code;
}

static int load_grant(struct act *act, struct grant_change *change)
{
    const struct sub_args *args = change->args;
    const char *group = sub_value(args, "group");
    if (args->count != (group ? 1 : 2))
        return act_error(act, EX_USAGE,
                         "say which grant: 'PERSON DESKTOP' or '--group GROUP DESKTOP'");
    int code = load_who(act, change, group);
    if (code == EX_OK)
        code = act_desktop(act, args->words[args->count - 1], &change->desktop);
    if (code != EX_OK)
        return code;
    enum store_result result = store_policy_grant(act->store, change->group, change->who,
                                                  change->desktop.id, &change->terms);
    if (result == STORE_NONE)
        return act_error(act, EX_NOINPUT, "%s has no grant for %s; 'deskgate grant list' shows all",
                         change->who_name, change->desktop.name);
    return result == STORE_OK ? EX_OK : act_store_failed(act);
}

static int take_hours(struct act *act, const char *typed, struct store_terms *terms)
{
    struct decision_hours hours[HOURS_MOST];
    const char *why = "it is too long";
    size_t count;
    if (!typed)
        return EX_OK;
    if (strcmp(typed, "none") == 0)
        typed = "";
    if (!hours_parse(typed, hours, &count, &why) ||
        !text_copy(terms->hours, sizeof(terms->hours), typed))
        return act_error(act, EX_DATAERR, "--hours '%s': %s", typed, why);
    return EX_OK;
}

static int change_grant(struct act *act, void *owner)
{
    struct grant_change *change = owner;
    struct store_terms *terms = &change->terms;
    char from[WHEN_SIZE], until[WHEN_SIZE];
    int code = load_grant(act, change);
    if (code == EX_OK)
        code = dates(act, change->args, &terms->valid_from, &terms->valid_until);
    if (code == EX_OK)
        code = take_hours(act, sub_value(change->args, "hours"), terms);
    if (code != EX_OK)
        return code;
    if (store_policy_grant_set(act->store, change->group, change->who, change->desktop.id, terms) !=
        STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "grant-limit", change->group ? "" : change->who_name,
                     change->desktop.name, "%s%s%sfrom=%s until=%s hours=%s",
                     change->group ? "group " : "", change->group ? change->who_name : "",
                     change->group ? " " : "", when_utc(terms->valid_from, from),
                     when_utc(terms->valid_until, until), terms->hours);
}

int admin_limit_grant(struct act *act, const struct sub_args *args)
{
    struct grant_change change = {.args = args};
    int code = shows(args) ? load_grant(act, &change) : act_change(act, change_grant, &change);
    const struct listing_value values[] = {{.text = change.who_name},
                                           {.text = change.desktop.name},
                                           {.number = change.terms.valid_from},
                                           {.number = change.terms.valid_until},
                                           {.text = change.terms.hours}};
    return code == EX_OK ? tell(act, grant_columns, values, args) : code;
}

const struct sub_option admin_limit_grant_options[] = {
    {"group", "GROUP", "a group's grant instead of a person's"},
    {"from", "WHEN", "it begins then; none: it has begun"},
    {"until", "WHEN", "it ends then; none: never"},
    {"hours", "HOURS", "such as 'mon-fri 08:00-18:00', on this machine's clock; none: always"},
    {"json", NULL, "print a JSON object"},
    {0},
};

/* deskgate grant limit: when a grant holds. */
#include "act.h"
#include "admin_grant_key.h"
#include "admin_limit.h"
#include "hours.h"
#include "listing.h"
#include "when.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct grant_change {
    const struct sub_args *args;
    struct admin_grant_key key;
    struct store_terms terms;
};

static const struct listing_column columns[] = {
    {"who", "WHO", LISTING_TEXT},     {"desktop", "DESKTOP", LISTING_TEXT},
    {"from", "FROM", LISTING_TIME},   {"until", "UNTIL", LISTING_TIME},
    {"hours", "HOURS", LISTING_TEXT}, {NULL, NULL, LISTING_TEXT},
};

static int load(struct act *act, struct grant_change *change)
{
    char who[ADMIN_GRANT_KEY_WORDS], what[ADMIN_GRANT_KEY_WORDS];
    int code = admin_grant_key_find(act, change->args, &change->key);
    if (code != EX_OK)
        return code;
    enum store_result result = store_grant_terms(act->store, &change->key.key, &change->terms);
    if (result == STORE_NONE)
        return act_error(act, EX_NOINPUT, "%s has no grant for %s; 'deskgate grant list' shows all",
                         admin_grant_key_who(&change->key, who),
                         admin_grant_key_what(&change->key, what));
    return result == STORE_OK ? EX_OK : act_store_failed(act);
}

static int take_hours(struct act *act, const char *typed, struct store_terms *terms)
{
    const char *why = "it is too long";
    if (!typed)
        return EX_OK;
    if (strcmp(typed, "none") == 0)
        typed = "";
    if (!hours_clear(typed, &why) || !text_copy(terms->hours, sizeof(terms->hours), typed))
        return act_error(act, EX_DATAERR, "--hours '%s': %s", typed, why);
    return EX_OK;
}

static int change_terms(struct act *act, void *owner)
{
    struct grant_change *change = owner;
    struct store_terms *terms = &change->terms;
    char from[WHEN_SIZE], until[WHEN_SIZE], detail[2 * WHEN_SIZE + STORE_HOURS_SIZE + 32];
    int code = load(act, change);
    if (code == EX_OK)
        code = admin_limit_dates(act, change->args, &terms->valid_from, &terms->valid_until);
    if (code == EX_OK)
        code = take_hours(act, sub_value(change->args, "hours"), terms);
    if (code != EX_OK)
        return code;
    if (store_grant_set_terms(act->store, &change->key.key, terms) != STORE_OK)
        return act_store_failed(act);
    snprintf(detail, sizeof(detail), "from=%s until=%s hours=%s",
             admin_limit_date(terms->valid_from, from), admin_limit_date(terms->valid_until, until),
             terms->hours);
    return admin_grant_key_audit(act, "grant-limit", &change->key, detail);
}

int admin_limit_grant(struct act *act, const struct sub_args *args)
{
    struct grant_change change = {.args = args};
    int code =
        admin_limit_shows(args) ? load(act, &change) : act_change(act, change_terms, &change);
    const struct listing_value values[] = {{.text = change.key.who},
                                           {.text = change.key.what},
                                           {.number = change.terms.valid_from},
                                           {.number = change.terms.valid_until},
                                           {.text = change.terms.hours}};
    return code == EX_OK ? admin_limit_tell(act, columns, values, args) : code;
}

const struct sub_option admin_limit_grant_options[] = {
    {"user", "PERSON", "whose, instead of the first word"},
    {"group", "GROUP", "a group's grant instead of a person's"},
    {"desktop-group", "GROUP", "a group of desktops instead of a desktop"},
    {"from", "WHEN", "it begins then (2026-12-24T18:00, or 8h from now); none: it has begun"},
    {"until", "WHEN", "it ends then, a day without a time with that day; none: never"},
    {"hours", "HOURS",
     "such as 'mon-fri 08:00-18:00, sat' (all of Saturday), where the gateway's clock stands; "
     "none: always"},
    {"json", NULL, "print a JSON object"},
    {0},
};

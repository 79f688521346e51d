/* Hours of grants that hold otherwise than they read: taken by a version before, kept as they are.
 */
#include "checkup.h"

#include "hours.h"

struct found {
    struct checkup *check;
    unsigned count;
};

static int each(void *owner, const struct store_grant *grant)
{
    struct decision_hours hours[HOURS_MOST];
    struct found *found = owner;
    const char *typed = grant->terms.hours, *why;
    size_t count;

    if (hours_clear(typed, &why))
        return 0;
    found->count++;
    if (hours_parse(typed, hours, &count, &why))
        checkup_say(found->check, CHECKUP_WARNING, "grant",
                    "give each day its own times: 'deskgate grant limit … --hours "
                    "\"mon 08:00-18:00, wed 08:00-18:00\"'; a whole day is 'mon 00:00-24:00'",
                    "%s for %s: '%s' has days without times, which are whole days", grant->who,
                    grant->what, typed);
    else
        checkup_say(found->check, CHECKUP_PROBLEM, "grant",
                    "give them anew: 'deskgate grant limit'",
                    "%s for %s never holds: its hours '%s' cannot be read: %s", grant->who,
                    grant->what, typed, why);
    return 0;
}

void checkup_grants(struct checkup *check)
{
    struct found found = {.check = check};

    if (store_grant_list(check->store, each, &found) != STORE_OK)
        checkup_say(check, CHECKUP_PROBLEM, "grant", "", "the grants could not be listed");
    else if (found.count == 0)
        checkup_say(check, CHECKUP_OK, "grant", "", "every grant's hours hold as they read");
}

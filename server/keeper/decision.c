#include "decision.h"

#include "day.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WEEK 7

static bool refuse(struct decision *out, enum decision_rule rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(struct decision *out, enum decision_rule rule, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->words, sizeof(out->words), format, arguments);
    va_end(arguments);
    out->rule = rule;
    return false;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return !a || (b && b < a) ? b : a;
}

/* ---- dates and hours ---- */

static bool within(const struct decision_dates *dates, int64_t now)
{
    return now >= dates->from && (!dates->until || now < dates->until);
}

static bool has_day(const struct decision_hours *hours, unsigned day)
{
    return hours->days >> (day % WEEK) & 1;
}

/* Minutes from now until this range ends; 0: it does not hold. */
static unsigned minutes_left(const struct decision_hours *hours, const struct decision_ask *ask)
{
    bool over_night = hours->until <= hours->from;
    if (has_day(hours, ask->weekday) && ask->minute >= hours->from &&
        (over_night || ask->minute < hours->until))
        return (over_night ? DAY_MINUTES : 0U) + hours->until - ask->minute;
    if (over_night && has_day(hours, ask->weekday + WEEK - 1) && ask->minute < hours->until)
        return hours->until - ask->minute;
    return 0;
}

/* ---- the parts ---- */

static bool account_holds(const struct decision_rules *rules, const struct decision_ask *ask,
                          struct decision *out)
{
    if (rules->disabled)
        return refuse(out, DECISION_DISABLED, "%s is disabled", rules->person);
    if (ask->now < rules->dates.from)
        return refuse(out, DECISION_ACCOUNT_DATES, "the account of %s is not valid yet",
                      rules->person);
    if (!within(&rules->dates, ask->now))
        return refuse(out, DECISION_ACCOUNT_DATES, "the account of %s is no longer valid",
                      rules->person);
    out->again_at = rules->dates.until;
    return true;
}

static const char *owner_of(const struct decision_rules *rules, const struct decision_net *net,
                            char *to, size_t size)
{
    if (net->scope == DECISION_OF_GATEWAY)
        return "the gateway";
    snprintf(to, size, net->scope == DECISION_OF_GROUP ? "group %s" : "%s",
             net->scope == DECISION_OF_GROUP ? net->group : rules->person);
    return to;
}

/* A fixed order of names, so that it does not matter in which order rows come. NULL is first. */
static int order(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

/* Whether `net` says more plainly than `other` why: of the wider scope, of fewer addresses. */
static bool tells_more(const struct decision_net *net, const struct decision_net *other)
{
    if (!other || net->scope != other->scope)
        return !other || net->scope < other->scope;
    if (net->net.bits != other->net.bits)
        return net->net.bits > other->net.bits;
    return order(net->group, other->group) < 0;
}

/* Any that denies denies; of the gateway's that allow, one must match, and one of the others. */
static bool address_holds(const struct decision_rules *rules, const struct decision_ask *ask,
                          struct decision *out)
{
    bool wanted[2] = {false}, listed[2] = {false}; /* the gateway's; the others' */
    const struct decision_net *denying = NULL;
    char owner[TEXT_NAME_SIZE + 8], address[ADDR_TEXT_SIZE];
    for (size_t i = 0; i < rules->net_count; i++) {
        const struct decision_net *net = &rules->nets[i];
        bool matches = addr_in(&ask->address, &net->net), other = net->scope != DECISION_OF_GATEWAY;
        wanted[other] |= net->allow;
        listed[other] |= net->allow && matches;
        if (!net->allow && matches && tells_more(net, denying))
            denying = net;
    }
    addr_text(&ask->address, address);
    if (denying)
        return refuse(out, DECISION_ADDRESS_DENIED, "%s is denied by the list of %s", address,
                      owner_of(rules, denying, owner, sizeof(owner)));
    if (wanted[0] && !listed[0])
        return refuse(out, DECISION_ADDRESS_NOT_LISTED,
                      "%s is not on the list of addresses that the gateway allows", address);
    if (wanted[1] && !listed[1])
        return refuse(out, DECISION_ADDRESS_NOT_LISTED,
                      "%s is not on a list of addresses that %s or a group of theirs allows",
                      address, rules->person);
    return true;
}

/* How far a grant comes: no further than its dates (0), its hours (1), or it holds (2), until
 * `*ends` (0: always). */
static int grant_reach(const struct decision_grant *grant, const struct decision_ask *ask,
                       int64_t *ends)
{
    unsigned left = 0;
    if (!within(&grant->dates, ask->now))
        return 0;
    for (size_t i = 0; i < grant->hours_count; i++) {
        unsigned minutes = minutes_left(&grant->hours[i], ask);
        left = minutes > left ? minutes : left;
    }
    if (grant->hours_count && !left)
        return 1;
    /* Hours end with a minute. */
    int64_t minute = ask->now - ask->now % 60;
    *ends = sooner(grant->dates.until, left ? minute + 60 * (int64_t)left : 0);
    return 2;
}

/* The person's own before a group's, of the desktop itself before a group of them. */
static bool comes_before(const struct decision_grant *grant, const struct decision_grant *other)
{
    int who = order(grant->who, other->who);
    return who ? who < 0 : order(grant->what, other->what) < 0;
}

static bool grant_holds(const struct decision_rules *rules, const struct decision_ask *ask,
                        struct decision *out)
{
    int best = -1;
    int64_t last = 0;
    const struct decision_grant *told = NULL;
    for (size_t i = 0; i < rules->grant_count; i++) {
        const struct decision_grant *grant = &rules->grants[i];
        int64_t ends = 0;
        int reach = grant_reach(grant, ask, &ends);
        if (reach == best && best == 2) /* the one that holds longest */
            last = last && ends ? (ends > last ? ends : last) : 0;
        else if (reach > best)
            last = ends;
        if (reach > best || (reach == best && comes_before(grant, told)))
            told = grant;
        best = reach > best ? reach : best;
    }
    if (!told)
        return refuse(out, DECISION_NO_GRANT, "no grant gives %s to %s", rules->desktop,
                      rules->person);
    if (best == 0)
        return refuse(out, DECISION_GRANT_DATES, "the grants of %s to %s are not valid now",
                      rules->desktop, rules->person);
    if (best == 1)
        return refuse(out, DECISION_GRANT_HOURS, "the grants of %s to %s are for other hours",
                      rules->desktop, rules->person);
    out->again_at = sooner(out->again_at, last);
    snprintf(out->words, sizeof(out->words), "granted to %s%s as %s%s", told->who ? "group " : "",
             told->who ? told->who : rules->person, told->what ? "part of group " : "",
             told->what ? told->what : rules->desktop);
    return true;
}

static bool numbers_hold(const struct decision_rules *rules, const struct decision_ask *ask,
                         struct decision *out)
{
    if (rules->person_tunnels && ask->person_tunnels >= rules->person_tunnels)
        return refuse(out, DECISION_PERSON_BUSY, "%s has %u connections already, of %u",
                      rules->person, ask->person_tunnels, rules->person_tunnels);
    if (rules->desktop_tunnels && ask->desktop_tunnels >= rules->desktop_tunnels)
        return refuse(out, DECISION_DESKTOP_BUSY, "%s has %u connections already, of %u",
                      rules->desktop, ask->desktop_tunnels, rules->desktop_tunnels);
    return true;
}

static bool factor_holds(const struct decision_rules *rules, const struct decision_ask *ask,
                         struct decision *out)
{
    if (!rules->step_up_seconds || ask->now - ask->factor_at < (int64_t)rules->step_up_seconds)
        return true;
    return refuse(out, DECISION_STEP_UP,
                  "%s wants a second factor that was shown less than %u seconds ago",
                  rules->desktop, rules->step_up_seconds);
}

static uint32_t narrower(uint32_t a, uint32_t b)
{
    return !a || (b && b < a) ? b : a;
}

static struct decision_limits narrowest(const struct decision_rules *rules)
{
    struct decision_limits limits = {0};
    for (size_t i = 0; i < DECISION_LIMITERS; i++) {
        limits.idle_seconds = narrower(limits.idle_seconds, rules->limits[i].idle_seconds);
        limits.absolute_seconds =
            narrower(limits.absolute_seconds, rules->limits[i].absolute_seconds);
    }
    return limits;
}

bool decision_judge(const struct decision_rules *rules, const struct decision_ask *ask,
                    struct decision *out)
{
    *out = (struct decision){.rule = DECISION_ALLOWED, .limits = narrowest(rules)};
    bool allowed = account_holds(rules, ask, out) && address_holds(rules, ask, out) &&
                   grant_holds(rules, ask, out) && factor_holds(rules, ask, out) &&
                   numbers_hold(rules, ask, out);
    if (!allowed)
        out->again_at = 0;
    return allowed;
}

bool decision_judge_person(const struct decision_rules *rules, const struct decision_ask *ask,
                           struct decision *out)
{
    *out = (struct decision){.rule = DECISION_ALLOWED};
    return account_holds(rules, ask, out) && address_holds(rules, ask, out);
}

const char *decision_rule_name(unsigned rule)
{
    static const char *const names[DECISION_RULES] = {
        [DECISION_ALLOWED] = "allowed",
        [DECISION_DISABLED] = "disabled",
        [DECISION_ACCOUNT_DATES] = "account-dates",
        [DECISION_ADDRESS_DENIED] = "address-denied",
        [DECISION_ADDRESS_NOT_LISTED] = "address-unlisted",
        [DECISION_NO_GRANT] = "not-granted",
        [DECISION_GRANT_DATES] = "grant-dates",
        [DECISION_GRANT_HOURS] = "grant-hours",
        [DECISION_PERSON_BUSY] = "person-busy",
        [DECISION_DESKTOP_BUSY] = "desktop-busy",
        [DECISION_STEP_UP] = "step-up",
    };
    return rule < DECISION_RULES ? names[rule] : "unknown";
}

#include "may.h"

#include "hours.h"
#include "keeper_state.h"
#include "live.h"
#include "log.h"
#include "store_policy.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of one person for one desktop; more than these fail closed. */
#define GRANTS_MOST 64
#define NETS_MOST 256

struct rules {
    struct decision_rules judged;
    struct store_person_policy person;
    struct store_desktop_policy desktop;
    struct decision_grant grants[GRANTS_MOST];
    struct decision_hours hours[GRANTS_MOST][HOURS_MOST];
    char grant_names[GRANTS_MOST][2][TEXT_NAME_SIZE]; /* of people, of desktops */
    struct decision_net nets[NETS_MOST];
    char net_names[NETS_MOST][TEXT_NAME_SIZE];
    const struct addr *address; /* who asks */
    bool only_listed[2];        /* one that allows others is among `nets`: the gateway's; others' */
    bool too_many;
};

static int add_grant(void *owner, const struct store_grant *found)
{
    const struct store_terms *terms = &found->terms;
    struct rules *rules = owner;
    size_t at = rules->judged.grant_count, count;
    const char *why;
    if (at == GRANTS_MOST)
        return 1; /* one fewer never allows */
    if (!hours_parse(terms->hours, rules->hours[at], &count, &why))
        return 0; /* unreadable hours are none in which it holds */
    struct decision_grant *grant = &rules->grants[at];
    *grant = (struct decision_grant){.dates = {terms->valid_from, terms->valid_until},
                                     .hours = rules->hours[at],
                                     .hours_count = count};
    text_copy(rules->grant_names[at][0], TEXT_NAME_SIZE, found->who);
    text_copy(rules->grant_names[at][1], TEXT_NAME_SIZE, found->what);
    grant->who = found->group ? rules->grant_names[at][0] : NULL;
    grant->what = found->desktops ? rules->grant_names[at][1] : NULL;
    rules->judged.grant_count++;
    return 0;
}

/* Lists may be long; what counts of them for one address is what has it, and whether there is any
 * that allows. */
static bool is_idle(struct rules *rules, const struct store_net *found)
{
    bool *only_listed = &rules->only_listed[found->user || *found->who];
    bool idle = !addr_in(rules->address, &found->net) && (!found->allow || *only_listed);
    *only_listed |= found->allow;
    return idle;
}

static int add_net(void *owner, const struct store_net *found)
{
    struct rules *rules = owner;
    size_t at = rules->judged.net_count;
    if (is_idle(rules, found))
        return 0;
    if (at == NETS_MOST) {
        rules->too_many = true; /* the next one might deny */
        return 1;
    }
    text_copy(rules->net_names[at], sizeof(rules->net_names[at]), found->who);
    rules->nets[at] = (struct decision_net){.scope = found->user   ? DECISION_OF_PERSON
                                                     : *found->who ? DECISION_OF_GROUP
                                                                   : DECISION_OF_GATEWAY,
                                            .allow = found->allow,
                                            .net = found->net,
                                            .group = rules->net_names[at]};
    rules->judged.net_count++;
    return 0;
}

static struct decision_limits limits_of(const struct store_limits *limits)
{
    return (struct decision_limits){limits->idle_seconds, limits->absolute_seconds};
}

static enum store_result load_person(struct store *store, int64_t user, struct rules *rules)
{
    struct decision_rules *judged = &rules->judged;
    enum store_result result = store_policy_person(store, user, &rules->person);
    if (result == STORE_OK)
        result = store_policy_nets(store, user, add_net, rules);
    judged->person = rules->person.name;
    judged->disabled = rules->person.disabled;
    judged->dates = (struct decision_dates){rules->person.valid_from, rules->person.valid_until};
    judged->person_tunnels = rules->person.tunnels;
    judged->limits[DECISION_PERSONS] = limits_of(&rules->person.limits);
    judged->nets = rules->nets;
    judged->grants = rules->grants;
    return result;
}

static enum store_result load_desktop(struct store *store, int64_t user, int64_t desktop,
                                      struct rules *rules)
{
    enum store_result result = store_policy_desktop(store, desktop, &rules->desktop);
    if (result == STORE_OK)
        result = store_grant_list_for(store, user, desktop, add_grant, rules);
    rules->judged.desktop = rules->desktop.name;
    rules->judged.desktop_tunnels = rules->desktop.tunnels;
    rules->judged.step_up_seconds = rules->desktop.step_up_seconds;
    rules->judged.limits[DECISION_DESKTOPS] = limits_of(&rules->desktop.limits);
    return result;
}

/* In the process's time zone (zone_use()): where the administrator's hours stand. */
static void tell_time(struct decision_ask *ask)
{
    time_t now = (time_t)ask->now;
    struct tm local = {0};
    localtime_r(&now, &local);
    ask->weekday = (unsigned)(local.tm_wday + 6) % 7;
    ask->minute = (unsigned)(local.tm_hour * 60 + local.tm_min);
}

static enum store_result judge(struct store *store, const struct may_ask *may, bool desktop,
                               struct decision *out)
{
    struct rules *rules = calloc(1, sizeof(*rules));
    struct decision_ask ask = {.now = may->now,
                               .address = may->address,
                               .person_tunnels = may->person_tunnels,
                               .desktop_tunnels = may->desktop_tunnels,
                               .factor_at = may->factor_at};
    if (!rules)
        return STORE_FAILED;
    rules->address = &may->address;
    enum store_result result = load_person(store, may->user, rules);
    if (result == STORE_OK && desktop)
        result = load_desktop(store, may->user, may->desktop, rules);
    if (may->live)
        rules->judged.person_tunnels = rules->judged.desktop_tunnels = 0;
    if (may->live || may->factor_judged)
        rules->judged.step_up_seconds = 0;
    if (may->living && rules->judged.person_tunnels)
        ask.person_tunnels += live_index_count(may->living, LIVE_BY_PERSON, may->user);
    if (may->living && rules->judged.desktop_tunnels)
        ask.desktop_tunnels += live_index_count(may->living, LIVE_BY_DESKTOP, may->desktop);
    rules->judged.limits[DECISION_CONFIGURED] = may->limits;
    tell_time(&ask);
    if (result == STORE_OK && rules->too_many)
        *out = (struct decision){.rule = DECISION_ADDRESS_DENIED,
                                 .words = "there are more address rules than can be judged"};
    else if (result == STORE_OK && desktop)
        decision_judge(&rules->judged, &ask, out);
    else if (result == STORE_OK)
        decision_judge_person(&rules->judged, &ask, out);
    free(rules);
    return result;
}

enum store_result may_judge(struct store *store, const struct may_ask *ask, struct decision *out)
{
    return judge(store, ask, true, out);
}

enum store_result may_judge_person(struct store *store, int64_t user, const struct addr *address,
                                   int64_t now, struct decision *out)
{
    struct may_ask ask = {.user = user, .address = *address, .now = now};
    return judge(store, &ask, false, out);
}

static enum ipc_status status_of(enum decision_rule rule)
{
    switch (rule) {
    case DECISION_ALLOWED:
        return IPC_OK;
    case DECISION_ADDRESS_DENIED:
    case DECISION_ADDRESS_NOT_LISTED:
        return IPC_NOT_FROM_HERE;
    case DECISION_ACCOUNT_DATES:
    case DECISION_GRANT_DATES:
    case DECISION_GRANT_HOURS:
        return IPC_NOT_NOW;
    case DECISION_PERSON_BUSY:
    case DECISION_DESKTOP_BUSY:
        return IPC_TOO_MANY;
    case DECISION_STEP_UP:
        return IPC_STALE_FACTOR;
    default:
        return IPC_NO_DESKTOP;
    }
}

static struct decision_limits configured(const struct keeper *keeper)
{
    return (struct decision_limits){keeper->conf->tunnel_idle_seconds,
                                    keeper->conf->tunnel_absolute_seconds};
}

enum ipc_status may_open(struct keeper *keeper, const struct store_session *session,
                         struct may_ask ask, struct decision *out)
{
    ask.user = session->user;
    ask.factor_at = session->factor_at;
    ask.limits = configured(keeper);
    ask.now = keeper_now();
    ask.living = &keeper->living;
    if (keeper->company) {
        struct live_counted elsewhere = {0};
        live_count_elsewhere(keeper, ask.user, ask.desktop, ask.replaces, &elsewhere);
        ask.person_tunnels = elsewhere.person;
        ask.desktop_tunnels = elsewhere.desktop;
    }
    enum store_result result = may_judge(keeper->store, &ask, out);
    if (result == STORE_OK)
        return status_of(out->rule);
    if (result == STORE_NONE)
        return IPC_NO_DESKTOP;
    LOG_ERROR("store", "what a person may could not be looked up",
              LOG_TEXT("error", store_error(keeper->store)));
    return IPC_FAILED;
}

enum store_result may_live_on(struct keeper *keeper, const struct live *live, struct decision *out)
{
    struct may_ask ask = {.user = live->user_id,
                          .desktop = live->desktop_id,
                          .address = live->origin.address,
                          .now = keeper_now(),
                          .limits = configured(keeper),
                          .live = true};
    return may_judge(keeper->store, &ask, out);
}

/* deskgate explain: what the gateway would decide, and by which rule. */
#include "act.h"
#include "admin.h"
#include "admin_limit.h"
#include "listing.h"
#include "may.h"
#include "password_policy.h"
#include "sub.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

struct count {
    struct may_ask *ask;
    const char *user, *desktop;
};

static int count_live(void *owner, const struct store_tunnel *tunnel)
{
    struct count *count = owner;
    count->ask->person_tunnels += strcasecmp(tunnel->user_name, count->user) == 0;
    count->ask->desktop_tunnels += strcasecmp(tunnel->desktop_name, count->desktop) == 0;
    return 0;
}

static const struct listing_column columns[] = {
    {"allowed", "ALLOWED", LISTING_YES},
    {"rule", "RULE", LISTING_TEXT},
    {"why", "WHY", LISTING_TEXT},
    {"until", "UNTIL", LISTING_TIME},
    {"fresh_factor", "FRESH FACTOR", LISTING_YES},
    {"idle_seconds", "IDLE SECONDS", LISTING_NUMBER},
    {"absolute_seconds", "ABSOLUTE SECONDS", LISTING_NUMBER},
    {"due", "DUE", LISTING_TEXT},
    {NULL, NULL, LISTING_TEXT},
};

/* What the person must do before any rule counts. */
enum due { DUE_NOTHING, DUE_PASSWORD, DUE_INVITATION, DUE_EXPIRED, DUE_EXPIRES };

static const struct {
    const char *name, *words;
} dues[] = {
    [DUE_NOTHING] = {"", ""},
    [DUE_PASSWORD] = {"password",
                      "But first the person must choose a new password, at the sign-in.\n"},
    [DUE_INVITATION] =
        {"invitation",
         "But the person has not taken up the invitation: without a password that an administrator "
         "has set there is no sign-in before.\n"},
    [DUE_EXPIRED] = {"invitation-expired",
                     "But the person has not taken up the invitation, which has expired: without a "
                     "password that an administrator has set it takes another, by 'deskgate user "
                     "invite'.\n"},
    [DUE_EXPIRES] = {"invitation-expired",
                     "But the person has not taken up the invitation, which will have expired by "
                     "then: without a password that an administrator has set it takes another, by "
                     "'deskgate user invite'.\n"},
};

/* Who has signed in once has factors, which an invitation leaves in force. Of others it is not
 * known: a hash that nothing matches looks like any other. */
static int look_up_due(struct act *act, const struct store_user *user, int64_t now, enum due *due)
{
    int64_t until = 0;

    *due = DUE_NOTHING;
    if (!user->signed_in_at) {
        enum store_result result = store_invitation_until(act->store, user->id, 0, &until);
        if (result != STORE_OK && result != STORE_NONE)
            return act_store_failed(act);
        if (result == STORE_OK)
            *due = until > now ? DUE_INVITATION : until > act->now ? DUE_EXPIRES : DUE_EXPIRED;
    }
    if (*due == DUE_NOTHING &&
        (user->must_change || password_policy_left(&act->conf, user->password_at, now) == 0))
        *due = DUE_PASSWORD;
    return EX_OK;
}

/* No session is meant, so how fresh its factor is cannot be told; that it must be, can. */
static int judge(struct act *act, struct may_ask *ask, struct decision *decision, bool *fresh)
{
    enum store_result result = may_judge(act->store, ask, decision);
    *fresh = result == STORE_OK && decision->rule == DECISION_STEP_UP;
    ask->factor_judged = true;
    if (*fresh)
        result = may_judge(act->store, ask, decision);
    return result == STORE_OK ? EX_OK : act_store_failed(act);
}

static int look_up(struct act *act, const struct sub_args *args, struct may_ask *ask, enum due *due)
{
    struct store_user user = {0};
    struct store_desktop desktop = {0};
    int code = act_user(act, args->words[0], &user);
    if (code == EX_OK)
        code = act_desktop(act, args->words[1], &desktop);
    if (code == EX_OK)
        code = look_up_due(act, &user, ask->now, due);
    ask->user = user.id;
    ask->desktop = desktop.id;
    struct count count = {ask, user.name, desktop.name};
    if (code == EX_OK && store_tunnel_list(act->store, true, count_live, &count) == STORE_FAILED)
        code = act_store_failed(act);
    explicit_bzero(&user, sizeof(user));
    return code;
}

static int tell(struct act *act, const struct decision *decision, bool fresh, enum due due,
                bool json)
{
    bool allowed = decision->rule == DECISION_ALLOWED;
    const struct decision_limits *limits = &decision->limits;
    const struct listing_value values[] = {{.number = allowed},
                                           {.text = decision_rule_name(decision->rule)},
                                           {.text = decision->words},
                                           {.number = decision->again_at},
                                           {.number = fresh},
                                           {.number = limits->idle_seconds},
                                           {.number = limits->absolute_seconds},
                                           {.text = dues[due].name}};
    if (json)
        return listing_json(act->out, listing_object(columns, values));
    fprintf(act->out, "%s: %s.\n", allowed ? "Allowed" : "Refused", decision->words);
    fputs(dues[due].words, act->out);
    if (fresh)
        fputs("The desktop asks for a second factor that was shown lately.\n", act->out);
    return EX_OK;
}

static int explain(struct act *act, const struct sub_args *args)
{
    struct decision decision;
    enum due due = DUE_NOTHING;
    struct may_ask ask = {
        .now = act->now,
        .limits = {act->conf.tunnel_idle_seconds, act->conf.tunnel_absolute_seconds}};
    const char *from = sub_value(args, "from"), *at = sub_value(args, "at");
    bool json = sub_value(args, "json") != NULL, fresh = false;
    if (!addr_parse(&ask.address, from ? from : "127.0.0.1"))
        return act_error(act, EX_DATAERR, "--from '%s' is not an address", from);
    int code = admin_limit_moment(act, "at", at, WHEN_DAY_BEGINS, &ask.now);
    if (code == EX_OK)
        code = look_up(act, args, &ask, &due);
    if (code == EX_OK)
        code = judge(act, &ask, &decision, &fresh);
    if (code == EX_OK)
        code = tell(act, &decision, fresh, due, json);
    if (code == EX_OK && !json && !from)
        fputs("Asked from this machine itself (127.0.0.1); --from ADDRESS asks for another.\n",
              act->out);
    return code;
}

static const struct sub_option options[] = {
    {"from", "ADDRESS", "where the person comes from"},
    {"at", "WHEN", "at another moment: 2026-12-24T18:00, or 8h from now"},
    {"json", NULL, "print a JSON object"},
    {0},
};

static const struct sub subs[] = {
    {"", "PERSON DESKTOP [--from ADDRESS] [--at WHEN] [--json]",
     "Says whether a person may reach a desktop, and which rule makes it so.",
     "  deskgate explain anna office --from 203.0.113.7", options, 2, 2, explain},
    {0},
};

const struct sub_verb admin_explain = {"explain", "Whether a person may reach a desktop.", subs};

int explain_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run_alone(&admin_explain, cli, argc, argv);
}

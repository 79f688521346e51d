/* deskgate explain: what the gateway would decide, and by which rule. */
#include "act.h"
#include "admin.h"
#include "admin_limit.h"
#include "listing.h"
#include "may.h"
#include "store_policy.h"
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
    {"allowed", "ALLOWED", LISTING_YES}, {"rule", "RULE", LISTING_TEXT},
    {"why", "WHY", LISTING_TEXT},        {"until", "UNTIL", LISTING_TIME},
    {NULL, NULL, LISTING_TEXT},
};

static int explain(struct act *act, const struct sub_args *args)
{
    struct store_user user = {0};
    struct store_desktop desktop = {0};
    struct decision decision;
    struct may_ask ask = {.now = act->now};
    const char *from = sub_value(args, "from"), *at = sub_value(args, "at");
    if (!addr_parse(&ask.address, from ? from : "127.0.0.1"))
        return act_error(act, EX_DATAERR, "--from '%s' is not an address", from);
    int code = admin_limit_moment(act, "at", at, act->now, &ask.now);
    if (code == EX_OK)
        code = act_user(act, args->words[0], &user);
    if (code == EX_OK)
        code = act_desktop(act, args->words[1], &desktop);
    ask.user = user.id;
    ask.desktop = desktop.id;
    struct count count = {&ask, user.name, desktop.name};
    if (code == EX_OK && (store_tunnel_list(act->store, true, count_live, &count) == STORE_FAILED ||
                          may_judge(act->store, &ask, &decision) != STORE_OK))
        code = act_store_failed(act);
    explicit_bzero(&user, sizeof(user));
    if (code != EX_OK)
        return code;
    const struct listing_value values[] = {{.number = decision.rule == DECISION_ALLOWED},
                                           {.text = decision_rule_name(decision.rule)},
                                           {.text = decision.words},
                                           {.number = decision.again_at}};
    if (sub_value(args, "json"))
        return listing_json(act->out, listing_object(columns, values));
    fprintf(act->out, "%s: %s.\n", decision.rule == DECISION_ALLOWED ? "Allowed" : "Refused",
            decision.words);
    if (!from)
        fputs("Asked from this machine itself (127.0.0.1); --from ADDRESS asks for another.\n",
              act->out);
    return EX_OK;
}

static const struct sub_option options[] = {
    {"from", "ADDRESS", "where the person comes from"},
    {"at", "WHEN", "at another moment, such as 2026-12-24T18:00"},
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

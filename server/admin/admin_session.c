/* deskgate session: who is signed in. */
#include "act.h"
#include "admin.h"
#include "listing.h"
#include "sub.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

#define ADMIN_SESSION_END "admin" /* why it ended, in the store */

static const struct listing_column admin_session_columns[] = {
    {"id", ">ID", LISTING_NUMBER},          {"user", "USER", LISTING_TEXT},
    {"address", "ADDRESS", LISTING_TEXT},   {"created_at", "SIGNED IN", LISTING_TIME},
    {"used_at", "LAST USED", LISTING_TIME}, {"expires_at", "EXPIRES", LISTING_TIME},
    {"ended_at", "ENDED", LISTING_TIME},    {"end", "WHY", LISTING_TEXT},
    {"agent", NULL, LISTING_TEXT},          {NULL, NULL, LISTING_TEXT},
};

struct admin_session_filter {
    const char *user; /* NULL: all */
    size_t found;
    struct listing listing;
};

static int admin_session_row(void *owner, const struct store_session *session)
{
    struct admin_session_filter *filter = owner;
    char address[ADDR_TEXT_SIZE];

    if (filter->user && strcasecmp(filter->user, session->user_name) != 0)
        return 0;
    addr_text(&session->address, address);
    listing_row(&filter->listing, (struct listing_value[]){{.number = session->id},
                                                           {.text = session->user_name},
                                                           {.text = address},
                                                           {.number = session->created_at},
                                                           {.number = session->used_at},
                                                           {.number = session->expires_at},
                                                           {.number = session->ended_at},
                                                           {.text = session->end},
                                                           {.text = session->agent}});
    return 0;
}

static int admin_session_list(struct act *act, const struct sub_args *args)
{
    struct admin_session_filter filter = {.user = sub_value(args, "user")};
    bool all = sub_value(args, "all") != NULL;
    struct store_user user;
    int code = filter.user ? act_user(act, filter.user, &user) : EX_OK;

    if (code != EX_OK)
        return code;
    listing_init(&filter.listing, act, admin_session_columns, sub_value(args, "json") != NULL,
                 all ? "There is no such session." : "Nobody is signed in.");
    if (store_session_list(act->store, !all, admin_session_row, &filter) == STORE_FAILED)
        return listing_drop(&filter.listing, act_store_failed(act));
    return listing_finish(&filter.listing);
}

static int admin_session_end_one(struct act *act, const char *typed)
{
    struct store_session session;
    int64_t id = 0;
    int code = act_number(act, "session", typed, &id);

    if (code != EX_OK)
        return code;
    enum store_result result = store_session_by_id(act->store, id, &session);
    if (result == STORE_NONE)
        return act_error(act, EX_NOINPUT,
                         "there is no session %s; 'deskgate session list' shows all", typed);
    if (result == STORE_OK)
        result = store_session_end(act->store, id, act->now, ADMIN_SESSION_END);
    if (result == STORE_REFUSED || result == STORE_NONE)
        return act_error(act, EX_DATAERR, "session %s is already over", typed);
    if (result != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "session-end", session.user_name, NULL, "session %s", typed);
}

static int admin_session_end_these(struct act *act, void *owner)
{
    const struct sub_args *args = owner;
    int code = EX_OK;

    for (size_t i = 0; i < args->count && code == EX_OK; i++)
        code = admin_session_end_one(act, args->words[i]);
    return code;
}

static int admin_session_count(void *owner, const struct store_session *session)
{
    struct admin_session_filter *filter = owner;

    filter->found += strcasecmp(filter->user, session->user_name) == 0;
    return 0;
}

static int admin_session_end_user(struct act *act, void *owner)
{
    struct admin_session_filter *filter = owner;
    struct store_user user;
    int code = act_user(act, filter->user, &user);

    if (code != EX_OK)
        return code;
    if (store_session_list(act->store, true, admin_session_count, filter) == STORE_FAILED)
        return act_store_failed(act);
    if (filter->found == 0)
        return EX_OK;
    if (store_session_end_user(act->store, user.id, act->now, ADMIN_SESSION_END) == STORE_FAILED)
        return act_store_failed(act);
    return act_audit(act, "session-end", user.name, NULL, "all sessions (%zu)", filter->found);
}

static int admin_session_end(struct act *act, const struct sub_args *args)
{
    struct admin_session_filter filter = {.user = sub_value(args, "user")};
    struct sub_args these = *args;

    if ((filter.user != NULL) == (args->count > 0))
        return act_error(act, EX_USAGE,
                         "which? Give the sessions' numbers, or --user PERSON for all of "
                         "a person's");
    int code = filter.user ? act_change(act, admin_session_end_user, &filter)
                           : act_change(act, admin_session_end_these, &these);
    if (code != EX_OK)
        return code;
    size_t ended = filter.user ? filter.found : args->count;
    fprintf(act->out,
            "%zu session%s ended; a running gateway closes the tunnels within a second.\n", ended,
            ended == 1 ? "" : "s");
    return EX_OK;
}

static const struct sub_option admin_session_list_options[] = {
    {"all", NULL, "also those that are over (until they are forgotten)"},
    {"user", "PERSON", "only this person's"},
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub_option admin_session_end_options[] = {
    {"user", "PERSON", "all of this person's"},
    {0},
};

static const struct sub admin_session_subs[] = {
    {"list", "[--all] [--user PERSON] [--json]", "Shows who is signed in.",
     "  deskgate session list", admin_session_list_options, 0, 0, admin_session_list},
    {"end", "(NUMBER… | --user PERSON)", "Ends sessions, and with them their live tunnels.",
     "  deskgate session end 12\n"
     "  deskgate session end --user alice",
     admin_session_end_options, 0, SIZE_MAX, admin_session_end},
    {0},
};

const struct sub_verb admin_session = {"session", "Who is signed in.", admin_session_subs};

int session_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run(&admin_session, cli, argc, argv);
}

/* deskgate tunnel: the connections to desktops. Ending one, or words for the person in front of it,
 * are requests in the store; the running keeper sees them. */
#include "act.h"
#include "admin.h"
#include "admin_tell.h"
#include "listing.h"
#include "sub.h"

#include <stdlib.h>
#include <strings.h>
#include <sysexits.h>

static const struct listing_column admin_tunnel_columns[] = {
    {"id", ">ID", LISTING_NUMBER},        {"user", "USER", LISTING_TEXT},
    {"desktop", "DESKTOP", LISTING_TEXT}, {"way", "WAY", LISTING_TEXT},
    {"address", "ADDRESS", LISTING_TEXT}, {"opened_at", "OPENED", LISTING_TIME},
    {"up", ">UP", LISTING_BYTES},         {"down", ">DOWN", LISTING_BYTES},
    {"ended_at", "ENDED", LISTING_TIME},  {"end", "WHY", LISTING_TEXT},
    {"session", NULL, LISTING_NUMBER},    {"conn", NULL, LISTING_TEXT},
    {NULL, NULL, LISTING_TEXT},
};

struct admin_tunnel_filter {
    const char *user; /* NULL: all */
    struct listing listing;
};

static int admin_tunnel_row(void *owner, const struct store_tunnel *tunnel)
{
    struct admin_tunnel_filter *filter = owner;
    char address[ADDR_TEXT_SIZE];

    if (filter->user && strcasecmp(filter->user, tunnel->user_name) != 0)
        return 0;
    addr_text(&tunnel->address, address);
    listing_row(&filter->listing, (struct listing_value[]){{.number = tunnel->id},
                                                           {.text = tunnel->user_name},
                                                           {.text = tunnel->desktop_name},
                                                           {.text = tunnel->way},
                                                           {.text = address},
                                                           {.number = tunnel->opened_at},
                                                           {.number = (int64_t)tunnel->up},
                                                           {.number = (int64_t)tunnel->down},
                                                           {.number = tunnel->ended_at},
                                                           {.text = tunnel->end},
                                                           {.number = tunnel->session},
                                                           {.text = tunnel->conn}});
    return 0;
}

static int admin_tunnel_list(struct act *act, const struct sub_args *args)
{
    struct admin_tunnel_filter filter = {.user = sub_value(args, "user")};
    bool all = sub_value(args, "all") != NULL;
    struct store_user user;
    int code = filter.user ? act_user(act, filter.user, &user) : EX_OK;

    if (code != EX_OK)
        return code;
    listing_init(&filter.listing, act, admin_tunnel_columns, sub_value(args, "json") != NULL,
                 all ? "There is no such tunnel." : "No tunnel is open.");
    if (store_tunnel_list(act->store, !all, admin_tunnel_row, &filter) == STORE_FAILED)
        return listing_drop(&filter.listing, act_store_failed(act));
    return listing_finish(&filter.listing);
}

/* The tunnels to end: found while listing, changed afterwards. */
struct admin_tunnel_found {
    int64_t id;
    char user[TEXT_NAME_SIZE], desktop[TEXT_NAME_SIZE];
};

struct admin_tunnel_end {
    const struct sub_args *args;
    const char *user;
    struct admin_tunnel_found *found;
    size_t count;
    bool failed; /* memory ran out */
};

static bool admin_tunnel_wanted(const struct admin_tunnel_end *end,
                                const struct store_tunnel *tunnel)
{
    if (end->user)
        return strcasecmp(end->user, tunnel->user_name) == 0;
    for (size_t i = 0; i < end->args->count; i++) {
        uint64_t id = 0;
        if (text_number(end->args->words[i], INT64_MAX, &id) && (int64_t)id == tunnel->id)
            return true;
    }
    return false;
}

static int admin_tunnel_note(void *owner, const struct store_tunnel *tunnel)
{
    struct admin_tunnel_end *end = owner;

    if (!admin_tunnel_wanted(end, tunnel))
        return 0;
    struct admin_tunnel_found *found =
        reallocarray(end->found, end->count + 1, sizeof(*end->found));
    if (found == NULL) {
        end->failed = true;
        return 1;
    }
    end->found = found;
    found[end->count].id = tunnel->id;
    text_copy(found[end->count].user, TEXT_NAME_SIZE, tunnel->user_name);
    text_copy(found[end->count].desktop, TEXT_NAME_SIZE, tunnel->desktop_name);
    end->count++;
    return 0;
}

/* Every number that was typed must be a live tunnel's. */
static int admin_tunnel_all_live(struct act *act, const struct admin_tunnel_end *end)
{
    for (size_t i = 0; i < end->args->count; i++) {
        int64_t id = 0;
        int code = act_number(act, "tunnel", end->args->words[i], &id);
        size_t at = 0;
        if (code != EX_OK)
            return code;
        while (at < end->count && end->found[at].id != id)
            at++;
        if (at == end->count)
            return act_error(act, EX_NOINPUT,
                             "there is no live tunnel %s; 'deskgate tunnel list' shows all",
                             end->args->words[i]);
    }
    return EX_OK;
}

static int admin_tunnel_request(struct act *act, void *owner)
{
    struct admin_tunnel_end *end = owner;
    struct store_user user;
    int code = end->user ? act_user(act, end->user, &user) : EX_OK;

    if (code != EX_OK)
        return code;
    if (store_tunnel_list(act->store, true, admin_tunnel_note, end) == STORE_FAILED)
        return act_store_failed(act);
    if (end->failed)
        return act_error(act, EX_OSERR, "out of memory");
    code = admin_tunnel_all_live(act, end);
    for (size_t i = 0; i < end->count && code == EX_OK; i++) {
        const struct admin_tunnel_found *found = &end->found[i];
        if (store_tunnel_request_end(act->store, found->id) == STORE_FAILED)
            return act_store_failed(act);
        code = act_audit(act, "tunnel-end", found->user, found->desktop, "tunnel %lld",
                         (long long)found->id);
    }
    return code;
}

static int admin_tunnel_end(struct act *act, const struct sub_args *args)
{
    struct admin_tunnel_end end = {.args = args, .user = sub_value(args, "user")};

    if ((end.user != NULL) == (args->count > 0))
        return act_error(act, EX_USAGE,
                         "which? Give the tunnels' numbers, or --user PERSON for all of "
                         "a person's");
    int code = act_change(act, admin_tunnel_request, &end);
    if (code == EX_OK)
        fprintf(act->out, "%zu tunnel%s to end; a running gateway closes within a second.\n",
                end.count, end.count == 1 ? "" : "s");
    free(end.found);
    return code;
}

static const struct sub_option admin_tunnel_list_options[] = {
    {"all", NULL, "also those that are over"},
    {"user", "PERSON", "only this person's"},
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub_option admin_tunnel_end_options[] = {
    {"user", "PERSON", "all of this person's"},
    {0},
};

static const struct sub admin_tunnel_subs[] = {
    {"list", "[--all] [--user PERSON] [--json]", "Shows the open tunnels.",
     "  deskgate tunnel list", admin_tunnel_list_options, 0, 0, admin_tunnel_list},
    {"end", "(NUMBER… | --user PERSON)", "Ends tunnels; the sessions stay signed in.",
     "  deskgate tunnel end 40 41", admin_tunnel_end_options, 0, SIZE_MAX, admin_tunnel_end},
    {"tell", "(NUMBER | --all) WORDS", "Shows words to the people in front of tunnels.",
     "  deskgate tunnel tell --all 'The gateway restarts at 18:00'", admin_tell_options, 1, 2,
     admin_tell_run},
    {0},
};

const struct sub_verb admin_tunnel = {"tunnel", "The connections to desktops.", admin_tunnel_subs};

int tunnel_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run(&admin_tunnel, cli, argc, argv);
}

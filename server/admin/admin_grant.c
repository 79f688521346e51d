/* deskgate grant: who may reach which desktop. */
#include "act.h"
#include "admin.h"
#include "admin_limit.h"
#include "listing.h"
#include "sub.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

struct admin_grant_change {
    bool group;
    const char *who, *desktop; /* as typed */
    int64_t who_id;
    struct store_grant grant;
    struct store_desktop row;
};

static const struct listing_column admin_grant_columns[] = {
    {"kind", "KIND", LISTING_TEXT},
    {"who", "WHO", LISTING_TEXT},
    {"desktop", "DESKTOP", LISTING_TEXT},
    {NULL, NULL, LISTING_TEXT},
};

struct admin_grant_values {
    struct listing_value all[3];
};

static struct admin_grant_values admin_grant_values(const struct store_grant *grant)
{
    return (struct admin_grant_values){{{.text = grant->group ? "group" : "user"},
                                        {.text = grant->who},
                                        {.text = grant->desktop}}};
}

/* "alice desk", "--user alice desk" or "--group sales desk". */
static int admin_grant_typed(struct act *act, const struct sub_args *args,
                             struct admin_grant_change *change)
{
    const char *user = sub_value(args, "user"), *group = sub_value(args, "group");
    size_t words = user || group ? 1 : 2;

    if (user && group)
        return act_error(act, EX_USAGE, "give either --user or --group, not both");
    if (args->count != words)
        return act_error(act, EX_USAGE,
                         "say who and which desktop: 'PERSON DESKTOP' or "
                         "'--group GROUP DESKTOP'");
    change->group = group != NULL;
    change->who = group ? group : user ? user : args->words[0];
    change->desktop = args->words[words - 1];
    return EX_OK;
}

static int admin_grant_find(struct act *act, struct admin_grant_change *change)
{
    struct store_group group = {0};
    struct store_user user = {0};
    int code =
        change->group ? act_group(act, change->who, &group) : act_user(act, change->who, &user);

    if (code == EX_OK)
        code = act_desktop(act, change->desktop, &change->row);
    if (code != EX_OK)
        return code;
    change->who_id = change->group ? group.id : user.id;
    change->grant.group = change->group;
    text_copy(change->grant.who, sizeof(change->grant.who), change->group ? group.name : user.name);
    text_copy(change->grant.desktop, sizeof(change->grant.desktop), change->row.name);
    explicit_bzero(&user, sizeof(user));
    return EX_OK;
}

/* A group is no person: its name stands in the detail. */
static int admin_grant_audit(struct act *act, const char *event, const struct store_grant *grant)
{
    return act_audit(act, event, grant->group ? "" : grant->who, grant->desktop, "%s%s",
                     grant->group ? "group " : "", grant->group ? grant->who : "");
}

static int admin_grant_insert(struct act *act, void *owner)
{
    struct admin_grant_change *change = owner;
    int code = admin_grant_find(act, change);

    if (code != EX_OK)
        return code;
    enum store_result result =
        store_grant_add(act->store, change->group, change->who_id, change->row.id);
    if (result == STORE_EXISTS)
        return act_error(act, EX_DATAERR, "%s %s may already reach %s",
                         change->group ? "group" : "user", change->grant.who,
                         change->grant.desktop);
    if (result != STORE_OK)
        return act_store_failed(act);
    return admin_grant_audit(act, "grant-add", &change->grant);
}

static int admin_grant_add(struct act *act, const struct sub_args *args)
{
    struct admin_grant_change change = {0};
    int code = admin_grant_typed(act, args, &change);

    if (code == EX_OK)
        code = act_change(act, admin_grant_insert, &change);
    if (code != EX_OK)
        return code;
    struct admin_grant_values values = admin_grant_values(&change.grant);
    if (sub_value(args, "json"))
        return listing_json(act->out, listing_object(admin_grant_columns, values.all));
    fprintf(act->out, "%s%s may now reach %s.\n", change.group ? "Group " : "", change.grant.who,
            change.grant.desktop);
    return EX_OK;
}

static int admin_grant_delete(struct act *act, void *owner)
{
    struct admin_grant_change *change = owner;
    int code = admin_grant_find(act, change);

    if (code != EX_OK)
        return code;
    enum store_result result =
        store_grant_remove(act->store, change->group, change->who_id, change->row.id);
    if (result == STORE_NONE)
        return act_error(act, EX_NOINPUT,
                         "%s %s has no grant of its own for %s; 'deskgate grant list' "
                         "shows all",
                         change->group ? "group" : "user", change->grant.who,
                         change->grant.desktop);
    if (result != STORE_OK)
        return act_store_failed(act);
    return admin_grant_audit(act, "grant-remove", &change->grant);
}

static int admin_grant_remove(struct act *act, const struct sub_args *args)
{
    struct admin_grant_change change = {0};
    int code = admin_grant_typed(act, args, &change);

    if (code == EX_OK)
        code = act_change(act, admin_grant_delete, &change);
    if (code == EX_OK)
        fprintf(
            act->out,
            "%s%s may no longer reach %s by this grant; tunnels that only it allowed end now.\n",
            change.group ? "Group " : "", change.grant.who, change.grant.desktop);
    return code;
}

struct admin_grant_filter {
    const char *user, *group, *desktop;
    struct listing listing;
};

static int admin_grant_row(void *owner, const struct store_grant *grant)
{
    struct admin_grant_filter *filter = owner;
    struct admin_grant_values values = admin_grant_values(grant);
    const char *who = grant->group ? filter->group : filter->user;

    if ((filter->user || filter->group) && (who == NULL || strcasecmp(who, grant->who) != 0))
        return 0;
    if (filter->desktop && strcasecmp(filter->desktop, grant->desktop) != 0)
        return 0;
    listing_row(&filter->listing, values.all);
    return 0;
}

/* A filter that names nobody is a mistake, not an empty list. */
static int admin_grant_known(struct act *act, const struct admin_grant_filter *filter)
{
    struct store_user user;
    struct store_group group;
    struct store_desktop desktop;
    int code = EX_OK;

    if (filter->user)
        code = act_user(act, filter->user, &user);
    if (code == EX_OK && filter->group)
        code = act_group(act, filter->group, &group);
    if (code == EX_OK && filter->desktop)
        code = act_desktop(act, filter->desktop, &desktop);
    return code;
}

static int admin_grant_list(struct act *act, const struct sub_args *args)
{
    struct admin_grant_filter filter = {.user = sub_value(args, "user"),
                                        .group = sub_value(args, "group"),
                                        .desktop = sub_value(args, "desktop")};
    int code = admin_grant_known(act, &filter);

    if (code != EX_OK)
        return code;
    listing_init(&filter.listing, act, admin_grant_columns, sub_value(args, "json") != NULL,
                 "There is no such grant; 'deskgate grant add PERSON DESKTOP' adds one.");
    if (store_grant_list(act->store, admin_grant_row, &filter) == STORE_FAILED)
        return listing_drop(&filter.listing, act_store_failed(act));
    return listing_finish(&filter.listing);
}

static const struct sub_option admin_grant_options[] = {
    {"user", "PERSON", "who, instead of the first word"},
    {"group", "GROUP", "a group instead of a person"},
    {"json", NULL, "print the grant as a JSON object"},
    {0},
};

static const struct sub_option admin_grant_remove_options[] = {
    {"user", "PERSON", "who, instead of the first word"},
    {"group", "GROUP", "a group instead of a person"},
    {0},
};

static const struct sub_option admin_grant_list_options[] = {
    {"user", "PERSON", "only this person's own grants"},
    {"group", "GROUP", "only this group's grants"},
    {"desktop", "DESKTOP", "only grants for this desktop"},
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub admin_grant_subs[] = {
    {"add", "(PERSON | --user PERSON | --group GROUP) DESKTOP [--json]",
     "Lets a person or a group reach a desktop.",
     "  deskgate grant add alice accounts-7\n"
     "  deskgate grant add --group accounting accounts-7",
     admin_grant_options, 1, 2, admin_grant_add},
    {"remove", "(PERSON | --user PERSON | --group GROUP) DESKTOP",
     "Takes a grant back and ends the tunnels that only it allowed.",
     "  deskgate grant remove alice accounts-7", admin_grant_remove_options, 1, 2,
     admin_grant_remove},
    {"limit",
     "(PERSON | --group GROUP) DESKTOP [--from WHEN] [--until WHEN] [--hours HOURS] [--json]",
     "Shows or sets when a grant holds; what no longer fits ends at once.",
     "  deskgate grant limit alice accounts-7 --hours 'mon-fri 08:00-18:00'",
     admin_limit_grant_options, 1, 2, admin_limit_grant},
    {"list", "[--user PERSON] [--group GROUP] [--desktop DESKTOP] [--json]",
     "Shows who may reach what.", "  deskgate grant list --desktop accounts-7",
     admin_grant_list_options, 0, 0, admin_grant_list},
    {0},
};

int grant_verb(struct cli *cli, int argc, char **argv)
{
    static const struct sub_verb verb = {"grant", "Who may reach which desktop.", admin_grant_subs};

    return sub_run(&verb, cli, argc, argv);
}

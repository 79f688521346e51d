/* deskgate group: people taken together, so that one grant serves them all. */
#include "act.h"
#include "admin.h"
#include "listing.h"
#include "sub.h"

#include <sysexits.h>

struct admin_group_change {
    const struct sub_args *args; /* GROUP [PERSON] */
    struct store_group group;
    struct store_user user;
};

static const struct listing_column admin_group_columns[] = {
    {"name", "NAME", LISTING_TEXT},
    {"members", ">MEMBERS", LISTING_NUMBER},
    {NULL, NULL, LISTING_TEXT},
};

static int admin_group_insert(struct act *act, void *owner)
{
    struct admin_group_change *change = owner;
    const char *name = change->args->words[0];
    int64_t id = 0;
    enum store_result result = store_group_add(act->store, name, &id);

    if (result == STORE_EXISTS)
        return act_error(act, EX_DATAERR, "there is already a group '%s'", name);
    if (result != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "group-add", "", NULL, "group %s", name);
}

static int admin_group_add(struct act *act, const struct sub_args *args)
{
    struct admin_group_change change = {.args = args};
    int code = act_new_name(act, "group", args->words[0]);

    if (code == EX_OK)
        code = act_change(act, admin_group_insert, &change);
    if (code != EX_OK)
        return code;
    if (sub_value(args, "json"))
        return listing_json(act->out, listing_object(admin_group_columns,
                                                     (struct listing_value[]){
                                                         {.text = args->words[0]}, {.number = 0}}));
    fprintf(act->out, "Group %s added; 'deskgate group join %s PERSON' fills it.\n", args->words[0],
            args->words[0]);
    return EX_OK;
}

static int admin_group_row(void *owner, const struct store_group *group)
{
    listing_row(owner, (struct listing_value[]){{.text = group->name}, {.number = group->members}});
    return 0;
}

static int admin_group_list(struct act *act, const struct sub_args *args)
{
    struct listing listing;

    listing_init(&listing, act, admin_group_columns, sub_value(args, "json") != NULL,
                 "There is no group yet; 'deskgate group add NAME' adds one.");
    if (store_group_list(act->store, admin_group_row, &listing) == STORE_FAILED)
        return listing_drop(&listing, act_store_failed(act));
    return listing_finish(&listing);
}

static int admin_group_delete(struct act *act, void *owner)
{
    struct admin_group_change *change = owner;
    int code = act_group(act, change->args->words[0], &change->group);

    if (code != EX_OK)
        return code;
    if (store_group_remove(act->store, change->group.id) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "group-remove", "", NULL, "group %s", change->group.name);
}

static int admin_group_remove(struct act *act, const struct sub_args *args)
{
    struct admin_group_change change = {.args = args};
    int code = act_change(act, admin_group_delete, &change);

    if (code == EX_OK)
        fprintf(act->out,
                "Group %s removed with its grants; tunnels that only it allowed end now.\n",
                change.group.name);
    return code;
}

static int admin_group_both(struct act *act, struct admin_group_change *change)
{
    int code = act_group(act, change->args->words[0], &change->group);

    return code == EX_OK ? act_user(act, change->args->words[1], &change->user) : code;
}

static int admin_group_enter(struct act *act, void *owner)
{
    struct admin_group_change *change = owner;
    int code = admin_group_both(act, change);

    if (code != EX_OK)
        return code;
    enum store_result result = store_group_join(act->store, change->group.id, change->user.id);
    if (result == STORE_EXISTS)
        return act_error(act, EX_DATAERR, "%s is already in group %s", change->user.name,
                         change->group.name);
    if (result != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "group-join", change->user.name, NULL, "group %s", change->group.name);
}

static int admin_group_join(struct act *act, const struct sub_args *args)
{
    struct admin_group_change change = {.args = args};
    int code = act_change(act, admin_group_enter, &change);

    if (code == EX_OK)
        fprintf(act->out, "%s is now in group %s.\n", change.user.name, change.group.name);
    return code;
}

static int admin_group_quit(struct act *act, void *owner)
{
    struct admin_group_change *change = owner;
    int code = admin_group_both(act, change);

    if (code != EX_OK)
        return code;
    enum store_result result = store_group_leave(act->store, change->group.id, change->user.id);
    if (result == STORE_NONE)
        return act_error(act, EX_NOINPUT, "%s is not in group %s", change->user.name,
                         change->group.name);
    if (result != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "group-leave", change->user.name, NULL, "group %s", change->group.name);
}

static int admin_group_leave(struct act *act, const struct sub_args *args)
{
    struct admin_group_change change = {.args = args};
    int code = act_change(act, admin_group_quit, &change);

    if (code == EX_OK)
        fprintf(act->out, "%s is no longer in group %s; tunnels that only it allowed end now.\n",
                change.user.name, change.group.name);
    return code;
}

static int admin_group_member(void *owner, const struct store_user *user)
{
    listing_row(owner, (struct listing_value[]){{.text = user->name}, {.number = user->disabled}});
    return 0;
}

static int admin_group_members(struct act *act, const struct sub_args *args)
{
    static const struct listing_column columns[] = {
        {"name", "NAME", LISTING_TEXT},
        {"disabled", "DISABLED", LISTING_YES},
        {NULL, NULL, LISTING_TEXT},
    };
    struct store_group group;
    struct listing listing;
    int code = act_group(act, args->words[0], &group);

    if (code != EX_OK)
        return code;
    listing_init(&listing, act, columns, sub_value(args, "json") != NULL,
                 "The group is empty; 'deskgate group join GROUP PERSON' fills it.");
    if (store_group_members(act->store, group.id, admin_group_member, &listing) == STORE_FAILED)
        return listing_drop(&listing, act_store_failed(act));
    return listing_finish(&listing);
}

static const struct sub_option admin_group_add_options[] = {
    {"json", NULL, "print the group as a JSON object"},
    {0},
};

static const struct sub_option admin_group_list_options[] = {
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub admin_group_subs[] = {
    {"add", "GROUP [--json]", "Adds an empty group.", "  deskgate group add accounting",
     admin_group_add_options, 1, 1, admin_group_add},
    {"list", "[--json]", "Shows all groups.", "  deskgate group list", admin_group_list_options, 0,
     0, admin_group_list},
    {"remove", "GROUP", "Removes a group with its grants.", "  deskgate group remove accounting",
     NULL, 1, 1, admin_group_remove},
    {"join", "GROUP PERSON", "Puts a person into a group.",
     "  deskgate group join accounting alice", NULL, 2, 2, admin_group_join},
    {"leave", "GROUP PERSON", "Takes a person out of a group.",
     "  deskgate group leave accounting alice", NULL, 2, 2, admin_group_leave},
    {"members", "GROUP [--json]", "Shows who is in a group.",
     "  deskgate group members accounting --json", admin_group_list_options, 1, 1,
     admin_group_members},
    {0},
};

int group_verb(struct cli *cli, int argc, char **argv)
{
    static const struct sub_verb verb = {"group", "People taken together for grants.",
                                         admin_group_subs};

    return sub_run(&verb, cli, argc, argv);
}

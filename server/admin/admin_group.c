/* deskgate group, deskgate desktop-group: people, or desktops, taken together, so that one grant
 * serves them all. */
#include "act.h"
#include "admin.h"
#include "listing.h"
#include "sub.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct admin_group_kind {
    enum store_group_kind stored;
    const char *verb;   /* also how the audit log's events begin */
    const char *words;  /* for sentences */
    const char *member; /* as the usage line calls one */
};

static const struct admin_group_kind admin_group_people = {STORE_OF_PEOPLE, "group", "group",
                                                           "PERSON"};
static const struct admin_group_kind admin_group_desktops = {STORE_OF_DESKTOPS, "desktop-group",
                                                             "desktop group", "DESKTOP"};

struct admin_group_change {
    const struct sub_args *args; /* GROUP [MEMBER] */
    const struct admin_group_kind *kind;
    struct store_group group;
    int64_t member;
    char name[TEXT_NAME_SIZE]; /* the member's */
};

static const struct listing_column admin_group_columns[] = {
    {"name", "NAME", LISTING_TEXT},
    {"members", ">MEMBERS", LISTING_NUMBER},
    {NULL, NULL, LISTING_TEXT},
};

/* "group-add", and so on. A group is neither person nor desktop: its name stands in the detail. */
static int admin_group_audit(struct act *act, const struct admin_group_change *change,
                             const char *what, const char *group)
{
    bool people = change->kind->stored == STORE_OF_PEOPLE;
    char event[32];

    snprintf(event, sizeof(event), "%s-%s", change->kind->verb, what);
    return act_audit(act, event, people ? change->name : "", people ? NULL : change->name, "%s %s",
                     change->kind->words, group);
}

static int admin_group_insert(struct act *act, void *owner)
{
    struct admin_group_change *change = owner;
    const char *name = change->args->words[0];
    int64_t id = 0;
    enum store_result result = store_group_add(act->store, change->kind->stored, name, &id);

    if (result == STORE_EXISTS)
        return act_error(act, EX_DATAERR, "there is already a %s '%s'", change->kind->words, name);
    if (result != STORE_OK)
        return act_store_failed(act);
    return admin_group_audit(act, change, "add", name);
}

static int admin_group_add(struct act *act, const struct sub_args *args,
                           const struct admin_group_kind *kind)
{
    struct admin_group_change change = {.args = args, .kind = kind};
    int code = act_new_name(act, kind->words, args->words[0]);

    if (code == EX_OK)
        code = act_change(act, admin_group_insert, &change);
    if (code != EX_OK)
        return code;
    if (sub_value(args, "json")) {
        const struct listing_value values[] = {{.text = args->words[0]}, {.number = 0}};
        return listing_json(act->out, listing_object(admin_group_columns, values));
    }
    fprintf(act->out, "%s %s added; 'deskgate %s join %s %s' fills it.\n",
            kind->stored == STORE_OF_PEOPLE ? "Group" : "Desktop group", args->words[0], kind->verb,
            args->words[0], kind->member);
    return EX_OK;
}

static int admin_group_row(void *owner, const struct store_group *group)
{
    listing_row(owner, (struct listing_value[]){{.text = group->name}, {.number = group->members}});
    return 0;
}

static int admin_group_list(struct act *act, const struct sub_args *args,
                            const struct admin_group_kind *kind)
{
    struct listing listing;

    listing_init(
        &listing, act, admin_group_columns, sub_value(args, "json") != NULL,
        kind->stored == STORE_OF_PEOPLE
            ? "There is no group yet; 'deskgate group add NAME' adds one."
            : "There is no desktop group yet; 'deskgate desktop-group add NAME' adds one.");
    if (store_group_list(act->store, kind->stored, admin_group_row, &listing) == STORE_FAILED)
        return listing_drop(&listing, act_store_failed(act));
    return listing_finish(&listing);
}

static int admin_group_delete(struct act *act, void *owner)
{
    struct admin_group_change *change = owner;
    int code = act_group(act, change->kind->stored, change->args->words[0], &change->group);

    if (code != EX_OK)
        return code;
    if (store_group_remove(act->store, change->kind->stored, change->group.id) != STORE_OK)
        return act_store_failed(act);
    return admin_group_audit(act, change, "remove", change->group.name);
}

static int admin_group_remove(struct act *act, const struct sub_args *args,
                              const struct admin_group_kind *kind)
{
    struct admin_group_change change = {.args = args, .kind = kind};
    int code = act_change(act, admin_group_delete, &change);

    if (code == EX_OK)
        fprintf(act->out, "%s %s removed with its grants; tunnels that only it allowed end now.\n",
                kind->stored == STORE_OF_PEOPLE ? "Group" : "Desktop group", change.group.name);
    return code;
}

static int admin_group_both(struct act *act, struct admin_group_change *change)
{
    const char *typed = change->args->words[1];
    struct store_user user = {0};
    struct store_desktop desktop = {0};
    bool people = change->kind->stored == STORE_OF_PEOPLE;
    int code = act_group(act, change->kind->stored, change->args->words[0], &change->group);

    if (code == EX_OK)
        code = people ? act_user(act, typed, &user) : act_desktop(act, typed, &desktop);
    change->member = people ? user.id : desktop.id;
    text_copy(change->name, sizeof(change->name), people ? user.name : desktop.name);
    explicit_bzero(&user, sizeof(user));
    return code;
}

static int admin_group_enter(struct act *act, void *owner)
{
    struct admin_group_change *change = owner;
    int code = admin_group_both(act, change);

    if (code != EX_OK)
        return code;
    enum store_result result =
        store_group_join(act->store, change->kind->stored, change->group.id, change->member);
    if (result == STORE_EXISTS)
        return act_error(act, EX_DATAERR, "%s is already in %s %s", change->name,
                         change->kind->words, change->group.name);
    if (result != STORE_OK)
        return act_store_failed(act);
    return admin_group_audit(act, change, "join", change->group.name);
}

static int admin_group_join(struct act *act, const struct sub_args *args,
                            const struct admin_group_kind *kind)
{
    struct admin_group_change change = {.args = args, .kind = kind};
    int code = act_change(act, admin_group_enter, &change);

    if (code == EX_OK)
        fprintf(act->out, "%s is now in %s %s.\n", change.name, kind->words, change.group.name);
    return code;
}

static int admin_group_quit(struct act *act, void *owner)
{
    struct admin_group_change *change = owner;
    int code = admin_group_both(act, change);

    if (code != EX_OK)
        return code;
    enum store_result result =
        store_group_leave(act->store, change->kind->stored, change->group.id, change->member);
    if (result == STORE_NONE)
        return act_error(act, EX_NOINPUT, "%s is not in %s %s", change->name, change->kind->words,
                         change->group.name);
    if (result != STORE_OK)
        return act_store_failed(act);
    return admin_group_audit(act, change, "leave", change->group.name);
}

static int admin_group_leave(struct act *act, const struct sub_args *args,
                             const struct admin_group_kind *kind)
{
    struct admin_group_change change = {.args = args, .kind = kind};
    int code = act_change(act, admin_group_quit, &change);

    if (code == EX_OK)
        fprintf(act->out, "%s is no longer in %s %s; tunnels that only it allowed end now.\n",
                change.name, kind->words, change.group.name);
    return code;
}

static int admin_group_member(void *owner, const struct store_member *member)
{
    listing_row(owner,
                (struct listing_value[]){{.text = member->name}, {.number = member->disabled}});
    return 0;
}

static int admin_group_members(struct act *act, const struct sub_args *args,
                               const struct admin_group_kind *kind)
{
    static const struct listing_column people[] = {
        {"name", "NAME", LISTING_TEXT},
        {"disabled", "DISABLED", LISTING_YES},
        {NULL, NULL, LISTING_TEXT},
    };
    static const struct listing_column desktops[] = {
        {"name", "NAME", LISTING_TEXT},
        {NULL, NULL, LISTING_TEXT},
    };
    struct store_group group;
    struct listing listing;
    int code = act_group(act, kind->stored, args->words[0], &group);

    if (code != EX_OK)
        return code;
    listing_init(&listing, act, kind->stored == STORE_OF_PEOPLE ? people : desktops,
                 sub_value(args, "json") != NULL,
                 "The group is empty; its sub-verb 'join' fills it.");
    if (store_group_members(act->store, kind->stored, group.id, admin_group_member, &listing) ==
        STORE_FAILED)
        return listing_drop(&listing, act_store_failed(act));
    return listing_finish(&listing);
}

/* Each sub-verb, of both verbs. */
#define ADMIN_GROUP_BOTH(NAME)                                                                     \
    static int people_##NAME(struct act *act, const struct sub_args *args)                         \
    {                                                                                              \
        return admin_group_##NAME(act, args, &admin_group_people);                                 \
    }                                                                                              \
    static int desktops_##NAME(struct act *act, const struct sub_args *args)                       \
    {                                                                                              \
        return admin_group_##NAME(act, args, &admin_group_desktops);                               \
    }
ADMIN_GROUP_BOTH(add)
ADMIN_GROUP_BOTH(list)
ADMIN_GROUP_BOTH(remove)
ADMIN_GROUP_BOTH(join)
ADMIN_GROUP_BOTH(leave)
ADMIN_GROUP_BOTH(members)

static const struct sub_option admin_group_add_options[] = {
    {"json", NULL, "print the group as a JSON object"},
    {0},
};

static const struct sub_option admin_group_list_options[] = {
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub people_subs[] = {
    {"add", "GROUP [--json]", "Adds an empty group.", "  deskgate group add accounting",
     admin_group_add_options, 1, 1, people_add},
    {"list", "[--json]", "Shows all groups.", "  deskgate group list", admin_group_list_options, 0,
     0, people_list},
    {"remove", "GROUP", "Removes a group with its grants.", "  deskgate group remove accounting",
     NULL, 1, 1, people_remove},
    {"join", "GROUP PERSON", "Puts a person into a group.",
     "  deskgate group join accounting alice", NULL, 2, 2, people_join},
    {"leave", "GROUP PERSON", "Takes a person out of a group.",
     "  deskgate group leave accounting alice", NULL, 2, 2, people_leave},
    {"members", "GROUP [--json]", "Shows who is in a group.",
     "  deskgate group members accounting --json", admin_group_list_options, 1, 1, people_members},
    {0},
};

static const struct sub desktops_subs[] = {
    {"add", "GROUP [--json]", "Adds an empty group of desktops.",
     "  deskgate desktop-group add workstations", admin_group_add_options, 1, 1, desktops_add},
    {"list", "[--json]", "Shows all groups of desktops.", "  deskgate desktop-group list",
     admin_group_list_options, 0, 0, desktops_list},
    {"remove", "GROUP", "Removes a group of desktops with its grants.",
     "  deskgate desktop-group remove workstations", NULL, 1, 1, desktops_remove},
    {"join", "GROUP DESKTOP", "Puts a desktop into a group.",
     "  deskgate desktop-group join workstations accounts-7", NULL, 2, 2, desktops_join},
    {"leave", "GROUP DESKTOP", "Takes a desktop out of a group.",
     "  deskgate desktop-group leave workstations accounts-7", NULL, 2, 2, desktops_leave},
    {"members", "GROUP [--json]", "Shows which desktops are in a group.",
     "  deskgate desktop-group members workstations", admin_group_list_options, 1, 1,
     desktops_members},
    {0},
};

const struct sub_verb admin_group = {"group", "People taken together for grants.", people_subs};

int group_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run(&admin_group, cli, argc, argv);
}

const struct sub_verb admin_desktop_group = {"desktop-group", "Desktops taken together for grants.",
                                             desktops_subs};

int desktop_group_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run(&admin_desktop_group, cli, argc, argv);
}

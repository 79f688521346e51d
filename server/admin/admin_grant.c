/* deskgate grant: who may reach which desktop. */
#include "act.h"
#include "admin.h"
#include "admin_grant_key.h"
#include "admin_limit.h"
#include "listing.h"
#include "sub.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

struct admin_grant_change {
    const struct sub_args *args;
    struct admin_grant_key key;
};

static const struct listing_column admin_grant_columns[] = {
    {"kind", "KIND", LISTING_TEXT},       {"who", "WHO", LISTING_TEXT},
    {"desktop", "DESKTOP", LISTING_TEXT}, {"desktop_group", "A GROUP", LISTING_YES},
    {"from", "FROM", LISTING_TIME},       {"until", "UNTIL", LISTING_TIME},
    {"hours", "HOURS", LISTING_TEXT},     {NULL, NULL, LISTING_TEXT},
};

struct admin_grant_values {
    struct listing_value all[7];
};

static struct admin_grant_values admin_grant_values(const struct store_grant *grant)
{
    return (struct admin_grant_values){{{.text = grant->group ? "group" : "user"},
                                        {.text = grant->who},
                                        {.text = grant->what},
                                        {.number = grant->desktops},
                                        {.number = grant->terms.valid_from},
                                        {.number = grant->terms.valid_until},
                                        {.text = grant->terms.hours}}};
}

static int admin_grant_insert(struct act *act, void *owner)
{
    struct admin_grant_change *change = owner;
    char who[ADMIN_GRANT_KEY_WORDS], what[ADMIN_GRANT_KEY_WORDS];
    int code = admin_grant_key_find(act, change->args, &change->key);

    if (code != EX_OK)
        return code;
    enum store_result result = store_grant_add(act->store, &change->key.key);
    if (result == STORE_EXISTS)
        return act_error(act, EX_DATAERR, "%s may already reach %s",
                         admin_grant_key_who(&change->key, who),
                         admin_grant_key_what(&change->key, what));
    if (result != STORE_OK)
        return act_store_failed(act);
    return admin_grant_key_audit(act, "grant-add", &change->key, "");
}

static int admin_grant_tell(struct act *act, const struct admin_grant_key *key, bool json)
{
    char who[ADMIN_GRANT_KEY_WORDS], what[ADMIN_GRANT_KEY_WORDS];
    struct store_grant grant = {.group = key->key.group, .desktops = key->key.desktops};

    text_copy(grant.who, sizeof(grant.who), key->who);
    text_copy(grant.what, sizeof(grant.what), key->what);
    struct admin_grant_values values = admin_grant_values(&grant);
    if (json)
        return listing_json(act->out, listing_object(admin_grant_columns, values.all));
    admin_grant_key_who(key, who);
    if (key->key.group)
        who[0] = 'G';
    fprintf(act->out, "%s may now reach %s.\n", who, admin_grant_key_what(key, what));
    return EX_OK;
}

static int admin_grant_add(struct act *act, const struct sub_args *args)
{
    struct admin_grant_change change = {.args = args};
    int code = act_change(act, admin_grant_insert, &change);

    return code == EX_OK ? admin_grant_tell(act, &change.key, sub_value(args, "json") != NULL)
                         : code;
}

static int admin_grant_delete(struct act *act, void *owner)
{
    struct admin_grant_change *change = owner;
    char who[ADMIN_GRANT_KEY_WORDS], what[ADMIN_GRANT_KEY_WORDS];
    int code = admin_grant_key_find(act, change->args, &change->key);

    if (code != EX_OK)
        return code;
    enum store_result result = store_grant_remove(act->store, &change->key.key);
    if (result == STORE_NONE)
        return act_error(
            act, EX_NOINPUT, "%s has no grant of its own for %s; 'deskgate grant list' shows all",
            admin_grant_key_who(&change->key, who), admin_grant_key_what(&change->key, what));
    if (result != STORE_OK)
        return act_store_failed(act);
    return admin_grant_key_audit(act, "grant-remove", &change->key, "");
}

static int admin_grant_remove(struct act *act, const struct sub_args *args)
{
    struct admin_grant_change change = {.args = args};
    char who[ADMIN_GRANT_KEY_WORDS], what[ADMIN_GRANT_KEY_WORDS];
    int code = act_change(act, admin_grant_delete, &change);

    if (code != EX_OK)
        return code;
    admin_grant_key_who(&change.key, who);
    if (change.key.key.group)
        who[0] = 'G';
    fprintf(act->out,
            "%s may no longer reach %s by this grant; tunnels that only it allowed end now.\n", who,
            admin_grant_key_what(&change.key, what));
    return EX_OK;
}

struct admin_grant_filter {
    const char *user, *group, *desktop, *desktops;
    struct listing listing;
};

static bool admin_grant_differs(const char *wanted, bool other_kind, const char *name)
{
    return wanted && (other_kind || strcasecmp(wanted, name) != 0);
}

static int admin_grant_row(void *owner, const struct store_grant *grant)
{
    struct admin_grant_filter *filter = owner;
    struct admin_grant_values values = admin_grant_values(grant);

    if (admin_grant_differs(filter->user, grant->group, grant->who) ||
        admin_grant_differs(filter->group, !grant->group, grant->who) ||
        admin_grant_differs(filter->desktop, grant->desktops, grant->what) ||
        admin_grant_differs(filter->desktops, !grant->desktops, grant->what))
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
        code = act_group(act, STORE_OF_PEOPLE, filter->group, &group);
    if (code == EX_OK && filter->desktop)
        code = act_desktop(act, filter->desktop, &desktop);
    if (code == EX_OK && filter->desktops)
        code = act_group(act, STORE_OF_DESKTOPS, filter->desktops, &group);
    return code;
}

static int admin_grant_list(struct act *act, const struct sub_args *args)
{
    struct admin_grant_filter filter = {.user = sub_value(args, "user"),
                                        .group = sub_value(args, "group"),
                                        .desktop = sub_value(args, "desktop"),
                                        .desktops = sub_value(args, "desktop-group")};
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
    {"desktop-group", "GROUP", "a group of desktops instead of a desktop"},
    {"json", NULL, "print the grant as a JSON object"},
    {0},
};

static const struct sub_option admin_grant_remove_options[] = {
    {"user", "PERSON", "who, instead of the first word"},
    {"group", "GROUP", "a group instead of a person"},
    {"desktop-group", "GROUP", "a group of desktops instead of a desktop"},
    {0},
};

static const struct sub_option admin_grant_list_options[] = {
    {"user", "PERSON", "only this person's own grants"},
    {"group", "GROUP", "only this group's grants"},
    {"desktop", "DESKTOP", "only grants for this desktop"},
    {"desktop-group", "GROUP", "only grants for this group of desktops"},
    {"json", NULL, "print a JSON array"},
    {0},
};

#define WHO "(PERSON | --group GROUP) (DESKTOP | --desktop-group GROUP)"

static const struct sub admin_grant_subs[] = {
    {"add", WHO " [--json]", "Lets a person or a group reach a desktop or a group of them.",
     "  deskgate grant add alice accounts-7\n"
     "  deskgate grant add --group accounting --desktop-group accounts",
     admin_grant_options, 0, 2, admin_grant_add},
    {"remove", WHO, "Takes a grant back and ends the tunnels that only it allowed.",
     "  deskgate grant remove alice accounts-7", admin_grant_remove_options, 0, 2,
     admin_grant_remove},
    {"limit", WHO " [--from WHEN] [--until WHEN] [--hours HOURS] [--json]",
     "Shows or sets when a grant holds; what no longer fits ends at once.",
     "  deskgate grant limit alice accounts-7 --hours 'mon-fri 08:00-18:00'",
     admin_limit_grant_options, 0, 2, admin_limit_grant},
    {"list", "[--user PERSON] [--group GROUP] [--desktop DESKTOP] [--desktop-group GROUP] [--json]",
     "Shows who may reach what.", "  deskgate grant list --desktop accounts-7",
     admin_grant_list_options, 0, 0, admin_grant_list},
    {0},
};

const struct sub_verb admin_grant = {"grant", "Who may reach which desktop.", admin_grant_subs};

int grant_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run(&admin_grant, cli, argc, argv);
}

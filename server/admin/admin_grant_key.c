#include "admin_grant_key.h"

#include "act.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int find_who(struct act *act, const char *person, const char *group,
                    struct admin_grant_key *out)
{
    struct store_user user = {0};
    struct store_group found = {0};
    int code =
        group ? act_group(act, STORE_OF_PEOPLE, group, &found) : act_user(act, person, &user);
    out->key.group = group != NULL;
    out->key.who = group ? found.id : user.id;
    text_copy(out->who, sizeof(out->who), group ? found.name : user.name);
    explicit_bzero(&user, sizeof(user));
    return code;
}

static int find_what(struct act *act, const char *desktop, const char *group,
                     struct admin_grant_key *out)
{
    struct store_desktop row = {0};
    struct store_group found = {0};
    int code =
        group ? act_group(act, STORE_OF_DESKTOPS, group, &found) : act_desktop(act, desktop, &row);
    out->key.desktops = group != NULL;
    out->key.what = group ? found.id : row.id;
    text_copy(out->what, sizeof(out->what), group ? found.name : row.name);
    return code;
}

int admin_grant_key_find(struct act *act, const struct sub_args *args, struct admin_grant_key *out)
{
    const char *user = sub_value(args, "user"), *group = sub_value(args, "group");
    const char *desktops = sub_value(args, "desktop-group");
    size_t words = (user || group ? 0U : 1U) + (desktops ? 0U : 1U);
    if (user && group)
        return act_error(act, EX_USAGE, "give either --user or --group, not both");
    if (args->count != words)
        return act_error(act, EX_USAGE,
                         "say who and which desktop: 'PERSON DESKTOP', with --group GROUP "
                         "instead of the person, --desktop-group GROUP instead of the "
                         "desktop");
    int code = find_who(act, user || group ? user : args->words[0], group, out);
    return code == EX_OK ? find_what(act, desktops ? NULL : args->words[words - 1], desktops, out)
                         : code;
}

const char *admin_grant_key_who(const struct admin_grant_key *key, char to[ADMIN_GRANT_KEY_WORDS])
{
    snprintf(to, ADMIN_GRANT_KEY_WORDS, "%s%s", key->key.group ? "group " : "", key->who);
    return to;
}

const char *admin_grant_key_what(const struct admin_grant_key *key, char to[ADMIN_GRANT_KEY_WORDS])
{
    snprintf(to, ADMIN_GRANT_KEY_WORDS, "%s%s", key->key.desktops ? "desktop group " : "",
             key->what);
    return to;
}

int admin_grant_key_audit(struct act *act, const char *event, const struct admin_grant_key *key,
                          const char *detail)
{
    char who[ADMIN_GRANT_KEY_WORDS], what[ADMIN_GRANT_KEY_WORDS];
    bool group = key->key.group, desktops = key->key.desktops;
    return act_audit(act, event, group ? "" : key->who, desktops ? "" : key->what, "%s%s%s%s%s",
                     group ? admin_grant_key_who(key, who) : "", group && desktops ? " " : "",
                     desktops ? admin_grant_key_what(key, what) : "",
                     (group || desktops) && *detail ? " " : "", detail);
}

#include "admin_role.h"

#include "act.h"

#include <string.h>
#include <sysexits.h>

struct role_change {
    const char *name; /* as typed */
    bool administrator;
    struct store_user user;
};

static int change_role(struct act *act, void *owner)
{
    struct role_change *change = owner;
    int code = act_user(act, change->name, &change->user);

    if (code != EX_OK)
        return code;
    if (store_user_set_administrator(act->store, change->user.id, change->administrator) !=
        STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "user-role", change->user.name, NULL, "%s",
                     change->administrator ? "administrator" : "user");
}

int admin_role_run(struct act *act, const struct sub_args *args)
{
    struct role_change change = {.name = args->words[0]};
    const char *role = args->words[1];

    change.administrator = strcmp(role, "administrator") == 0;
    if (!change.administrator && strcmp(role, "user") != 0)
        return act_error(act, EX_DATAERR, "'%s' is no role; there are administrator and user",
                         role);
    int code = act_change(act, change_role, &change);
    if (code == EX_OK)
        fprintf(act->out,
                change.administrator ? "%s may now administer in the browser.\n"
                                     : "%s may no longer administer in the browser.\n",
                change.user.name);
    explicit_bzero(&change, sizeof(change));
    return code;
}

/* deskgate user: the people, their passwords and their second factors. */
#include "account.h"
#include "act.h"
#include "admin.h"
#include "admin_invite.h"
#include "admin_limit.h"
#include "admin_role.h"
#include "admin_user_csv.h"
#include "admin_user_view.h"
#include "enrol.h"
#include "password.h"
#include "password_policy.h"
#include "prompt.h"
#include "sub.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct admin_user_change {
    const char *name; /* as typed */
    struct store_user user;
    struct secret_key key;
    char password[PASSWORD_MOST + 1];
    uint8_t seed[TOTP_SEED_SIZE];
    bool disable;
};

static void admin_user_wipe(struct admin_user_change *change)
{
    explicit_bzero(change, sizeof(*change));
}

static int admin_user_unfit(struct act *act, enum password_fault fault)
{
    char words[PASSWORD_POLICY_WORDS];
    return act_error(act, EX_DATAERR, "%s", password_policy_words(&act->conf, fault, words));
}

/* One of before is no new one. */
static int admin_user_used(struct act *act, const struct admin_user_change *change)
{
    static char before[CONF_HISTORY_MOST + 1][STORE_PASSWORD_SIZE];
    size_t count = 0, most = act->conf.password_history ? act->conf.password_history + 1 : 0;
    if (store_user_passwords(act->store, change->user.id, most, before, &count) == STORE_FAILED)
        return act_store_failed(act);
    bool used = password_policy_used(change->password, before, count);
    return used ? admin_user_unfit(act, PASSWORD_USED) : EX_OK;
}

static int admin_user_password(struct act *act, const struct sub_args *args,
                               struct admin_user_change *change)
{
    const char *why = NULL;
    bool from_stdin = sub_value(args, "password-stdin") != NULL;
    int code =
        prompt_password(change->name, from_stdin, change->password, sizeof(change->password), &why);

    if (code != EX_OK)
        return act_error(act, code, "%s", why);
    enum password_fault fault = password_policy_judge(&act->conf, change->name, change->password);
    if (fault != PASSWORD_FITS)
        return admin_user_unfit(act, fault);
    return change->user.id ? admin_user_used(act, change) : EX_OK;
}

/* ---- add ---- */

static int admin_user_taken(struct act *act, const char *name)
{
    return act_error(act, EX_DATAERR,
                     "there is already a user '%s'; 'deskgate user passwd' and 'user totp' give "
                     "new factors",
                     name);
}

static int admin_user_insert(struct act *act, void *owner)
{
    struct admin_user_change *change = owner;
    enum store_result result = account_add(act->store, &change->key, change->name, change->password,
                                           act->now, &change->user, change->seed);

    if (result == STORE_EXISTS)
        return admin_user_taken(act, change->name);
    if (result != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "user-add", change->user.name, NULL, "%s", "");
}

static int admin_user_add_this(struct act *act, const struct sub_args *args,
                               struct admin_user_change *change)
{
    int code = act_new_name(act, "user", change->name);

    if (code != EX_OK)
        return code;
    /* Told before a person has typed a password twice; the insert judges again. */
    if (store_user_by_name(act->store, change->name, &change->user) == STORE_OK)
        return admin_user_taken(act, change->name);
    code = act_key(act, &change->key, false);
    if (code == EX_OK)
        code = admin_user_password(act, args, change);
    if (code == EX_OK)
        code = act_change(act, admin_user_insert, change);
    return code == EX_OK ? enrol_print(act, change->user.name, change->seed,
                                       sub_value(args, "json") != NULL, "added")
                         : code;
}

static int admin_user_add(struct act *act, const struct sub_args *args)
{
    struct admin_user_change change = {.name = args->words[0]};
    int code = admin_user_add_this(act, args, &change);

    admin_user_wipe(&change);
    return code;
}

/* ---- new factors ---- */

static int admin_user_set_password(struct act *act, void *owner)
{
    struct admin_user_change *change = owner;
    int code = act_user(act, change->name, &change->user);

    if (code != EX_OK)
        return code;
    if (account_set_password(act->store, &change->user, change->password, act->now) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "user-passwd", change->user.name, NULL, "sessions ended");
}

static int admin_user_passwd(struct act *act, const struct sub_args *args)
{
    struct admin_user_change change = {.name = args->words[0]};
    int code = act_user(act, change.name, &change.user);

    if (code == EX_OK && secret_init() != 0)
        code = act_error(act, EX_SOFTWARE, "libsodium cannot be used");
    if (code == EX_OK)
        code = admin_user_password(act, args, &change);
    if (code == EX_OK)
        code = act_change(act, admin_user_set_password, &change);
    if (code == EX_OK)
        fprintf(
            act->out,
            "%s has a new password, and must choose another one at the next sign-in; open sessions "
            "and tunnels end now.\n",
            change.user.name);
    admin_user_wipe(&change);
    return code;
}

static int admin_user_due(struct act *act, void *owner)
{
    struct admin_user_change *change = owner;
    int code = act_user(act, change->name, &change->user);

    if (code != EX_OK)
        return code;
    if (account_must_change(act->store, &change->user, act->now) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "user-must-change", change->user.name, NULL, "sessions ended");
}

static int admin_user_must_change(struct act *act, const struct sub_args *args)
{
    struct admin_user_change change = {.name = args->words[0]};
    int code = act_change(act, admin_user_due, &change);

    if (code == EX_OK)
        fprintf(act->out,
                "%s must choose a new password at the next sign-in; open sessions and tunnels end "
                "now.\n",
                change.user.name);
    admin_user_wipe(&change);
    return code;
}

static int admin_user_new_seed(struct act *act, void *owner)
{
    struct admin_user_change *change = owner;
    int code = act_user(act, change->name, &change->user);

    if (code != EX_OK)
        return code;
    if (account_new_seed(act->store, &change->key, &change->user, act->now, change->seed) !=
        STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "user-totp", change->user.name, NULL, "sessions ended");
}

static int admin_user_totp(struct act *act, const struct sub_args *args)
{
    struct admin_user_change change = {.name = args->words[0]};
    int code = act_key(act, &change.key, sub_value(args, "key-lost") != NULL);

    if (code == EX_OK)
        code = act_change(act, admin_user_new_seed, &change);
    if (code == EX_OK)
        code = enrol_print(act, change.user.name, change.seed, sub_value(args, "json") != NULL,
                           "has a new second factor");
    admin_user_wipe(&change);
    return code;
}

/* ---- disable, enable, remove ---- */

static int admin_user_set_disabled(struct act *act, void *owner)
{
    struct admin_user_change *change = owner;
    int code = act_user(act, change->name, &change->user);

    if (code != EX_OK)
        return code;
    if (account_set_disabled(act->store, &change->user, change->disable, act->now) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, change->disable ? "user-disable" : "user-enable", change->user.name, NULL,
                     "%s", change->disable ? "sessions ended" : "");
}

static int admin_user_switch(struct act *act, const struct sub_args *args, bool disable)
{
    struct admin_user_change change = {.name = args->words[0], .disable = disable};
    int code = act_change(act, admin_user_set_disabled, &change);

    if (code == EX_OK && disable)
        fprintf(act->out, "%s is disabled; open sessions and tunnels end now.\n", change.user.name);
    else if (code == EX_OK)
        fprintf(act->out, "%s is enabled and may sign in.\n", change.user.name);
    admin_user_wipe(&change);
    return code;
}

static int admin_user_disable(struct act *act, const struct sub_args *args)
{
    return admin_user_switch(act, args, true);
}

static int admin_user_enable(struct act *act, const struct sub_args *args)
{
    return admin_user_switch(act, args, false);
}

static int admin_user_delete(struct act *act, void *owner)
{
    struct admin_user_change *change = owner;
    int code = act_user(act, change->name, &change->user);

    if (code != EX_OK)
        return code;
    if (store_user_remove(act->store, change->user.id) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "user-remove", change->user.name, NULL, "%s", "");
}

static int admin_user_remove(struct act *act, const struct sub_args *args)
{
    struct admin_user_change change = {.name = args->words[0]};
    int code = act_change(act, admin_user_delete, &change);

    if (code == EX_OK)
        fprintf(act->out,
                "User %s removed with grants, memberships and sessions; tunnels end now.\n",
                change.user.name);
    admin_user_wipe(&change);
    return code;
}

/* ---- the table ---- */

static const struct sub_option admin_user_add_options[] = {
    {"password-stdin", NULL, "read the password from standard input, even from a terminal"},
    {"json", NULL, "print user, totp_secret and otpauth as a JSON object"},
    {0},
};

static const struct sub_option admin_user_passwd_options[] = {
    {"password-stdin", NULL, "read the password from standard input, even from a terminal"},
    {0},
};

static const struct sub_option admin_user_totp_options[] = {
    {"key-lost", NULL, "secret.key is another one, and there is no backup of the one before"},
    {"json", NULL, "print user, totp_secret and otpauth as a JSON object"},
    {0},
};

static const struct sub_option admin_user_list_options[] = {
    {"json", NULL, "print a JSON array"},
    {0},
};

static const struct sub admin_user_subs[] = {
    {"add", "NAME [--password-stdin] [--json]",
     "Adds a person: asks for a password (never an argument; [password] in the configuration says "
     "which are good) and shows the second factor once, as a QR code.",
     "  deskgate user add alice\n"
     "  pass show alice | deskgate user add alice --password-stdin --json",
     admin_user_add_options, 1, 1, admin_user_add},
    {"invite", "NAME [--hours NUMBER] [--json]",
     "Prints a link with which a person sets password and second factor in the browser; adds the "
     "person if need be. Present factors stay in force until it is used.",
     "  deskgate user invite alice", admin_invite_options, 1, 1, admin_invite_run},
    {"import", "FILE [--dry-run] [--invitations FILE]",
     "Adds and changes people by a CSV file (- is standard input), all or nothing.",
     "  deskgate user import people.csv --invitations links.csv", admin_user_import_options, 1, 1,
     admin_user_import},
    {"export", "", "Prints all people as CSV, as import takes them; no secrets.",
     "  deskgate user export >people.csv", NULL, 0, 0, admin_user_export},
    {"list", "[--json]", "Shows all people.", "  deskgate user list", admin_user_list_options, 0, 0,
     admin_user_view_list},
    {"passwd", "NAME [--password-stdin]",
     "Sets a new password and ends the person's sessions and invitation.",
     "  deskgate user passwd alice", admin_user_passwd_options, 1, 1, admin_user_passwd},
    {"must-change", "NAME",
     "Demands a new password at the next sign-in and ends sessions: for when one may be known.",
     "  deskgate user must-change alice", NULL, 1, 1, admin_user_must_change},
    {"totp", "NAME [--key-lost] [--json]",
     "Makes a new second factor, shows it once, and ends the person's sessions, recovery codes and "
     "invitation.",
     "  deskgate user totp alice", admin_user_totp_options, 1, 1, admin_user_totp},
    {"limit",
     "NAME [--from WHEN] [--until WHEN] [--tunnels NUMBER] [--idle TIME] [--absolute TIME] "
     "[--json]",
     "Shows or sets when the account is valid, how many connections it may have and how long they "
     "may last; what no longer fits ends at once.",
     "  deskgate user limit alice --until 2026-12-31 --tunnels 3", admin_limit_user_options, 1, 1,
     admin_limit_user},
    {"role", "NAME administrator|user",
     "Says who may administer in the browser. The command line never asks.",
     "  deskgate user role alice administrator", NULL, 2, 2, admin_role_run},
    {"disable", "NAME",
     "Lets a person in no longer; ends sessions, tunnels and an invitation at once.",
     "  deskgate user disable alice", NULL, 1, 1, admin_user_disable},
    {"enable", "NAME", "Lets a disabled person in again.", "  deskgate user enable alice", NULL, 1,
     1, admin_user_enable},
    {"remove", "NAME", "Removes a person with grants, memberships and sessions.",
     "  deskgate user remove alice", NULL, 1, 1, admin_user_remove},
    {0},
};

const struct sub_verb admin_user = {"user", "The people, their passwords and second factors.",
                                    admin_user_subs};

int user_verb(struct cli *cli, int argc, char **argv)
{
    return sub_run(&admin_user, cli, argc, argv);
}

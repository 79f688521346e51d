#include "admin_invite.h"

#include "account.h"
#include "act.h"
#include "listing.h"
#include "password.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define HOURS_MOST (30 * 24)
#define TOKEN_SIZE text_base64url_size(ACCOUNT_INVITATION_SIZE)

const struct sub_option admin_invite_options[] = {
    {"hours", "NUMBER", "how long the invitation is good for: 1 to 720, 72 unless told otherwise"},
    {"json", NULL, "print user, invitation, link and expires_at as a JSON object"},
    {0},
};

struct invite {
    const char *name;
    struct store_user user;
    char no_password[STORE_PASSWORD_SIZE]; /* of a new person */
    struct secret_key key;
    int64_t expires_at;
    bool added;
    uint8_t invitation[ACCOUNT_INVITATION_SIZE];
};

int admin_invite_key(struct act *act, struct secret_key *key)
{
    int code = act_needs_conf(act, "without the configuration an invitation's link would lead "
                                   "elsewhere, and nothing was changed");

    return code == EX_OK ? act_key(act, key, false) : code;
}

static int apply(struct act *act, void *owner)
{
    struct invite *invite = owner;
    enum store_result result = store_user_by_name(act->store, invite->name, &invite->user);

    if (result == STORE_FAILED)
        return act_store_failed(act);
    invite->added = result == STORE_NONE;
    if (invite->added) {
        int code = act_new_name(act, "user", invite->name);
        if (code != EX_OK)
            return code;
        invite->user = (struct store_user){0};
        text_copy(invite->user.name, sizeof(invite->user.name), invite->name);
        text_copy(invite->user.password, sizeof(invite->user.password), invite->no_password);
    } else if (invite->user.disabled) {
        return act_error(act, EX_DATAERR,
                         "'%s' is disabled; let the person in again first with "
                         "'deskgate user enable'",
                         invite->user.name);
    }
    if (account_invite(act->store, &invite->key, &invite->user, act->now, invite->expires_at,
                       invite->invitation) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "user-invite", invite->user.name, NULL, "%s",
                     invite->added ? "added" : "");
}

void admin_invite_link(struct act *act, const uint8_t invitation[ACCOUNT_INVITATION_SIZE],
                       char to[ADMIN_INVITE_LINK_SIZE])
{
    const struct conf *conf = &act->conf;
    char port[8] = "", token[TOKEN_SIZE];

    if (conf->public_port && conf->public_port != 443)
        snprintf(port, sizeof(port), ":%u", conf->public_port);
    text_base64url(token, invitation, ACCOUNT_INVITATION_SIZE);
    snprintf(to, ADMIN_INVITE_LINK_SIZE, "https://%s%s/#setup=%s", conf->name, port, token);
    explicit_bzero(token, sizeof(token));
}

static int show_json(struct act *act, const struct invite *invite, const char *token,
                     const char *link)
{
    static const struct listing_column columns[] = {
        {"user", NULL, LISTING_TEXT}, {"invitation", NULL, LISTING_TEXT},
        {"link", NULL, LISTING_TEXT}, {"expires_at", NULL, LISTING_TIME},
        {NULL, NULL, LISTING_TEXT},
    };

    return listing_json(act->out, listing_object(columns, (struct listing_value[]){
                                                              {.text = invite->user.name},
                                                              {.text = token},
                                                              {.text = link},
                                                              {.number = invite->expires_at}}));
}

static int show(struct act *act, const struct invite *invite, bool json)
{
    char token[TOKEN_SIZE], link[ADMIN_INVITE_LINK_SIZE], until[64] = "";
    time_t expires = (time_t)invite->expires_at;
    struct tm local;
    int code = EX_OK;

    text_base64url(token, invite->invitation, sizeof(invite->invitation));
    admin_invite_link(act, invite->invitation, link);
    if (localtime_r(&expires, &local))
        strftime(until, sizeof(until), "%Y-%m-%d %H:%M %Z", &local);
    if (json)
        code = show_json(act, invite, token, link);
    else
        fprintf(act->out,
                "%s %s. Give this link to the person, and to nobody else: whoever opens it\nfirst "
                "sets the password. It is shown only once and ends at %s.\n\n  %s\n",
                invite->user.name, invite->added ? "is added and invited" : "is invited", until,
                link);
    explicit_bzero(token, sizeof(token));
    explicit_bzero(link, sizeof(link));
    return code;
}

int admin_invite_run(struct act *act, const struct sub_args *args)
{
    struct invite invite = {.name = args->words[0]};
    const char *hours = sub_value(args, "hours");
    uint64_t number = ACCOUNT_INVITATION_HOURS;

    if (hours && (!text_number(hours, HOURS_MOST, &number) || number == 0))
        return act_error(act, EX_DATAERR, "--hours '%s': it is not a whole number from 1 to %d",
                         hours, HOURS_MOST);
    invite.expires_at = act->now + (int64_t)number * 3600;
    int code = admin_invite_key(act, &invite.key);
    if (code == EX_OK && password_dummy(invite.no_password) != 0)
        code = act_error(act, EX_OSERR, "out of memory");
    if (code == EX_OK)
        code = act_change(act, apply, &invite);
    if (code == EX_OK)
        code = show(act, &invite, sub_value(args, "json") != NULL);
    explicit_bzero(&invite, sizeof(invite));
    return code;
}

#include "act.h"

#include "audit_seal.h"
#include "cli.h"
#include "fd.h"
#include "folder_lock.h"
#include "may.h"
#include "nearest.h"
#include "plain.h"
#include "state_key.h"
#include "zone.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

int act_error(struct act *act, int code, const char *format, ...)
{
    char *words = NULL;
    va_list list;

    va_start(list, format);
    int size = vasprintf(&words, format, list);
    va_end(list);
    fflush(act->out);
    fputs(act->in_browser ? "" : "deskgate: ", act->err);
    plain_print(act->err, size < 0 ? "out of memory" : words);
    fputc('\n', act->err);
    if (size >= 0)
        free(words);
    return code;
}

int act_store_failed(struct act *act)
{
    return act_error(act, EX_IOERR, "the database: %s", store_error(act->store));
}

/* Under sudo the person behind root; the variable is root's own word about itself. */
static void act_who(char *to, size_t size)
{
    const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    const struct passwd *entry = getpwuid(getuid());

    if (sudo != NULL && text_is_name(sudo))
        snprintf(to, size, "cli:%.60s", sudo);
    else if (entry != NULL && text_is_name(entry->pw_name))
        snprintf(to, size, "cli:%.60s", entry->pw_name);
    else
        snprintf(to, size, "cli:%u", (unsigned)getuid());
}

static int act_not_opened(struct act *act, enum store_result result, const char *state,
                          const char *path, const char *why)
{
    /* First: a folder that one may not enter looks like one without a database. */
    if (access(path, R_OK | W_OK) != 0 && errno == EACCES)
        return act_error(act, EX_NOPERM,
                         "you may not use %s; run this as root or as the gateway's user", path);
    if (result == STORE_MISSING)
        return act_error(act, EX_UNAVAILABLE,
                         "there is no database in %s; run 'deskgate --state %s init' first", state,
                         state);
    return act_error(act, result == STORE_NEWER ? EX_UNAVAILABLE : EX_IOERR, "%s", why);
}

void act_init(struct act *act)
{
    *act = (struct act){.now = (int64_t)time(NULL), .out = stdout, .err = stderr};
}

/* A person must be disabled even while the key is lost: then without a seal, see act_audit(). */
static enum store_result act_seal(struct act *act)
{
    struct secret_key key;
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256];

    conf_path(&act->conf, CONF_SECRET_KEY, path);
    if (secret_init() != 0 || secret_key_load(&key, path, false, why, sizeof(why)) != 0)
        return STORE_OK;
    enum store_result result = audit_seal_open(act->store, &act->conf, &key);
    secret_key_wipe(&key);
    return result;
}

enum store_result act_open_store(struct store **store, const struct conf *conf, char *why,
                                 size_t size)
{
    char path[CONF_PATH_SIZE];

    conf_path(conf, CONF_DATABASE, path);
    enum store_result result = store_open(store, path, STORE_IN_COMPANY, why, size);
    if (result != STORE_NEWER)
        return result;
    int lock = folder_lock(conf->state);
    if (lock != -EBUSY)
        result = store_open(store, path, STORE_MUST_EXIST, why, size);
    fd_close(&lock);
    return result;
}

int act_open(struct act *act, struct cli *cli)
{
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256] = "";

    int code = conf_load(&act->conf, cli->state, why, sizeof(why));
    /* A person must be disabled even while the configuration is broken. */
    if (code == -EINVAL || code == -EACCES)
        act_error(act, EX_OK, "warning: %s", why);
    act->no_conf = code != 0;
    if (act->no_conf)
        conf_defaults(&act->conf, cli->state);
    zone_use(act->conf.time_zone);
    conf_path(&act->conf, CONF_DATABASE, path);
    act_who(act->by, sizeof(act->by));
    enum store_result result = act_open_store(&act->store, &act->conf, why, sizeof(why));
    if (result != STORE_OK)
        return act_not_opened(act, result, act->conf.state, path, why);
    if (act_seal(act) == STORE_OK)
        return EX_OK;
    act_store_failed(act);
    act_close(act);
    return EX_IOERR;
}

int act_needs_conf(struct act *act, const char *why)
{
    return act->no_conf
               ? act_error(act, EX_CONFIG,
                           "%s; correct " CONF_FILE " first ('deskgate check' tells more)", why)
               : EX_OK;
}

int act_key(struct act *act, struct secret_key *key, bool lost)
{
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256] = "";

    conf_path(&act->conf, CONF_SECRET_KEY, path);
    if (secret_init() != 0)
        return act_error(act, EX_SOFTWARE, "libsodium cannot be used");
    if (secret_key_load(key, path, false, why, sizeof(why)) != 0)
        return act_error(act, EX_UNAVAILABLE, "the key for TOTP seeds: %s", why);
    if (lost || state_key_fits(act->store, key))
        return EX_OK;
    secret_key_wipe(key);
    return act_error(act, EX_CONFIG,
                     "%s is not the key that people's second factors were sealed with: restore "
                     "the file from your backup. When it is lost for good, 'deskgate user totp "
                     "NAME --key-lost' begins anew with the one that is there, and everybody needs "
                     "a new second factor",
                     path);
}

void act_close(struct act *act)
{
    store_close(act->store);
    act->store = NULL;
}

/* In the browser nobody locks out whoever is doing it: there would be no way back but the command
 * line, which may. */
static int act_stays_in(struct act *act)
{
    struct store_user user = {0};
    struct decision decision = {0};
    enum store_result result = store_user_by_name(act->store, act->by + strlen("web:"), &user);
    bool stays = result == STORE_OK && user.administrator && !user.disabled;

    if (stays)
        result = may_judge_person(act->store, user.id, act->address, act->now, &decision);
    explicit_bzero(&user, sizeof(user));
    if (result == STORE_FAILED)
        return act_store_failed(act);
    if (stays && decision.rule == DECISION_ALLOWED)
        return EX_OK;
    return act_error(act, EX_DATAERR,
                     "this would lock you out yourself%s%s; the command line at the gateway can do "
                     "it",
                     decision.words[0] ? ": " : "", decision.words);
}

int act_change(struct act *act, int (*change)(struct act *act, void *owner), void *owner)
{
    if (store_begin(act->store) != STORE_OK)
        return act_store_failed(act);
    int code = change(act, owner);
    if (code == EX_OK && act->in_browser)
        code = act_stays_in(act);
    if (code != EX_OK) {
        store_rollback(act->store);
        return code;
    }
    return store_commit(act->store) == STORE_OK ? EX_OK : act_store_failed(act);
}

/* What did not fit may have been cut within a character. */
static void act_whole(char *text)
{
    size_t size = strlen(text), least = size < 4 ? 0 : size - 4;

    while (size > least && !text_is_utf8((const uint8_t *)text, size))
        size--;
    if (text_is_utf8((const uint8_t *)text, size))
        text[size] = '\0';
}

int act_audit(struct act *act, const char *event, const char *who, const char *desktop,
              const char *detail, ...)
{
    struct store_audit row = {.at_ms = act->now * 1000};
    struct timespec now;
    va_list list;

    if (!store_audit_keyed(act->store))
        act_error(act, EX_OK,
                  "warning: " CONF_SECRET_KEY " cannot be read, so the audit log gets no "
                  "seal, and 'deskgate audit verify' will say so; restore the file");
    if (clock_gettime(CLOCK_REALTIME, &now) == 0)
        row.at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    text_copy(row.event, sizeof(row.event), event);
    text_copy(row.outcome, sizeof(row.outcome), "ok");
    text_copy(row.who, sizeof(row.who), who == NULL ? "" : who);
    text_copy(row.by, sizeof(row.by), act->by);
    text_copy(row.desktop, sizeof(row.desktop), desktop == NULL ? "" : desktop);
    text_copy(row.conn, sizeof(row.conn), act->conn == NULL ? "" : act->conn);
    row.has_address = act->address != NULL;
    if (row.has_address)
        row.address = *act->address;
    va_start(list, detail);
    vsnprintf(row.detail, sizeof(row.detail), detail, list);
    va_end(list);
    act_whole(row.detail);
    return store_audit_add(act->store, &row) == STORE_OK ? EX_OK : act_store_failed(act);
}

static int act_missing(struct act *act, const char *what, const struct nearest *nearest)
{
    return act_error(act, EX_NOINPUT, "there is no %s '%s'%s%s%s; 'deskgate %s list' shows all",
                     what, nearest->typed, nearest->name[0] ? ", did you mean '" : "",
                     nearest->name, nearest->name[0] ? "'?" : "", what);
}

static int act_offer_user(void *owner, const struct store_user *user)
{
    nearest_offer(owner, user->name);
    return 0;
}

static int act_offer_group(void *owner, const struct store_group *group)
{
    nearest_offer(owner, group->name);
    return 0;
}

static int act_offer_desktop(void *owner, const struct store_desktop *desktop)
{
    nearest_offer(owner, desktop->name);
    return 0;
}

int act_user(struct act *act, const char *name, struct store_user *out)
{
    enum store_result result = store_user_by_name(act->store, name, out);
    struct nearest nearest;

    if (result != STORE_NONE)
        return result == STORE_OK ? EX_OK : act_store_failed(act);
    nearest_init(&nearest, name);
    store_user_list(act->store, act_offer_user, &nearest);
    return act_missing(act, "user", &nearest);
}

int act_group(struct act *act, enum store_group_kind kind, const char *name,
              struct store_group *out)
{
    enum store_result result = store_group_by_name(act->store, kind, name, out);
    struct nearest nearest;

    if (result != STORE_NONE)
        return result == STORE_OK ? EX_OK : act_store_failed(act);
    nearest_init(&nearest, name);
    store_group_list(act->store, kind, act_offer_group, &nearest);
    return act_missing(act, kind == STORE_OF_PEOPLE ? "group" : "desktop-group", &nearest);
}

int act_desktop(struct act *act, const char *name, struct store_desktop *out)
{
    enum store_result result = store_desktop_by_name(act->store, name, out);
    struct nearest nearest;

    if (result != STORE_NONE)
        return result == STORE_OK ? EX_OK : act_store_failed(act);
    nearest_init(&nearest, name);
    store_desktop_list(act->store, act_offer_desktop, &nearest);
    return act_missing(act, "desktop", &nearest);
}

int act_new_name(struct act *act, const char *what, const char *name)
{
    if (text_is_name(name))
        return EX_OK;
    return act_error(act, EX_DATAERR,
                     "'%s' cannot name a %s: take 1 to %d of the characters A-Z a-z 0-9 . _ @ + -, "
                     "beginning with a letter or digit",
                     name, what, TEXT_NAME_SIZE - 1);
}

int act_number(struct act *act, const char *what, const char *typed, int64_t *out)
{
    uint64_t number = 0;

    if (!text_number(typed, INT64_MAX, &number) || number == 0)
        return act_error(act, EX_DATAERR,
                         "'%s' is not a %s's number; 'deskgate %s list' shows them", typed, what,
                         what);
    *out = (int64_t)number;
    return EX_OK;
}

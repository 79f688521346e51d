/* deskgate user import: many people at once, all or nothing. */
#include "account.h"
#include "act.h"
#include "admin_invite.h"
#include "admin_limit.h"
#include "admin_user_csv.h"
#include "csv_cell.h"
#include "password.h"
#include "people_csv.h"
#include "store_policy.h"
#include "when.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

struct pending {
    FILE *out; /* into the memory below; NULL when there is none */
    char *text;
    size_t size;
};

struct import {
    struct people_file file;
    struct secret_key key;
    FILE *invitations; /* where links go, perhaps `links`; NULL for a dry run */
    /* What others must not see before it is sure: links that would lead nowhere, above all. */
    struct pending links, groups;
    int64_t expires_at;
    bool dry;
    bool adds;                             /* the present line */
    char no_password[STORE_PASSWORD_SIZE]; /* of new people; one for all, for nothing matches it */
    unsigned added, changed;
};

/* ---- one person ---- */

static int add_person(struct act *act, struct import *import, struct store_user *user)
{
    uint8_t invitation[ACCOUNT_INVITATION_SIZE];
    char link[ADMIN_INVITE_LINK_SIZE], until[WHEN_SIZE];
    if (account_invite(act->store, &import->key, user, act->now, import->expires_at, invitation) !=
        STORE_OK)
        return act_store_failed(act);
    if (import->invitations) {
        admin_invite_link(act, invitation, link);
        csv_cell_write(import->invitations, user->name);
        fprintf(import->invitations, ",\"%s\",%s\r\n", link, when_utc(import->expires_at, until));
    }
    explicit_bzero(invitation, sizeof(invitation));
    explicit_bzero(link, sizeof(link));
    import->added++;
    return act_audit(act, "user-invite", user->name, NULL, "added");
}

static bool read_moment(const char *cell, enum when_day day, int64_t *to)
{
    *to = 0;
    return *cell == '\0' || (when_date(cell, day, to) && *to > 0);
}

static int set_limits(struct act *act, struct import *import, const struct people_line *line,
                      const struct store_user *user, bool *changed)
{
    const bool *has = import->file.has;
    struct store_person_policy old, policy;
    char from[WHEN_SIZE], until[WHEN_SIZE];
    uint64_t tunnels = 0;
    if (store_policy_person(act->store, user->id, &old) != STORE_OK)
        return act_store_failed(act);
    policy = old;
    if (has[PEOPLE_VALID_FROM] &&
        !read_moment(line->cells[PEOPLE_VALID_FROM], WHEN_DAY_BEGINS, &policy.valid_from))
        people_csv_fault(&import->file, line->line, "valid_from '%s' is not such as 2026-12-24",
                         line->cells[PEOPLE_VALID_FROM]);
    if (has[PEOPLE_VALID_UNTIL] &&
        !read_moment(line->cells[PEOPLE_VALID_UNTIL], WHEN_DAY_ENDS, &policy.valid_until))
        people_csv_fault(&import->file, line->line, "valid_until '%s' is not such as 2026-12-24",
                         line->cells[PEOPLE_VALID_UNTIL]);
    if (has[PEOPLE_TUNNELS] && line->cells[PEOPLE_TUNNELS][0] &&
        (!text_number(line->cells[PEOPLE_TUNNELS], ADMIN_LIMIT_TUNNELS_MOST, &tunnels) ||
         tunnels == 0))
        people_csv_fault(&import->file, line->line,
                         "tunnels '%s' is not a number from 1; an empty cell is any number",
                         line->cells[PEOPLE_TUNNELS]);
    if (has[PEOPLE_TUNNELS])
        policy.tunnels = (uint32_t)tunnels;
    if (policy.valid_from && policy.valid_until && policy.valid_until <= policy.valid_from)
        people_csv_fault(&import->file, line->line, "it would end before it begins");
    if (import->file.faults ||
        (policy.valid_from == old.valid_from && policy.valid_until == old.valid_until &&
         policy.tunnels == old.tunnels))
        return EX_OK;
    *changed = true;
    if (store_policy_person_set(act->store, user->id, &policy) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "user-limit", user->name, NULL, "from=%s until=%s tunnels=%u",
                     admin_limit_date(policy.valid_from, from),
                     admin_limit_date(policy.valid_until, until), policy.tunnels);
}

static int set_disabled(struct act *act, struct import *import, const struct people_line *line,
                        const struct store_user *user, bool *changed)
{
    const char *cell = import->file.has[PEOPLE_DISABLED] ? line->cells[PEOPLE_DISABLED] : NULL;
    bool disabled = cell && strcmp(cell, "yes") == 0;
    if (!cell)
        return EX_OK;
    if (!disabled && *cell && strcmp(cell, "no") != 0)
        return people_csv_fault(&import->file, line->line, "disabled '%s' is neither yes nor no",
                                cell);
    if (disabled == user->disabled)
        return EX_OK;
    *changed = true;
    /* Whoever is new keeps the invitation, for when they are enabled: nobody has it yet. */
    if ((import->adds ? store_user_set_disabled(act->store, user->id, disabled)
                      : account_set_disabled(act->store, user, disabled, act->now)) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, disabled ? "user-disable" : "user-enable", user->name, NULL, "%s", "");
}

static int set_role(struct act *act, struct import *import, const struct people_line *line,
                    const struct store_user *user, bool *changed)
{
    const char *cell = import->file.has[PEOPLE_ROLE] ? line->cells[PEOPLE_ROLE] : NULL;
    bool administrator = cell && strcmp(cell, "administrator") == 0;
    if (!cell)
        return EX_OK;
    if (!administrator && *cell && strcmp(cell, "user") != 0)
        return people_csv_fault(&import->file, line->line,
                                "role '%s' is neither user nor administrator", cell);
    if (administrator == user->administrator)
        return EX_OK;
    *changed = true;
    if (store_user_set_administrator(act->store, user->id, administrator) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "user-role", user->name, NULL, "%s",
                     administrator ? "administrator" : "user");
}

/* ---- groups ---- */

/* Whether `name` is one of those that are separated by `by`. */
static bool listed(const char *names, char by, const char *name)
{
    size_t size = strlen(name);
    while (*names) {
        const char *end = strchrnul(names, by);
        if ((size_t)(end - names) == size && strncasecmp(names, name, size) == 0)
            return true;
        names = *end ? end + 1 : end;
    }
    return false;
}

static int join(struct act *act, struct import *import, const struct people_line *line,
                const struct store_user *user, const char *name)
{
    struct store_group group = {0};
    enum store_result result = store_group_by_name(act->store, STORE_OF_PEOPLE, name, &group);
    int code = EX_OK;
    if (result == STORE_NONE && !text_is_name(name))
        return people_csv_fault(&import->file, line->line, "'%s' cannot name a group", name);
    if (result == STORE_NONE) {
        result = store_group_add(act->store, STORE_OF_PEOPLE, name, &group.id);
        if (result == STORE_OK)
            code = act_audit(act, "group-add", "", NULL, "group %s", name);
        fprintf(import->groups.out, "%s is a new group.\n", name);
    }
    if (result == STORE_OK && code == EX_OK)
        result = store_group_join(act->store, STORE_OF_PEOPLE, group.id, user->id);
    if (result != STORE_OK && result != STORE_EXISTS) /* named twice: no fault */
        return act_store_failed(act);
    return code == EX_OK && result == STORE_OK
               ? act_audit(act, "group-join", user->name, NULL, "group %s", name)
               : code;
}

static int leave(struct act *act, const struct store_user *user, const char *name)
{
    struct store_group group;
    if (store_group_by_name(act->store, STORE_OF_PEOPLE, name, &group) != STORE_OK ||
        store_group_leave(act->store, STORE_OF_PEOPLE, group.id, user->id) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "group-leave", user->name, NULL, "group %s", name);
}

static int set_groups(struct act *act, struct import *import, const struct people_line *line,
                      const struct store_user *user, bool *changed)
{
    char now[STORE_GROUP_NAMES_SIZE], *rest, *name;
    int code = EX_OK;
    if (!import->file.has[PEOPLE_GROUPS])
        return EX_OK;
    if (store_group_names(act->store, STORE_OF_PEOPLE, user->id, now) != STORE_OK)
        return act_store_failed(act);
    char wanted[STORE_GROUP_NAMES_SIZE];
    if (!text_copy(wanted, sizeof(wanted), line->cells[PEOPLE_GROUPS]))
        return people_csv_fault(&import->file, line->line, "too many groups");
    for (rest = wanted; code == EX_OK && (name = strsep(&rest, ";")) != NULL;) {
        if (*name && !listed(now, '\n', name)) {
            *changed = true;
            code = join(act, import, line, user, name);
        }
    }
    for (rest = now; code == EX_OK && (name = strsep(&rest, "\n")) != NULL;) {
        if (*name && !listed(line->cells[PEOPLE_GROUPS], ';', name)) {
            *changed = true;
            code = leave(act, user, name);
        }
    }
    return code;
}

/* ---- all ---- */

/* EX_DATAERR is a fault of the line and told; the next one is looked at all the same. */
static int import_line(struct act *act, struct import *import, const struct people_line *line)
{
    struct store_user user = {0};
    const char *name = line->cells[PEOPLE_NAME];
    enum store_result result = store_user_by_name(act->store, name, &user);
    bool added = result == STORE_NONE, changed = false;
    int code = EX_OK;
    if (result == STORE_FAILED)
        return act_store_failed(act);
    if (added && !text_is_name(name))
        return people_csv_fault(&import->file, line->line, "'%s' cannot name a user", name);
    import->adds = added;
    if (added) {
        text_copy(user.name, sizeof(user.name), name);
        text_copy(user.password, sizeof(user.password), import->no_password);
        code = add_person(act, import, &user);
    }
    static int (*const steps[])(struct act *, struct import *, const struct people_line *,
                                const struct store_user *,
                                bool *) = {set_limits, set_disabled, set_role, set_groups};
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && (code == EX_OK || code == EX_DATAERR);
         i++)
        code = steps[i](act, import, line, &user, &changed);
    import->changed += changed && !added;
    explicit_bzero(&user, sizeof(user));
    return code;
}

static int pend(struct act *act, struct pending *pending)
{
    pending->out = open_memstream(&pending->text, &pending->size);
    return pending->out ? EX_OK : act_error(act, EX_OSERR, "out of memory");
}

/* Tells what was held back, or drops it when `to` is NULL. */
static void pend_end(struct pending *pending, FILE *to)
{
    if (pending->out)
        fclose(pending->out);
    if (pending->text && to)
        fwrite(pending->text, 1, pending->size, to);
    if (pending->text)
        explicit_bzero(pending->text, pending->size);
    free(pending->text);
    *pending = (struct pending){0};
}

/* Links are lost with the output that they do not get into, so they are there before the people
 * are: false when they are not. */
static bool told(struct act *act, struct import *import)
{
    FILE *to = import->invitations;
    if (import->links.out) {
        pend_end(&import->links, act->out);
        to = act->out;
        import->invitations = NULL;
    }
    return fflush(to) == 0 && !ferror(to);
}

static int import_all(struct act *act, void *owner)
{
    struct import *import = owner;
    int code = EX_OK;
    for (size_t i = 0; i < import->file.count && (code == EX_OK || code == EX_DATAERR); i++)
        code = import_line(act, import, &import->file.lines[i]);
    if (code == EX_OK || code == EX_DATAERR)
        code = people_csv_verdict(&import->file);
    if (code == EX_OK && import->invitations && !told(act, import))
        code =
            act_error(act, EX_IOERR, "the invitations could not be written; nothing was changed");
    /* What was only tried out is rolled back. */
    return code == EX_OK && import->dry ? -1 : code;
}

/* Opened before anything is changed: links are told once. A file is the import's own, and removed
 * when it fails; standard output is not. */
static int open_invitations(struct act *act, struct import *import, const char *path)
{
    int code = pend(act, &import->groups);
    if (code != EX_OK || import->dry)
        return code;
    if (path) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        import->invitations = fd < 0 ? NULL : fdopen(fd, "w");
        if (!import->invitations)
            return act_error(act, EX_CANTCREAT, "%s: %s", path, strerror(errno));
    } else {
        code = pend(act, &import->links);
        import->invitations = import->links.out;
    }
    if (code == EX_OK)
        fputs("name,link,expires\r\n", import->invitations);
    return code;
}

static int finish(struct act *act, struct import *import, const char *path, int code)
{
    bool own = import->invitations && import->invitations != import->links.out;
    bool tried = import->dry && code == -1;
    if (own && fclose(import->invitations) != 0 && code == EX_OK)
        code = act_error(act, EX_IOERR, "%s: the invitations are not all written", path);
    if (own && (code != EX_OK || !import->added))
        unlink(path);
    pend_end(&import->links, NULL);
    pend_end(&import->groups, code == EX_OK || tried ? act->err : NULL);
    if (code == EX_OK || tried)
        fprintf(act->err, "%s%u added, %u changed, %zu as they were.\n", tried ? "Would be: " : "",
                import->added, import->changed,
                import->file.count - import->added - import->changed);
    return tried ? EX_OK : code;
}

int admin_user_import(struct act *act, const struct sub_args *args)
{
    const char *path = sub_value(args, "invitations");
    struct import import = {.dry = sub_value(args, "dry-run") != NULL,
                            .expires_at = act->now + ACCOUNT_INVITATION_HOURS * 3600};
    int code = people_csv_read(&import.file, act, args->words[0]);
    if (code == EX_OK)
        code = admin_invite_key(act, &import.key);
    if (code == EX_OK && password_dummy(import.no_password) != 0)
        code = act_error(act, EX_OSERR, "out of memory");
    if (code == EX_OK)
        code = open_invitations(act, &import, path);
    if (code == EX_OK)
        code = act_change(act, import_all, &import);
    code = finish(act, &import, path, code);
    people_csv_free(&import.file);
    secret_key_wipe(&import.key);
    return code;
}

const struct sub_option admin_user_import_options[] = {
    {"dry-run", NULL, "say what would be done, and do nothing"},
    {"invitations", "FILE", "where the links of new people go, instead of standard output"},
    {0},
};

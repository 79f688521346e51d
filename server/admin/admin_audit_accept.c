#include "admin_audit_accept.h"

#include "act.h"
#include "audit_fault.h"
#include "audit_seal.h"
#include "place.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

struct acceptance {
    const char *because;
    char fault[AUDIT_FAULT_SIZE];
    struct store_audit_head head;
};

/* The row that says so is where verifying begins from now on. */
static int accept_all(struct act *act, void *owner)
{
    struct acceptance *acceptance = owner;
    int code = act_audit(act, "audit-accept", NULL, NULL, "%s; because: %s", acceptance->fault,
                         acceptance->because);
    if (code != EX_OK)
        return code;
    if (store_audit_head(act->store, &acceptance->head) != STORE_OK ||
        store_audit_checkpoint(act->store, acceptance->head.id, act->now, false) != STORE_OK ||
        store_audit_seal_bare(act->store) != STORE_OK)
        return act_store_failed(act);
    return EX_OK;
}

/* The note of the state folder goes along; it stays the gateway's. */
static int write_mark(struct act *act, const struct secret_key *key,
                      const struct acceptance *acceptance)
{
    struct audit_mark_row row = {.id = acceptance->head.id};
    char path[CONF_PATH_SIZE], like[CONF_PATH_SIZE];
    memcpy(row.link, acceptance->head.link, sizeof(row.link));
    conf_path(&act->conf, CONF_AUDIT_HEAD, path);
    conf_path(&act->conf, CONF_SECRET_KEY, like);
    int error = audit_mark_write(&act->conf, key, &row);
    if (!error)
        error = place_give(path, like);
    return error ? act_error(act, EX_IOERR, "%s: %s", path, strerror(-error)) : EX_OK;
}

/* What is wrong; with nothing wrong, `fault` stays empty. */
static int find_fault(struct act *act, const struct secret_key *key, struct acceptance *acceptance)
{
    struct store_audit_walk walk = {0};
    struct audit_mark_row mark;
    enum audit_mark found = audit_mark_read(&act->conf, key, &mark);
    if (found == AUDIT_MARK_GOOD) {
        walk.expect_id = mark.id;
        memcpy(walk.expect_link, mark.link, sizeof(walk.expect_link));
    }
    if (store_audit_verify(act->store, &walk, 0) != STORE_OK)
        return act_store_failed(act);
    if (walk.fault)
        audit_fault_words(&walk, acceptance->fault);
    else if (found == AUDIT_MARK_BAD)
        text_copy(acceptance->fault, sizeof(acceptance->fault),
                  CONF_AUDIT_HEAD " was not written with this key");
    return EX_OK;
}

int admin_audit_accept(struct act *act, const struct sub_args *args)
{
    struct acceptance acceptance = {.because = sub_value(args, "because")};
    struct secret_key key;
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256];
    if (acceptance.because == NULL || acceptance.because[0] == '\0')
        return act_error(act, EX_USAGE, "--because wants words: they stay in the audit log");
    conf_path(&act->conf, CONF_SECRET_KEY, path);
    if (secret_key_load(&key, path, false, why, sizeof(why)) != 0)
        return act_error(act, EX_CONFIG, "%s", why);
    int code = find_fault(act, &key, &acceptance);
    bool broken = acceptance.fault[0] != '\0';
    if (code == EX_OK && broken)
        code = act_change(act, accept_all, &acceptance);
    if (code == EX_OK && broken)
        code = write_mark(act, &key, &acceptance);
    secret_key_wipe(&key);
    if (code == EX_OK && broken)
        fprintf(act->out, "Accepted: %s. Verifying begins at row %" PRId64 " from now on.\n",
                acceptance.fault, acceptance.head.id);
    else if (code == EX_OK)
        fputs("The audit log holds; there is nothing to accept.\n", act->out);
    return code;
}

const struct sub_option admin_audit_accept_options[] = {
    {"because", "WORDS", "what happened, for the audit log"},
    {0},
};

#include "admin_audit_verify.h"

#include "act.h"
#include "admin_audit_archive.h"
#include "audit_fault.h"
#include "audit_seal.h"
#include "field.h"
#include "listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define BROWSER_ROWS 50000 /* the keeper does nothing else meanwhile: a quarter of a second */
#define LINK_TEXT (2 * STORE_AUDIT_LINK + 1)

static const struct listing_column columns[] = {
    {"good", NULL, LISTING_YES},    {"rows", NULL, LISTING_NUMBER}, {"after", NULL, LISTING_NUMBER},
    {"last", NULL, LISTING_NUMBER}, {"link", NULL, LISTING_TEXT},   {"fault", NULL, LISTING_TEXT},
    {"bad", NULL, LISTING_NUMBER},  {"words", NULL, LISTING_TEXT},  {"sealed", NULL, LISTING_YES},
    {NULL, NULL, LISTING_TEXT},
};

/* "1234:…", as this verb prints it. */
static int read_expect(struct act *act, const char *typed, struct audit_mark_row *expect)
{
    char number[24] = "";
    uint64_t id = 0;
    size_t digits = strcspn(typed, ":");
    snprintf(number, sizeof(number), "%.*s", (int)digits, typed);
    if (typed[digits] != ':' || digits >= sizeof(number) || !text_number(number, INT64_MAX, &id) ||
        id == 0 || field_fingerprint(typed + digits + 1, expect->link) != NULL)
        return act_error(act, EX_DATAERR,
                         "--expect '%s': give it as 'audit verify' printed it, NUMBER:LINK", typed);
    expect->id = (int64_t)id;
    return EX_OK;
}

static int walk_all(struct act *act, const struct audit_mark_row *expect,
                    struct store_audit_walk *walk)
{
    *walk = (struct store_audit_walk){.expect_id = expect->id};
    memcpy(walk->expect_link, expect->link, sizeof(walk->expect_link));
    if (store_audit_verify(act->store, walk, act->in_browser ? BROWSER_ROWS : 0) != STORE_OK)
        return act_store_failed(act);
    return walk->ended ? EX_OK
                       : act_error(act, EX_UNAVAILABLE,
                                   "the log is too long for the browser: use 'deskgate audit "
                                   "verify'; the gateway also verifies it by itself all the time");
}

/* What the state folder's own note says must be there. A note that is none is as bad as a row. */
static int read_mark(struct act *act, struct audit_mark_row *mark, bool *forged)
{
    struct secret_key key;
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256];

    *mark = (struct audit_mark_row){0};
    *forged = false;
    if (!store_audit_keyed(act->store))
        return act_error(act, EX_OK,
                         "warning: " CONF_SECRET_KEY " cannot be read, so no seal is checked");
    conf_path(&act->conf, CONF_SECRET_KEY, path);
    if (secret_key_load(&key, path, false, why, sizeof(why)) != 0)
        return act_error(act, EX_CONFIG, "%s", why);
    *forged = audit_mark_read(&act->conf, &key, mark) == AUDIT_MARK_BAD;
    secret_key_wipe(&key);
    if (*forged)
        *mark = (struct audit_mark_row){0};
    return EX_OK;
}

static int tell(struct act *act, const struct store_audit_walk *walk, const char *words,
                const char *fault)
{
    char link[LINK_TEXT];
    if (strcmp(fault, "archived") == 0)
        return act_error(act, EX_DATAERR, "%s", words);
    if (words[0])
        return act_error(act, EX_DATAERR, "the audit log does not hold: %s%s", words,
                         walk->fault == STORE_AUDIT_CHANGED || walk->fault == STORE_AUDIT_REMOVED ||
                                 walk->fault == STORE_AUDIT_CUT
                             ? "; what stands before is as it was written"
                             : "");
    fprintf(act->out, "%" PRId64 " row%s, each as it was written%s.\n", walk->rows,
            walk->rows == 1 ? "" : "s",
            store_audit_keyed(act->store) ? ", and the last one is sealed" : "");
    if (walk->after)
        fprintf(act->out,
                "They begin behind row %" PRId64 ": those before were archived, or accepted.\n",
                walk->after);
    text_hex(link, walk->link, sizeof(walk->link));
    if (walk->last)
        fprintf(act->out, "The last one, to be noted elsewhere for --expect: %" PRId64 ":%s\n",
                walk->last, link);
    return EX_OK;
}

static int show_json(struct act *act, const struct store_audit_walk *walk, const char *words,
                     const char *fault)
{
    char link[LINK_TEXT];
    text_hex(link, walk->link, sizeof(walk->link));
    int code = listing_json(
        act->out, listing_object(columns, (const struct listing_value[]){
                                              {.number = words[0] == '\0'},
                                              {.number = walk->rows},
                                              {.number = walk->after},
                                              {.number = walk->last},
                                              {.text = link},
                                              {.text = fault},
                                              {.number = walk->bad},
                                              {.text = words},
                                              {.number = store_audit_keyed(act->store)}}));
    return code != EX_OK ? code : words[0] ? EX_DATAERR : EX_OK;
}

int admin_audit_verify(struct act *act, const struct sub_args *args)
{
    const char *typed = sub_value(args, "expect"), *archive = sub_value(args, "archive");
    struct audit_mark_row expect = {0}, mark;
    struct store_audit_walk walk;
    char words[AUDIT_FAULT_SIZE] = "";
    bool forged = false, json = sub_value(args, "json") != NULL;
    int code = typed ? read_expect(act, typed, &expect) : EX_OK;
    if (code == EX_OK && archive)
        return admin_audit_archive_verify(act, archive, &expect, json);
    if (code == EX_OK)
        code = read_mark(act, &mark, &forged);
    if (code == EX_OK)
        code = walk_all(act, &mark, &walk);
    if (code == EX_OK && typed && !walk.fault)
        code = walk_all(act, &expect, &walk);
    if (code != EX_OK)
        return code;
    if (walk.fault)
        audit_fault_words(&walk, words);
    else if (forged)
        snprintf(words, sizeof(words),
                 CONF_AUDIT_HEAD " in the state folder was not written with this key");
    else if (expect.id && expect.id < walk.after)
        snprintf(words, sizeof(words),
                 "row %" PRId64 " was archived: look for it with 'audit verify --archive FILE "
                 "--expect NUMBER:LINK'",
                 expect.id);
    const char *fault = walk.fault ? audit_fault_name(walk.fault)
                        : forged   ? "mark"
                        : words[0] ? "archived"
                                   : "";
    return json ? show_json(act, &walk, words, fault) : tell(act, &walk, words, fault);
}

const struct sub_option admin_audit_verify_options[] = {
    {"expect", "NUMBER:LINK", "a row that was noted before: it must still be there, or in FILE"},
    {"archive", "FILE", "not the log, but a file that 'audit archive' wrote"},
    {"json", NULL, "print a JSON object"},
    {0},
};

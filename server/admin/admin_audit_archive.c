/* Rows leave the database only when they are in a file that is on the disk. They are removed a
 * thousand at a time, each time with a checkpoint in the same transaction: the gateway goes on
 * writing meanwhile, and a crash at any moment leaves a log that verifies. */
#include "admin_audit_archive.h"

#include "act.h"
#include "archive_seal.h"
#include "audit_fault.h"
#include "audit_record.h"
#include "day.h"
#include "place.h"
#include "store_backup.h"
#include "when.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define REMOVE_AT_ONCE 1000
#define EXPIRED_FOLDER "audit"
#define EXPIRED_ROWS 50000 /* of one file */

static_assert(EXPIRED_ROWS * 6ULL * sizeof(struct store_audit) < STORE_BACKUP_FILE_MOST,
              "what lies in the state folder fits into a backup, even where each byte is escaped");

struct archive {
    struct act *act;
    struct secret_key key;
    const char *path;
    char fresh[CONF_PATH_SIZE]; /* what it is called until it is whole */
    FILE *out;
    struct archive_seal seal;
    struct store_audit_walk walk; /* where the log begins, before anything is removed */
    int64_t first, last, written;
    bool more;                      /* rows to archive, behind the last */
    uint8_t link[STORE_AUDIT_LINK]; /* of the last row written */
    int code;
};

static int cannot(struct archive *archive, int error)
{
    return act_error(archive->act, EX_CANTCREAT, "%s: %s", archive->path, strerror(error));
}

/* ---- the file ---- */

static int put(struct archive *archive, json_t *line)
{
    char *text = line ? json_dumps(line, JSON_ENSURE_ASCII) : NULL;
    json_decref(line);
    if (text == NULL)
        return act_error(archive->act, EX_OSERR, "out of memory");
    size_t size = strlen(text);
    text[size++] = '\n'; /* in the place of the NUL */
    archive_seal_add(&archive->seal, text, size);
    int code = fwrite(text, 1, size, archive->out) == size ? EX_OK : cannot(archive, errno);
    free(text);
    return code;
}

static int put_head(struct archive *archive)
{
    char link[2 * STORE_AUDIT_LINK + 1], at[WHEN_SIZE];
    text_hex(link, archive->walk.link, sizeof(archive->walk.link));
    return put(archive,
               json_pack("{s:i,s:s,s:s,s:I,s:I,s:s}", "deskgate_audit_archive", ARCHIVE_FORMAT,
                         "gateway", archive->act->conf.name, "made_at",
                         when_utc(archive->act->now, at), "after", (json_int_t)archive->walk.last,
                         "last", (json_int_t)archive->last, "after_link", link));
}

static int put_foot(struct archive *archive)
{
    char link[2 * STORE_AUDIT_LINK + 1], seal_text[2 * STORE_AUDIT_LINK + 1];
    uint8_t seal[STORE_AUDIT_LINK];
    archive_seal_final(&archive->seal, &archive->key, archive->last, seal);
    text_hex(link, archive->link, sizeof(archive->link));
    text_hex(seal_text, seal, sizeof(seal));
    return put(archive, json_pack("{s:I,s:I,s:s,s:s}", "rows", (json_int_t)archive->written, "last",
                                  (json_int_t)archive->last, "link", link, "seal", seal_text));
}

static int put_row(void *owner, const struct store_audit *row)
{
    struct archive *archive = owner;
    if (row->id > archive->last)
        return 1;
    archive->code = put(archive, audit_record(row));
    archive->written++;
    memcpy(archive->link, row->link, sizeof(archive->link));
    return archive->code != EX_OK;
}

static int fill(struct archive *archive)
{
    const struct store_audit_filter rows = {.after_id = archive->walk.last};
    archive_seal_init(&archive->seal);
    int code = put_head(archive);
    if (code == EX_OK && store_audit_list(archive->act->store, &rows, put_row, archive) != STORE_OK)
        code = act_store_failed(archive->act);
    if (code == EX_OK)
        code = archive->code;
    return code == EX_OK ? put_foot(archive) : code;
}

/* Under another name until it is whole and on the disk; never over a file that is there. */
static int write_file(struct archive *archive)
{
    if ((size_t)snprintf(archive->fresh, sizeof(archive->fresh), "%s.part", archive->path) >=
        sizeof(archive->fresh))
        return cannot(archive, ENAMETOOLONG);
    if (access(archive->path, F_OK) == 0)
        return cannot(archive, EEXIST);
    unlink(archive->fresh); /* of a try that was cut short */
    int fd = open(archive->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    archive->out = fd < 0 ? NULL : fdopen(fd, "w");
    if (archive->out == NULL)
        return cannot(archive, errno);
    int code = fill(archive);
    if (code == EX_OK && (fflush(archive->out) != 0 || fsync(fd) < 0))
        code = cannot(archive, errno);
    if (fclose(archive->out) != 0 && code == EX_OK)
        code = cannot(archive, errno);
    if (code == EX_OK && link(archive->fresh, archive->path) < 0)
        code = cannot(archive, errno);
    unlink(archive->fresh);
    int error = code == EX_OK ? place_sync_folder(archive->path) : 0;
    return error ? cannot(archive, -error) : code;
}

/* ---- the rows ---- */

struct removal {
    struct archive *archive;
    int64_t until;
};

static int remove_some(struct act *act, void *owner)
{
    const struct removal *removal = owner;
    const struct archive *archive = removal->archive;
    bool first = removal->until < archive->first + REMOVE_AT_ONCE;
    if (first && act_audit(act, "audit-archive", NULL, NULL,
                           "rows %" PRId64 " to %" PRId64 " were moved to %.300s", archive->first,
                           archive->last, archive->path) != EX_OK)
        return EX_IOERR;
    return store_audit_checkpoint(act->store, removal->until, act->now, true) == STORE_OK
               ? EX_OK
               : act_store_failed(act);
}

static int remove_rows(struct archive *archive)
{
    struct removal removal = {.archive = archive, .until = archive->first - 1};
    int code = EX_OK;
    while (code == EX_OK && removal.until < archive->last) {
        int64_t left = archive->last - removal.until;
        removal.until += left < REMOVE_AT_ONCE ? left : REMOVE_AT_ONCE;
        code = act_change(archive->act, remove_some, &removal);
    }
    return code;
}

/* ---- which ---- */

/* Nothing is archived from a log that does not hold: removing rows would hide it. */
static int hold(struct act *act)
{
    struct store_audit_walk whole = {0};
    char words[AUDIT_FAULT_SIZE];
    if (store_audit_verify(act->store, &whole, 0) != STORE_OK)
        return act_store_failed(act);
    if (whole.fault)
        return act_error(act, EX_DATAERR,
                         "nothing was archived, since the audit log does not hold: %s; see 'audit "
                         "verify' and 'audit accept'",
                         audit_fault_words(&whole, words));
    return EX_OK;
}

static int look(struct archive *archive, int64_t before_ms, int64_t most)
{
    struct act *act = archive->act;
    int64_t forwarded = INT64_MAX;
    if (store_audit_begin(act->store, &archive->walk) != STORE_OK ||
        store_audit_before(act->store, before_ms, &archive->last) != STORE_OK ||
        (act->conf.audit_syslog != CONF_SYSLOG_NONE &&
         store_audit_forwarded(act->store, &forwarded) == STORE_FAILED))
        return act_store_failed(act);
    if (archive->last > forwarded)
        archive->last = forwarded;
    archive->first = archive->walk.last + 1;
    archive->more = archive->last - archive->walk.last > most;
    if (archive->more)
        archive->last = archive->walk.last + most;
    return EX_OK;
}

static int load_key(struct act *act, struct secret_key *key)
{
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256];
    conf_path(&act->conf, CONF_SECRET_KEY, path);
    return secret_key_load(key, path, false, why, sizeof(why)) == 0
               ? EX_OK
               : act_error(act, EX_CONFIG, "without its key no archive can be sealed: %s", why);
}

/* One file, of a log that holds. `*more`: the next one is due. */
static int archive_some(struct act *act, int64_t before_ms, int64_t most, const char *path,
                        bool *more)
{
    struct archive archive = {.act = act, .path = path};
    int code = load_key(act, &archive.key);
    if (code == EX_OK)
        code = look(&archive, before_ms, most);
    bool some = archive.last >= archive.first;
    if (code == EX_OK && some)
        code = write_file(&archive);
    if (code == EX_OK && some)
        code = remove_rows(&archive);
    secret_key_wipe(&archive.key);
    if (code == EX_OK && some)
        fprintf(act->out,
                "Rows %" PRId64 " to %" PRId64 " are in %s and no longer in the database.\n",
                archive.first, archive.last, path);
    else if (code == EX_OK)
        fputs("There is no row to archive.\n", act->out);
    *more = archive.more;
    return code;
}

int admin_audit_archive(struct act *act, const struct sub_args *args)
{
    const char *typed = sub_value(args, "before");
    char path[CONF_PATH_SIZE];
    int64_t before = 0;
    if (typed == NULL || !when_past(typed, WHEN_DAY_BEGINS, act->now, &before) || before > act->now)
        return act_error(act, typed ? EX_DATAERR : EX_USAGE,
                         "--before wants 90d for so long ago, or a time such as 2025-11-23");
    /* Into the log goes a name that says where the file is. */
    if (args->words[0][0] == '/')
        text_copy(path, sizeof(path), args->words[0]);
    else if (!getcwd(path, sizeof(path)) ||
             strlen(path) + 1 + strlen(args->words[0]) >= sizeof(path))
        return act_error(act, EX_DATAERR, "%s: give the whole path", args->words[0]);
    else
        snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s", args->words[0]);
    bool more;
    int code = hold(act);
    return code == EX_OK ? archive_some(act, before * 1000, INT64_MAX, path, &more) : code;
}

/* Root's files in the gateway's folder are the gateway's. */
static void give(struct act *act, const char *path, const char *like)
{
    int error = access(path, F_OK) == 0 ? place_give(path, like) : 0;
    if (error < 0)
        act_error(act, EX_OK, "warning: %s: %s", path, strerror(-error));
}

/* The path of this act's first file, its second, … */
static void name_expired(const struct act *act, unsigned part, char path[CONF_PATH_SIZE])
{
    char at[32], number[16] = "", name[64];
    time_t now = (time_t)act->now;
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(at, sizeof(at), "%Y%m%dT%H%M%SZ", &utc);
    if (part > 1)
        snprintf(number, sizeof(number), "-%u", part);
    snprintf(name, sizeof(name), EXPIRED_FOLDER "/audit-%s%s.jsonl", at, number);
    conf_path(&act->conf, name, path);
}

int admin_audit_expire_by(struct act *act, int64_t most)
{
    char folder[CONF_PATH_SIZE], path[CONF_PATH_SIZE], like[CONF_PATH_SIZE];
    conf_path(&act->conf, EXPIRED_FOLDER, folder);
    conf_path(&act->conf, CONF_SECRET_KEY, like);
    int error = place_folder(folder);
    if (error >= 0)
        error = place_give(folder, like);
    if (error < 0)
        return act_error(act, EX_CANTCREAT, "%s: %s", folder, strerror(-error));
    bool more = true;
    int code = hold(act);
    for (unsigned part = 1; code == EX_OK && more; part++) {
        name_expired(act, part, path);
        code = archive_some(act, act->now * 1000 - act->conf.audit_keep_days * DAY_MS, most, path,
                            &more);
        give(act, path, like);
    }
    return code;
}

int admin_audit_expire(struct act *act, const struct sub_args *args)
{
    (void)args;
    if (act->conf.audit_keep_days != 0)
        return admin_audit_expire_by(act, EXPIRED_ROWS);
    fputs("[audit] keep_days is 0: all is kept.\n", act->out);
    return EX_OK;
}

const struct sub_option admin_audit_archive_options[] = {
    {"before", "TIME", "rows from before: 90d, or a day such as 2025-11-23"},
    {0},
};

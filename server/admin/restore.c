/* Everything is made in a new folder beside the state folder, looked through there, and takes its
 * name at the end: a restore that fails or is killed leaves what was before. */
#include "restore.h"

#include "act.h"
#include "backup.h"
#include "backup_file.h"
#include "cli.h"
#include "fd.h"
#include "folder_lock.h"
#include "place.h"
#include "prompt.h"
#include "secret.h"
#include "store_audit.h"
#include "store_backup.h"
#include "when.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

struct restore {
    const char *file;
    bool force;
    char state[CONF_PATH_SIZE];
    char fresh[CONF_PATH_SIZE];  /* "": none */
    char before[CONF_PATH_SIZE]; /* where what was there is now; "": nothing was */
    struct store_backup_about about;
    unsigned outside;
    int code;
};

static int unusable(const struct restore *restore, const char *why)
{
    return cli_fail(EX_DATAERR, "%s: %s; nothing has been changed", restore->file, why);
}

/* ---- a place for it ---- */

/* 1, 0, or a negative errno (-ENOENT: there is no such folder). */
static int is_empty(const char *path)
{
    DIR *folder = opendir(path);
    int empty = 1;
    if (!folder)
        return -errno;
    for (const struct dirent *at; (at = readdir(folder)) != NULL;) {
        if (strcmp(at->d_name, ".") != 0 && strcmp(at->d_name, "..") != 0)
            empty = 0;
    }
    closedir(folder);
    return empty;
}

/* The lock, -1 where there is nothing to lock; or an exit code. */
static int take_place(struct restore *restore, int *lock)
{
    int empty = is_empty(restore->state);

    *lock = -1;
    if (empty == -ENOENT)
        return EX_OK;
    if (empty < 0)
        return backup_failed(restore->state, empty);
    *lock = folder_lock(restore->state);
    if (*lock == -EBUSY) {
        *lock = -1;
        return cli_fail(EX_UNAVAILABLE, "a gateway runs in %s: stop it first", restore->state);
    }
    if (!empty && !restore->force)
        return cli_fail(EX_CANTCREAT,
                        "%s is not empty; --force puts what is there beside it and restores",
                        restore->state);
    if (!empty)
        snprintf(restore->before, sizeof(restore->before), "%.4000s.before-%lld", restore->state,
                 (long long)time(NULL));
    return EX_OK;
}

static int make_fresh(struct restore *restore)
{
    snprintf(restore->fresh, sizeof(restore->fresh), "%.4000s.restore-XXXXXX", restore->state);
    if (mkdtemp(restore->fresh))
        return EX_OK;
    int error = -errno;
    restore->fresh[0] = '\0';
    return backup_failed(restore->state, error);
}

/* ---- what is in the file ---- */

/* Relative, without "..", and nothing that a terminal would mistake. */
static bool is_name(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size >= STORE_BACKUP_NAME_SIZE || name[0] == '/' || name[size - 1] == '/' ||
        !text_is_utf8((const uint8_t *)name, size))
        return false;
    for (const char *at = name; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    }
    for (const char *at = name; at; at = strchr(at, '/')) {
        at += *at == '/';
        size_t part = strcspn(at, "/");
        if (part == 0 || (part == 1 && at[0] == '.') || (part == 2 && at[0] == '.' && at[1] == '.'))
            return false;
    }
    return true;
}

static int make_folders(const char *path, size_t from)
{
    char folder[CONF_PATH_SIZE];
    for (const char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
        int made = place_folder(folder);
        if (made < 0)
            return made;
    }
    return 0;
}

static int put_file(void *owner, const char *name, const void *data, size_t size)
{
    struct restore *restore = owner;
    char path[CONF_PATH_SIZE];

    if (!is_name(name) ||
        (size_t)snprintf(path, sizeof(path), "%s/%s", restore->fresh, name) >= sizeof(path)) {
        restore->code = unusable(restore, "it has a file with a name that no backup has");
        return 1;
    }
    int error = make_folders(path, strlen(restore->fresh) + 1);
    if (!error)
        error = place_file(path, data, size);
    if (error == 1) {
        restore->outside += strncmp(name, BACKUP_OUTSIDE "/", strlen(BACKUP_OUTSIDE "/")) == 0;
        return 0;
    }
    restore->code = backup_failed(path, error ? error : -EEXIST);
    return 1;
}

static int unpack(struct restore *restore, const char *database)
{
    struct store_backup *inside = NULL;
    char why[256];

    if (store_backup_open(&inside, database, false, why, sizeof(why)) != STORE_OK)
        return unusable(restore, why);
    restore->code = EX_OK;
    enum store_result result = store_backup_about(inside, &restore->about);
    if (result == STORE_OK)
        result = store_backup_files(inside, put_file, restore);
    if (result == STORE_OK)
        result = store_backup_strip(inside);
    if (result != STORE_OK && restore->code == EX_OK)
        restore->code = unusable(restore, result == STORE_FAILED ? store_backup_error(inside)
                                                                 : "it is not complete");
    store_backup_close(inside);
    return restore->code;
}

static int ask(struct restore *restore, bool sealed, char passphrase[BACKUP_PASSPHRASE_SIZE])
{
    const char *why = "";
    if (!sealed || prompt_known("Passphrase of ", restore->file, passphrase, BACKUP_PASSPHRASE_SIZE,
                                &why) == EX_OK)
        return EX_OK;
    return cli_fail(EX_DATAERR, "the passphrase: %s", why);
}

static int open_file(struct restore *restore)
{
    char passphrase[BACKUP_PASSPHRASE_SIZE] = "", path[CONF_PATH_SIZE], why[256];
    bool sealed;
    FD_AUTO int from = open(restore->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (from < 0)
        return cli_fail(EX_NOINPUT, "%s: %s", restore->file, strerror(errno));
    if (backup_file_look(from, &sealed) != 0)
        return unusable(restore, "it is no backup of deskgate's, or one of a newer version");
    int code = ask(restore, sealed, passphrase);
    if (code != EX_OK)
        return code;
    snprintf(path, sizeof(path), "%.4000s/" CONF_DATABASE, restore->fresh);
    FD_AUTO int to = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        code = backup_failed(path, -errno);
    else if (backup_file_read(from, to, sealed ? passphrase : NULL, why, sizeof(why)) != 0)
        code = unusable(restore, why);
    explicit_bzero(passphrase, sizeof(passphrase));
    return code == EX_OK ? unpack(restore, path) : code;
}

/* ---- making it a gateway's ---- */

static int note(struct act *act, void *owner)
{
    const struct restore *restore = owner;
    char made_at[WHEN_SIZE];
    if (store_backup_settle(act->store, act->now) != STORE_OK)
        return act_store_failed(act);
    return act_audit(act, "restore", NULL, NULL, "of a backup of %s by deskgate %s",
                     when_utc(restore->about.made_at, made_at), restore->about.version);
}

/* Opens it as any verb would, which takes it to this program's schema and proves that key and
 * configuration are there. */
static int revive(struct restore *restore)
{
    struct cli cli = {.state = restore->fresh, .program = "deskgate"};
    struct act act;
    char why[256];

    act_init(&act);
    int code = act_open(&act, &cli);
    if (code != EX_OK)
        return code;
    if (store_check(act.store, why, sizeof(why)) != STORE_OK)
        code = unusable(restore, why);
    else if (!store_audit_keyed(act.store))
        code = unusable(restore, "the secret key is not in it");
    if (code == EX_OK)
        code = act_change(&act, note, restore);
    act_close(&act);
    return code;
}

/* A backup has files, and what init makes may have none in it. Without a configuration there is
 * nothing to go by, which 'check' will say. */
static int make_webroot(const struct restore *restore)
{
    struct conf conf;
    char path[CONF_PATH_SIZE], why[256];

    if (conf_load(&conf, restore->fresh, why, sizeof(why)) != 0 || !place_webroot(&conf, path))
        return EX_OK;
    int made = place_folder(path);
    return made < 0 ? backup_failed(path, made) : EX_OK;
}

/* As init does: to whom the gateway becomes. */
static int hand_over(const struct restore *restore)
{
    struct conf conf;
    char why[256];
    char *paths[] = {(char *)(uintptr_t)restore->fresh, NULL};
    const struct passwd *entry = NULL;
    int code = EX_OK;

    if (geteuid() == 0 && conf_load(&conf, restore->fresh, why, sizeof(why)) == 0)
        entry = getpwnam(conf.user);
    FTS *walk = entry ? fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
    for (FTSENT *at; walk && code == EX_OK && (at = fts_read(walk)) != NULL;) {
        if (at->fts_info != FTS_D && lchown(at->fts_path, entry->pw_uid, entry->pw_gid) != 0)
            code = backup_failed(at->fts_path, -errno);
    }
    if (walk)
        fts_close(walk);
    return code;
}

static int swap(struct restore *restore)
{
    if (restore->before[0] && rename(restore->state, restore->before) < 0)
        return backup_failed(restore->before, -errno);
    if (rename(restore->fresh, restore->state) < 0) { /* over an empty folder, too */
        int error = -errno;
        if (restore->before[0])
            rename(restore->before, restore->state);
        return backup_failed(restore->state, error);
    }
    restore->fresh[0] = '\0';
    int error = place_sync_folder(restore->state);
    return error ? backup_failed(restore->state, error) : EX_OK;
}

static void tell(const struct restore *restore)
{
    printf("%s: restored as it was when the backup was made. Everybody signs in anew, and\n"
           "invitations of then are void; what was changed or used up since (passwords, recovery\n"
           "codes) is as it was then.\n",
           restore->state);
    if (restore->before[0])
        printf("What was there before is in %s.\n", restore->before);
    if (restore->outside)
        printf("%u files that lay elsewhere are in %s/" BACKUP_OUTSIDE
               ": put them back, or name them there in " CONF_FILE ".\n",
               restore->outside, restore->state);
    printf("Next: deskgate --state %s check\n", restore->state);
}

static void remove_tree(const char *path)
{
    char *paths[] = {(char *)(uintptr_t)path, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *at; walk && (at = fts_read(walk)) != NULL;) {
        if (at->fts_info != FTS_D)
            remove(at->fts_path);
    }
    if (walk)
        fts_close(walk);
}

static int run(struct restore *restore)
{
    FD_AUTO int lock = -1;
    int code = take_place(restore, &lock);
    if (code == EX_OK)
        code = make_fresh(restore);
    if (code == EX_OK)
        code = open_file(restore);
    if (code == EX_OK)
        code = revive(restore);
    if (code == EX_OK)
        code = make_webroot(restore);
    if (code == EX_OK)
        code = hand_over(restore);
    if (code == EX_OK)
        code = swap(restore);
    if (restore->fresh[0])
        remove_tree(restore->fresh);
    if (code == EX_OK)
        tell(restore);
    return code;
}

static int take_file(void *owner, const char *value)
{
    ((struct restore *)owner)->file = value;
    return EX_OK;
}

static int take_force(void *owner, const char *value)
{
    (void)value;
    ((struct restore *)owner)->force = true;
    return EX_OK;
}

int restore_verb(struct cli *cli, int argc, char **argv)
{
    static const struct cli_option table[] = {
        {"force", NULL, "when there is a state folder: put it beside the new one", take_force},
        {0},
    };
    static const struct cli_spec spec = {
        .verb = "restore",
        .summary =
            "Makes a state folder of what 'deskgate backup' wrote: where none is, or where it is\n"
            "empty. The file is looked through first; when something is wrong with it, nothing\n"
            "is changed. An encrypted one asks for its passphrase, or reads the first line of\n"
            "standard input. Sessions, tickets and invitations of then are over.",
        .options = table,
        .word = "FILE",
        .take_word = take_file,
    };
    struct restore *restore = calloc(1, sizeof(*restore));
    struct conf conf;

    if (!restore)
        return cli_fail(EX_OSERR, "out of memory");
    int code = cli_parse(&spec, restore, argc, argv);
    if (code < 0) {
        umask(077);
        conf_defaults(&conf, cli->state); /* makes the path absolute */
        text_copy(restore->state, sizeof(restore->state), conf.state);
        code = secret_init() != 0 ? cli_fail(EX_SOFTWARE, "libsodium does not work here")
                                  : run(restore);
    }
    free(restore);
    return code;
}

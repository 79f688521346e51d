#include "backup.h"

#include "act.h"
#include "backup_file.h"
#include "cli.h"
#include "fd.h"
#include "place.h"
#include "prompt.h"
#include "secret.h"
#include "store_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define COPY ".backup-XXXXXX" /* in the state folder, which is private */

struct backup {
    const char *file;
    bool force, wants_passphrase;
    char passphrase[BACKUP_PASSPHRASE_SIZE];
    struct act act;
    struct store_backup *inside;
    char copy[CONF_PATH_SIZE];    /* "": none */
    char partial[CONF_PATH_SIZE]; /* likewise */
    unsigned files, backups;      /* in it, left out */
    unsigned missing;             /* that the configuration names */
};

int backup_failed(const char *what, int error)
{
    return cli_fail(error == -EACCES || error == -EPERM ? EX_NOPERM : EX_CANTCREAT, "%s: %s", what,
                    strerror(-error));
}

static int store_failed(const struct backup *backup)
{
    return cli_fail(EX_IOERR, "the copy of the database: %s", store_backup_error(backup->inside));
}

/* ---- files ---- */

/* malloc'd. 0 or a negative errno. */
static int read_whole(int fd, size_t size, uint8_t **out)
{
    size_t done = 0;
    *out = malloc(size + 1);
    while (*out && done < size) {
        ssize_t got = read(fd, *out + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EAGAIN; /* it became shorter */
        done += (size_t)got;
    }
    return *out ? 0 : -ENOMEM;
}

static int put_file(struct backup *backup, const char *path, const char *name)
{
    struct stat st;
    uint8_t *data = NULL;
    bool sealed;
    FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st) < 0)
        return backup_failed(path, -errno);
    if (!S_ISREG(st.st_mode))
        return EX_OK;
    if (backup_file_look(fd, &sealed) == 0) { /* each would hold all before, twice as large */
        backup->backups++;
        return EX_OK;
    }
    if (st.st_size > STORE_BACKUP_FILE_MOST)
        return cli_fail(EX_DATAERR, "%s is too large for a backup; move it elsewhere", path);
    int error = read_whole(fd, (size_t)st.st_size, &data);
    int code = error ? backup_failed(path, error) : EX_OK;
    if (code == EX_OK &&
        store_backup_put(backup->inside, name, data, (size_t)st.st_size) != STORE_OK)
        code = store_failed(backup);
    if (data)
        explicit_bzero(data, error ? 0 : (size_t)st.st_size);
    free(data);
    backup->files += code == EX_OK;
    return code;
}

/* What is made anew, is copied otherwise, or was put in first. */
static bool is_left_out(const char *name)
{
    return strncmp(name, CONF_DATABASE, strlen(CONF_DATABASE)) == 0 ||
           strcmp(name, CONF_DUTY_LOCK) == 0 || strcmp(name, CONF_AUDIT_HEAD) == 0 ||
           strncmp(name, COPY, strlen(".backup-")) == 0;
}

/* All of the state folder; a link to a file counts as that file. */
static int put_folder(struct backup *backup)
{
    const char *state = backup->act.conf.state;
    char *paths[] = {(char *)(uintptr_t)state, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    int code = walk ? EX_OK : backup_failed(state, -errno);

    for (FTSENT *at; code == EX_OK && (at = fts_read(walk)) != NULL;) {
        const char *name = at->fts_path + strlen(state);
        name += *name == '/';
        if (at->fts_info == FTS_DNR || at->fts_info == FTS_ERR)
            code = backup_failed(at->fts_path, -at->fts_errno);
        else if ((at->fts_info == FTS_F || at->fts_info == FTS_SL) && !is_left_out(name))
            code = put_file(backup, at->fts_path, name);
    }
    if (walk)
        fts_close(walk);
    return code;
}

/* Told, and made all the same: the rest is worth having, but is not all that was asked for. */
static int lacks(struct backup *backup, const char *path, int error)
{
    backup->missing++;
    return act_error(&backup->act, EX_OK, "warning: %s is not in the backup: %s", path,
                     strerror(error));
}

static int put_configured(struct backup *backup, const char *path)
{
    const char *state = backup->act.conf.state;
    char name[STORE_BACKUP_NAME_SIZE];
    size_t length = strlen(state);
    struct stat st;

    if (path[0] != '/')
        return EX_OK; /* none is named */
    if (access(path, R_OK) != 0 || stat(path, &st) != 0)
        return lacks(backup, path, errno);
    if (!S_ISREG(st.st_mode))
        return lacks(backup, path, S_ISDIR(st.st_mode) ? EISDIR : EINVAL);
    if (strncmp(path, state, length) == 0 && path[length] == '/')
        return EX_OK; /* in it already */
    if ((size_t)snprintf(name, sizeof(name), BACKUP_OUTSIDE "%s", path) >= sizeof(name))
        return backup_failed(path, -ENAMETOOLONG);
    return put_file(backup, path, name);
}

/* Not [alerts] command: a program is installed, not restored. */
static int put_named(struct backup *backup)
{
    const struct conf *conf = &backup->act.conf;
    const char *paths[2 * CONF_PAIRS_MAX + 6];
    size_t count = 0;
    int code = EX_OK;

    for (size_t i = 0; i < conf->pair_count; i++) {
        paths[count++] = conf->pairs[i].certificate;
        paths[count++] = conf->pairs[i].key;
    }
    paths[count++] = conf->rdp_certificate;
    paths[count++] = conf->rdp_key;
    paths[count++] = conf->authorities;
    paths[count++] = conf->alert_authorities;
    paths[count++] = conf->alert_webhook;
    paths[count++] = conf->audit_authorities;
    for (size_t i = 0; i < count && code == EX_OK; i++) {
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again |= strcmp(paths[i], paths[j]) == 0; /* two keys may name the same file */
        if (!again)
            code = put_configured(backup, paths[i]);
    }
    return code;
}

/* ---- the copy ---- */

/* audit.head names a row that must be in the database, so it is read before it; the other files
 * come behind: what the audit log has archived meanwhile is in both rather than in none. */
static int fill(struct backup *backup)
{
    char path[CONF_PATH_SIZE], why[256];
    const struct conf *conf = &backup->act.conf;
    uint8_t head[4096];
    struct store_backup_about about = {.made_at = backup->act.now};

    conf_path(conf, CONF_AUDIT_HEAD, path);
    FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t size = fd < 0 ? -1 : read(fd, head, sizeof(head));
    if (store_backup_copy(backup->act.store, backup->copy) != STORE_OK)
        return act_store_failed(&backup->act);
    if (store_backup_open(&backup->inside, backup->copy, true, why, sizeof(why)) != STORE_OK)
        return cli_fail(EX_IOERR, "the copy of the database: %s", why);
    snprintf(about.version, sizeof(about.version), "%s", DESKGATE_VERSION);
    if (store_backup_about_set(backup->inside, &about) != STORE_OK ||
        (size >= 0 &&
         store_backup_put(backup->inside, CONF_AUDIT_HEAD, head, (size_t)size) != STORE_OK))
        return store_failed(backup);
    int code = put_folder(backup);
    if (code == EX_OK)
        code = put_named(backup);
    if (code == EX_OK && store_backup_commit(backup->inside) != STORE_OK)
        code = store_failed(backup);
    store_backup_close(backup->inside);
    backup->inside = NULL;
    return code;
}

static int make_copy(struct backup *backup)
{
    snprintf(backup->copy, sizeof(backup->copy), "%s/" COPY, backup->act.conf.state);
    int fd = mkstemp(backup->copy); /* 0600; VACUUM INTO fills an empty file */
    if (fd < 0) {
        backup->copy[0] = '\0';
        return backup_failed(backup->act.conf.state, -errno);
    }
    close(fd);
    return fill(backup);
}

/* ---- the file ---- */

/* Read again from where it lies: what cannot be restored is no backup. */
static int prove(const struct backup *backup, int fd, const char *passphrase)
{
    char why[256];
    FD_AUTO int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || backup_file_read(fd, nowhere, passphrase, why, sizeof(why)) != 0)
        return cli_fail(EX_IOERR, "%s cannot be read again: %s", backup->file,
                        nowhere < 0 ? strerror(errno) : why);
    return EX_OK;
}

static int there_already(const struct backup *backup)
{
    return cli_fail(EX_CANTCREAT, "%s is there already; --force replaces it", backup->file);
}

/* With --force, too: a device or a pipe would become a file that holds every key. */
static int look_at_place(const struct backup *backup)
{
    struct stat st;

    if (lstat(backup->file, &st) < 0)
        return EX_OK; /* what else is wrong comes out when it is written */
    if (!S_ISREG(st.st_mode))
        return cli_fail(EX_CANTCREAT, "%s is there and is no file; name a file", backup->file);
    return backup->force ? EX_OK : there_already(backup);
}

static int put_in_place(struct backup *backup)
{
    int code = look_at_place(backup);
    if (code != EX_OK)
        return code;
    int done =
        backup->force ? rename(backup->partial, backup->file) : link(backup->partial, backup->file);
    if (done < 0)
        return errno == EEXIST ? there_already(backup) : backup_failed(backup->file, -errno);
    if (backup->force)
        backup->partial[0] = '\0';
    int error = place_sync_folder(backup->file);
    return error ? backup_failed(backup->file, error) : EX_OK;
}

static int write_file(struct backup *backup)
{
    const char *passphrase = backup->wants_passphrase ? backup->passphrase : NULL;
    FD_AUTO int from = open(backup->copy, O_RDONLY | O_CLOEXEC);

    if ((size_t)snprintf(backup->partial, sizeof(backup->partial), "%s.XXXXXX", backup->file) >=
        sizeof(backup->partial))
        return backup_failed(backup->file, -ENAMETOOLONG);
    FD_AUTO int to = mkstemp(backup->partial); /* 0600 */
    if (from < 0 || to < 0) {
        if (to < 0)
            backup->partial[0] = '\0';
        return backup_failed(backup->file, -errno);
    }
    int error = backup_file_write(from, to, passphrase);
    if (!error && fsync(to) < 0)
        error = -errno;
    if (error)
        return backup_failed(backup->file, error);
    int code = prove(backup, to, passphrase);
    return code == EX_OK ? put_in_place(backup) : code;
}

static int note(struct act *act, void *owner)
{
    const struct backup *backup = owner;
    return act_audit(act, "backup", NULL, NULL, "%.300s%s%s", backup->file,
                     backup->wants_passphrase ? ", with a passphrase" : "",
                     backup->missing ? ", with files missing" : "");
}

static int run(struct backup *backup)
{
    const char *why = "";
    int code =
        act_needs_conf(&backup->act, "no backup was made: which files belong in it is in the "
                                     "configuration");

    if (code == EX_OK)
        code = look_at_place(backup);
    if (code != EX_OK)
        return code;
    if (backup->wants_passphrase && prompt_password("this backup", false, backup->passphrase,
                                                    sizeof(backup->passphrase), &why) != EX_OK)
        return cli_fail(EX_DATAERR, "the passphrase: %s", why);
    code = make_copy(backup);
    if (code == EX_OK)
        code = write_file(backup);
    if (code == EX_OK)
        code = act_change(&backup->act, note, backup);
    if (code == EX_OK && backup->backups)
        printf("Backups that lie in %s were left out: %u. Keep them on another machine.\n",
               backup->act.conf.state, backup->backups);
    if (code == EX_OK)
        printf("%s: the database and %u files%s\n", backup->file, backup->files,
               backup->wants_passphrase
                   ? ""
                   : ". It holds every key in clear: keep it as you keep the gateway itself");
    return code == EX_OK && backup->missing
               ? cli_fail(EX_NOINPUT,
                          "%s is made, but not whole: %u files that the configuration names are "
                          "not there",
                          backup->file, backup->missing)
               : code;
}

static void clean_up(struct backup *backup)
{
    store_backup_close(backup->inside);
    if (backup->copy[0])
        unlink(backup->copy);
    if (backup->partial[0])
        unlink(backup->partial);
    explicit_bzero(backup->passphrase, sizeof(backup->passphrase));
}

static int take_file(void *owner, const char *value)
{
    ((struct backup *)owner)->file = value;
    return EX_OK;
}

static int take_force(void *owner, const char *value)
{
    (void)value;
    ((struct backup *)owner)->force = true;
    return EX_OK;
}

static int take_passphrase(void *owner, const char *value)
{
    (void)value;
    ((struct backup *)owner)->wants_passphrase = true;
    return EX_OK;
}

int backup_verb(struct cli *cli, int argc, char **argv)
{
    static const struct cli_option table[] = {
        {"passphrase", NULL, "encrypt it; asked for, or the first line of standard input",
         take_passphrase},
        {"force", NULL, "replace FILE, when it is a file", take_force},
        {0},
    };
    static const struct cli_spec spec = {
        .verb = "backup",
        .summary = "Writes database, keys, configuration and certificates to FILE (mode 0600),\n"
                   "while the gateway runs: all of the state folder as it is at one moment, and\n"
                   "what the configuration names elsewhere. 'deskgate restore' takes it back.\n"
                   "Ends with 0 when all is in it, with 66 when files that are named are not\n"
                   "there, and with 78, and no backup, when the configuration cannot be read.",
        .options = table,
        .word = "FILE",
        .take_word = take_file,
    };
    struct backup *backup = calloc(1, sizeof(*backup));

    if (!backup)
        return cli_fail(EX_OSERR, "out of memory");
    int code = cli_parse(&spec, backup, argc, argv);
    if (code < 0) {
        umask(077);
        act_init(&backup->act);
        code = secret_init() != 0 ? cli_fail(EX_SOFTWARE, "libsodium does not work here")
                                  : act_open(&backup->act, cli);
        if (code == EX_OK)
            code = run(backup);
        clean_up(backup);
        act_close(&backup->act);
    }
    free(backup);
    return code;
}

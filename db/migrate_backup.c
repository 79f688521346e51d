/* The copy of the database that is made before a step of its schema is taken: "….before-v3" holds
 * what there was before step 3. It is whole or not there: it is made under another name, which the
 * finished copy leaves. Whoever makes one holds a lock on it, so that what a killed process left
 * behind can be told from what another one is just making. */
#include "fd.h"
#include "store_sql.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define MARK ".before-v"
#define UNFINISHED ".XXXXXX" /* as mkostemp() wants it */
#define JOURNAL "-journal"   /* SQLite's, beside a copy until it is finished */
#define MAKE_TRIES 3

#define HEADER_VERSION 60 /* where PRAGMA user_version is in the file, big-endian (fileformat2) */

struct copying {
    struct store *store;
    const char *path; /* the database */
    char copy[PATH_SIZE], unfinished[PATH_SIZE];
    int fd; /* of the unfinished one, locked */
    char *why;
    size_t size;
};

static bool failed(const struct copying *copying, const char *path, const char *words,
                   const char *advice)
{
    snprintf(copying->why, copying->size, "%s: the backup before the upgrade failed: %s%s", path,
             words, advice);
    return false;
}

static bool failed_by_errno(const struct copying *copying, const char *path)
{
    return failed(copying, path, strerror(errno), "");
}

static void remove_with_journal(const char *path)
{
    char journal[PATH_SIZE + sizeof(JOURNAL)];
    snprintf(journal, sizeof(journal), "%s" JOURNAL, path);
    unlink(journal);
    unlink(path);
}

static int open_folder(const char *path)
{
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof(folder), "%.*s", (int)(slash ? slash - path + 1 : 1),
             slash ? path : ".");
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* ---- what killed processes left behind ---- */

/* "deskgate.db.before-v10.Ab3dE9", nothing shorter or longer. */
static bool is_unfinished(const char *name, const char *database)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const size_t random = strlen(UNFINISHED) - 1;
    size_t length = strlen(database);
    if (strncmp(name, database, length) != 0 || strncmp(name + length, MARK, strlen(MARK)) != 0)
        return false;
    name += length + strlen(MARK);
    size_t digits = strspn(name, "0123456789");
    name += digits;
    return digits > 0 && *name == '.' && strspn(name + 1, letters) == random &&
           name[1 + random] == '\0';
}

static void remove_unless_locked(int folder, const char *name)
{
    char journal[NAME_MAX + sizeof(JOURNAL)];
    FD_AUTO int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
        return;
    snprintf(journal, sizeof(journal), "%s" JOURNAL, name);
    unlinkat(folder, journal, 0);
    unlinkat(folder, name, 0);
}

/* As far as it goes: what cannot be removed only takes room. */
static void remove_left_over(const char *path)
{
    const char *slash = strrchr(path, '/');
    int fd = open_folder(path);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        fd_close(&fd);
        return;
    }
    for (struct dirent *at; (at = readdir(folder)) != NULL;) {
        if (is_unfinished(at->d_name, slash ? slash + 1 : path))
            remove_unless_locked(fd, at->d_name);
    }
    closedir(folder);
}

/* ---- a new one ---- */

/* Another process may have taken it for left over before it was locked. */
static bool make_file(struct copying *copying)
{
    struct stat st;
    if ((size_t)snprintf(copying->unfinished, PATH_SIZE, "%s" UNFINISHED, copying->copy) >=
        PATH_SIZE) {
        errno = ENAMETOOLONG;
        return failed_by_errno(copying, copying->path);
    }
    for (int i = 0; i < MAKE_TRIES; i++) {
        memcpy(copying->unfinished + strlen(copying->copy), UNFINISHED, sizeof(UNFINISHED));
        copying->fd = mkostemp(copying->unfinished, O_CLOEXEC); /* 0600 */
        if (copying->fd < 0)
            return failed_by_errno(copying, copying->copy);
        bool locked = flock(copying->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
        if (locked && fstat(copying->fd, &st) == 0 && st.st_nlink == 1)
            return true;
        fd_close(&copying->fd);
        remove_with_journal(copying->unfinished);
    }
    errno = EBUSY;
    return failed_by_errno(copying, copying->copy);
}

/* VACUUM INTO fills an empty file, and keeps its mode. */
static bool fill(const struct copying *copying)
{
    sqlite3 *db = copying->store->db;
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &statement, NULL) != SQLITE_OK)
        return failed(copying, copying->path, sqlite3_errmsg(db), store_advice(db));
    sqlite3_bind_text(statement, 1, copying->unfinished, -1, SQLITE_STATIC);
    bool made = sqlite3_step(statement) == SQLITE_DONE ||
                failed(copying, copying->path, sqlite3_errmsg(db), store_advice(db));
    sqlite3_finalize(statement);
    return made && (fsync(copying->fd) == 0 || failed_by_errno(copying, copying->unfinished));
}

static int version_in(int fd)
{
    uint8_t bytes[4];
    if (pread(fd, bytes, sizeof(bytes), HEADER_VERSION) != (ssize_t)sizeof(bytes))
        return -1;
    return (int)((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
                 bytes[3]);
}

/* A journal of the name's former bearer would be played back into this one. */
static bool put_in_place(const struct copying *copying)
{
    char journal[PATH_SIZE + sizeof(JOURNAL)];
    snprintf(journal, sizeof(journal), "%s" JOURNAL, copying->copy);
    if (unlink(journal) != 0 && errno != ENOENT)
        return failed_by_errno(copying, journal);
    if (rename(copying->unfinished, copying->copy) != 0)
        return failed_by_errno(copying, copying->copy);
    FD_AUTO int folder = open_folder(copying->path);
    return (folder >= 0 && fsync(folder) == 0) || failed_by_errno(copying, copying->copy);
}

bool store_back_up(struct store *store, const char *path, int version, char *why, size_t size)
{
    struct copying copying = {.store = store, .path = path, .fd = -1, .why = why, .size = size};
    if ((size_t)snprintf(copying.copy, PATH_SIZE, "%s" MARK "%d", path, version + 1) >= PATH_SIZE) {
        errno = ENAMETOOLONG;
        return failed_by_errno(&copying, path);
    }
    remove_left_over(path);
    if (!make_file(&copying))
        return false;
    bool good = fill(&copying);
    /* Else another process has taken a step meanwhile, and has made its copy before. */
    bool wanted = good && version_in(copying.fd) == version;
    if (wanted)
        good = put_in_place(&copying);
    if (!wanted || !good)
        remove_with_journal(copying.unfinished);
    fd_close(&copying.fd);
    return good;
}

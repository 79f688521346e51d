#include "client_save.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_output(const char *path)
{
    return strcmp(path, "-") == 0;
}

static int fail(struct client_failure *failure, const char *path, int error)
{
    return client_fail(failure, CLIENT_FAULT_OUTPUT, "%s cannot be written: %s", path,
                       strerror(error));
}

static int fail_exists(struct client_failure *failure, const char *path)
{
    return client_fail(failure, CLIENT_FAULT_OUTPUT,
                       "%s is there already; --force replaces it, -o FILE names another", path);
}

int client_save_may(const char *path, bool replace, struct client_failure *failure)
{
    struct stat st;
    if (is_output(path))
        return isatty(STDOUT_FILENO) ? client_fail(failure, CLIENT_FAULT_OUTPUT,
                                                   "the file has a secret in it; standard output "
                                                   "must lead elsewhere than to a terminal")
                                     : 0;
    if (lstat(path, &st) < 0)
        return 0;
    if (!S_ISREG(st.st_mode))
        return client_fail(failure, CLIENT_FAULT_OUTPUT, "%s is not a file", path);
    return replace ? 0 : fail_exists(failure, path);
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

/* Never replaces what has been put there meanwhile. link() is for file systems (NFS) and kernels
 * that have no such rename; others (vfat, exFAT) have no links. 0 or -1, with errno. */
static int move_new(const char *from, const char *to)
{
    if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
        return 0;
    if ((errno != EINVAL && errno != ENOSYS) || link(from, to) < 0)
        return -1;
    unlink(from);
    return 0;
}

/* Beside its place, then moved there. */
static int save_file(const char *path, bool replace, const void *data, size_t size)
{
    char beside[PATH_MAX];
    if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside))
        return -ENAMETOOLONG;
    int fd = mkstemp(beside); /* 0600 */
    int error = fd < 0 ? -errno : write_all(fd, data, size);
    if (fd < 0)
        return error;
    if (close(fd) < 0 && !error)
        error = -errno;
    if (!error && (replace ? rename(beside, path) : move_new(beside, path)) < 0)
        error = -errno;
    if (error)
        unlink(beside);
    return error;
}

int client_save(const char *path, bool replace, const void *data, size_t size,
                struct client_failure *failure)
{
    int error = is_output(path) ? write_all(STDOUT_FILENO, data, size)
                                : save_file(path, replace, data, size);
    if (error == -EEXIST)
        return fail_exists(failure, path);
    return error ? fail(failure, path, -error) : 0;
}

#include "place.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name itself must survive a loss of power, too. */
int place_sync_folder(const char *path)
{
    char folder[CONF_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof(folder), "%.*s", (int)(slash ? slash - path + 1 : 1),
             slash ? path : ".");
    FD_AUTO int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int place_file(const char *path, const void *data, size_t size)
{
    char fresh[CONF_PATH_SIZE];
    struct stat st;

    if (lstat(path, &st) == 0)
        return 0;
    if ((size_t)snprintf(fresh, sizeof(fresh), "%s.%ld", path, (long)getpid()) >= sizeof(fresh))
        return -ENAMETOOLONG;
    FD_AUTO int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int error = fd_write_all(fd, data, size);
    if (!error && fsync(fd) < 0)
        error = -errno;
    if (!error && link(fresh, path) < 0)
        error = -errno;
    unlink(fresh);
    if (!error)
        error = place_sync_folder(path);
    return error == -EEXIST ? 0 : error ? error : 1;
}

int place_folder(const char *path)
{
    struct stat st;

    if (mkdir(path, 0700) == 0)
        return 1;
    if (errno != EEXIST)
        return -errno;
    return stat(path, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int place_give(const char *path, const char *like)
{
    struct stat st;

    if (geteuid() != 0)
        return 0;
    return stat(like, &st) < 0 || lchown(path, st.st_uid, st.st_gid) < 0 ? -errno : 0;
}

bool place_webroot(const struct conf *conf, char path[CONF_PATH_SIZE])
{
    conf_path(conf, PLACE_WEBROOT, path);
    size_t length = strlen(path);
    return strncmp(conf->acme_folder, path, length) == 0 && conf->acme_folder[length] == '/';
}

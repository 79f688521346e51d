#include "folder_lock.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

int folder_lock(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return fd;
    fd_close(&fd);
    return -EBUSY;
}

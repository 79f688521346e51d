#include "folder_lock.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define PAUSE_MS 50U

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

int folder_lock_within(const char *path, unsigned ms)
{
    int lock = folder_lock(path);
    for (unsigned waited = 0; lock == -EBUSY && waited < ms; waited += PAUSE_MS) {
        usleep(PAUSE_MS * 1000);
        lock = folder_lock(path);
    }
    return lock;
}

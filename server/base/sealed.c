#include "sealed.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

int sealed_begin(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd < 0 ? -errno : fd;
}

int sealed_finish(int fd)
{
    static const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    return fcntl(fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

int sealed_new(const char *name, const void *data, size_t size)
{
    FD_AUTO int fd = sealed_begin(name);
    int error = fd < 0 ? fd : fd_write_all(fd, data, size);
    if (!error)
        error = sealed_finish(fd);
    if (error)
        return error;
    int made = fd;
    fd = -1; /* the caller's */
    return made;
}

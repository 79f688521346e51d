#include "control.h"

#include "fd.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

union some_fds {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
};

int control_send(int socket, enum control_type type, const int *fds, size_t count)
{
    if (count > CONTROL_FDS_MAX)
        return -EINVAL;
    uint8_t byte = (uint8_t)type;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    union some_fds control;
    if (count) {
        memset(&control, 0, sizeof(control));
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &msg, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

static size_t take_fds(struct msghdr *msg, int fds[CONTROL_FDS_MAX])
{
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
    if (!cmsg || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
        return 0;
    size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(cmsg), count * sizeof(int));
    return count;
}

int control_receive(int socket, int fds[CONTROL_FDS_MAX], size_t *count)
{
    uint8_t byte[2];
    struct iovec iov = {.iov_base = byte, .iov_len = sizeof(byte)};
    union some_fds control;
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    ssize_t got;
    *count = 0;
    do
        got = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    *count = take_fds(&msg, fds);
    if (got == 0)
        return -EPIPE;
    if (got != 1 || byte[0] < CONTROL_CERTIFICATES || byte[0] >= CONTROL_TYPES ||
        msg.msg_flags & MSG_CTRUNC) {
        while (*count)
            fd_close(&fds[--*count]);
        return -EPROTO;
    }
    return byte[0];
}

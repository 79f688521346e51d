#include "ipc.h"

#include "fd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
    enum ipc_sender sender;
    uint16_t size;
} records[IPC_TYPES] = {
#define GATE IPC_GATE
#define KEEPER IPC_KEEPER
#define X(NAME, name, who) [IPC_##NAME] = {.sender = who, .size = sizeof(struct ipc_##name)},
    IPC_RECORDS(X)
#undef X
#undef GATE
#undef KEEPER
};

static const char *const end_names[IPC_ENDS] = {
    [IPC_END_CLIENT] = "client",
    [IPC_END_CLIENT_LOST] = "client-lost",
    [IPC_END_DESKTOP] = "desktop",
    [IPC_END_DESKTOP_LOST] = "desktop-lost",
    [IPC_END_PROTOCOL] = "protocol",
    [IPC_END_IDLE] = "idle",
    [IPC_END_LIMIT] = "limit",
    [IPC_END_SIGNED_OUT] = "signed-out",
    [IPC_END_SESSION_ENDED] = "session-ended",
    [IPC_END_TUNNEL_ENDED] = "tunnel-ended",
    [IPC_END_USER_DISABLED] = "user-disabled",
    [IPC_END_GRANT_REMOVED] = "grant-removed",
    [IPC_END_STOPPING] = "stopping",
    [IPC_END_GATE_LOST] = "gate-lost",
    [IPC_END_SETUP] = "setup",
    [IPC_END_NEGOTIATION] = "negotiation",
    [IPC_END_DESKTOP_TLS] = "desktop-tls",
    [IPC_END_CERTIFICATE_CHANGED] = "certificate-changed",
    [IPC_END_CERTIFICATE_UNTRUSTED] = "certificate-untrusted",
};

const char *ipc_type_name(unsigned type)
{
    static const char *const names[IPC_TYPES] = {
#define X(NAME, name, who) [IPC_##NAME] = #name,
        IPC_RECORDS(X)
#undef X
    };
    return type > IPC_NONE && type < IPC_TYPES ? names[type] : "unknown";
}

const char *ipc_end_name(unsigned end)
{
    return end < IPC_ENDS ? end_names[end] : "unknown";
}

static const char *const status_names[] = {
    [IPC_OK] = "ok",
    [IPC_DENIED] = "sign_in_refused",
    [IPC_THROTTLED] = "too_many_attempts",
    [IPC_BUSY] = "busy",
    [IPC_PASSWORD_DUE] = "password_change_due",
    [IPC_NO_SESSION] = "no_session",
    [IPC_NO_DESKTOP] = "no_desktop",
    [IPC_DESKTOP_ASLEEP] = "desktop_asleep",
    [IPC_DESKTOP_REFUSED] = "desktop_refused",
    [IPC_DESKTOP_NAME] = "desktop_name",
    [IPC_DESKTOP_ADDRESS] = "desktop_address",
    [IPC_NOT_NOW] = "not_now",
    [IPC_NOT_FROM_HERE] = "not_from_here",
    [IPC_TOO_MANY] = "too_many",
    [IPC_STALE_FACTOR] = "factor_stale",
    [IPC_NOT_ADMINISTRATOR] = "not_administrator",
    [IPC_NOT_FOUND] = "not_found",
    [IPC_BAD_TICKET] = "ticket",
    [IPC_BAD_INVITATION] = "invitation",
    [IPC_WRONG_PASSWORD] = "wrong_password",
    [IPC_WRONG_CODE] = "wrong_code",
    [IPC_OFFER_GONE] = "offer_gone",
    [IPC_WEAK_PASSWORD] = "weak_password",
    [IPC_CERTIFICATE_CHANGED] = "certificate_changed",
    [IPC_CERTIFICATE_UNTRUSTED] = "certificate_untrusted",
    [IPC_FAILED] = "failed",
};

const char *ipc_status_name(unsigned status)
{
    return status < sizeof(status_names) / sizeof(*status_names) ? status_names[status] : "failed";
}

const char *ipc_way_name(unsigned way)
{
    static const char *const names[] = {"tunnel", "rdg", "cleanpath"};
    return way < sizeof(names) / sizeof(*names) ? names[way] : "unknown";
}

enum ipc_way ipc_way_find(const char *name)
{
    unsigned way = 0;
    while (way < IPC_WAYS && strcmp(ipc_way_name(way), name) != 0)
        way++;
    return way < IPC_WAYS ? (enum ipc_way)way : IPC_WAY_TUNNEL;
}

bool ipc_text_ok(const char *field, size_t size)
{
    return memchr(field, '\0', size) != NULL;
}

int ipc_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0 ? -errno
                                                                                           : 0;
}

union one_fd {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int ipc_send(int socket, const struct ipc_head *record, int fd)
{
    /* sendmsg() does not write through iov_base. */
    struct iovec iov = {.iov_base = (void *)(uintptr_t)record, .iov_len = record->size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    union one_fd control;
    if (fd >= 0) {
        memset(&control, 0, sizeof(control));
        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return 0;
    if (errno == EAGAIN || errno == ENOBUFS)
        return -EAGAIN;
    return errno == ECONNRESET ? -EPIPE : -errno;
}

/* Takes the one descriptor out of a message, or none. The control buffer's padding has room for a
 * second one that nobody may send: then both are closed and `*extra` is set. */
static int take_fd(struct msghdr *msg, bool *extra)
{
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
    if (!cmsg || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
        return -1;
    int fds[sizeof(union one_fd) / sizeof(int)];
    size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(cmsg), count * sizeof(int));
    *extra = count > 1;
    for (size_t i = 1; i < count; i++)
        fd_close(&fds[i]);
    return count ? fds[0] : -1;
}

static bool carries_fd(const union ipc_record *record)
{
    return (record->head.type == IPC_OPENED || record->head.type == IPC_ADMIN_DONE) &&
           record->answer.status == IPC_OK;
}

static bool allowed(const union ipc_record *record, size_t size, enum ipc_sender sender)
{
    if (size < sizeof(record->head) || record->head.size != size)
        return false;
    uint16_t type = record->head.type;
    return type > IPC_NONE && type < IPC_TYPES && records[type].size == size &&
           records[type].sender == sender;
}

int ipc_receive(int socket, enum ipc_sender sender, union ipc_record *record, int *fd)
{
    struct iovec iov = {.iov_base = record, .iov_len = sizeof(*record)};
    union one_fd control;
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    ssize_t got;
    *fd = -1;
    do
        got = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    bool extra = false;
    FD_AUTO int carried = take_fd(&msg, &extra);
    if (got == 0)
        return -EPIPE;
    if (extra || msg.msg_flags & MSG_TRUNC || !allowed(record, (size_t)got, sender))
        return -EPROTO;
    /* MSG_CTRUNC with nothing received: we are out of descriptors; the record itself is good. */
    bool lost = msg.msg_flags & MSG_CTRUNC && carried < 0;
    if (carries_fd(record) != (carried >= 0 || lost))
        return -EPROTO;
    *fd = carried;
    carried = -1; /* handed over */
    return 0;
}

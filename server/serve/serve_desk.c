#include "serve_desk.h"

#include "fd.h"
#include "folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define UPGRADE "upgrade"
#define FOLDER_MS 1000 /* for a command that only looks */

bool serve_desk_lock(struct serve_desk *desk, const struct conf *conf, char *why, size_t size)
{
    desk->folder = folder_lock_within(conf->state, FOLDER_MS);
    if (desk->folder >= 0)
        return true;
    if (desk->folder == -EBUSY)
        snprintf(why, size, "another gateway runs in %s, or it is being restored", conf->state);
    else
        snprintf(why, size, "%s: %s", conf->state, strerror(-desk->folder));
    desk->folder = -1;
    return false;
}

/* By the folder's descriptor: a path to a socket has 107 bytes at most. */
static void address_of(struct sockaddr_un *address, int folder)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/" SERVE_DESK_SOCKET,
             folder);
}

int serve_desk_open(struct serve_desk *desk)
{
    struct sockaddr_un address;
    FD_AUTO int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    address_of(&address, desk->folder);
    unlinkat(desk->folder, SERVE_DESK_SOCKET, 0); /* of one that was killed: the lock is ours */
    mode_t before = umask(0177);
    int error = fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
                        listen(fd, 8) < 0
                    ? -errno
                    : 0;
    umask(before);
    if (error)
        return error;
    desk->socket = fd;
    fd = -1; /* kept */
    return 0;
}

void serve_desk_close(struct serve_desk *desk)
{
    if (desk->socket >= 0)
        unlinkat(desk->folder, SERVE_DESK_SOCKET, 0);
    fd_close(&desk->client);
    fd_close(&desk->socket);
    fd_close(&desk->folder);
}

static bool may_ask(int fd)
{
    struct ucred who;
    socklen_t size = sizeof(who);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
           (who.uid == 0 || who.uid == geteuid());
}

static void say(int fd, char sign, const char *words)
{
    char packet[SERVE_DESK_WORDS];
    int size = snprintf(packet, sizeof(packet), "%c%s", sign, words);
    if (size >= (int)sizeof(packet))
        size = sizeof(packet) - 1;
    send(fd, packet, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void serve_desk_accept(struct serve_desk *desk)
{
    FD_AUTO int fd = accept4(desk->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (!may_ask(fd)) {
        say(fd, '-', "only root and the gateway's own user may ask");
    } else if (desk->client >= 0 && !desk->asking) {
        say(fd, '-', "an upgrade is under way already");
    } else {
        fd_close(&desk->client); /* one that never asked */
        desk->client = fd;
        desk->asking = true;
        fd = -1; /* kept */
    }
}

bool serve_desk_hear(struct serve_desk *desk)
{
    char question[32];
    ssize_t got = recv(desk->client, question, sizeof(question), MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got == (ssize_t)strlen(UPGRADE) && memcmp(question, UPGRADE, (size_t)got) == 0 &&
        desk->asking) {
        desk->asking = false;
        return true;
    }
    if (got > 0)
        say(desk->client, '-', "the running gateway knows no such question");
    fd_close(&desk->client);
    return false;
}

void serve_desk_say(struct serve_desk *desk, char sign, const char *words)
{
    if (desk->client < 0)
        return;
    say(desk->client, sign, words);
    if (sign != '=')
        fd_close(&desk->client);
}

int serve_desk_connect(const char *state)
{
    struct sockaddr_un address;
    FD_AUTO int folder = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FD_AUTO int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (folder < 0 || fd < 0)
        return -errno;
    address_of(&address, folder);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    int connected = fd;
    fd = -1; /* the caller's */
    return connected;
}

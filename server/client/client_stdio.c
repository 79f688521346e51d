#include "client_stdio.h"

#include "client_wait.h"
#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 65536

static bool write_all(const struct client_wait *wait, int fd, const uint8_t *data, size_t size)
{
    while (size) {
        if (client_wait_fd(wait, fd, POLLOUT))
            return false;
        ssize_t done = write(fd, data, size);
        if (done < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (done < 0)
            return false;
        data += done;
        size -= (size_t)done;
    }
    return true;
}

static void pump(const struct client_stdio *stdio, int from, int to)
{
    struct client_wait wait = {.cancel = stdio->cancel, .until_ms = UINT64_MAX};
    uint8_t data[PIECE];
    while (!client_wait_fd(&wait, from, POLLIN)) {
        ssize_t got = read(from, data, sizeof(data));
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0 || !write_all(&wait, to, data, (size_t)got))
            return;
    }
}

static void leave(struct client_stdio *stdio)
{
    if (atomic_fetch_sub(&stdio->running, 1) == 1)
        fd_close(&stdio->far);
}

static void *pump_in(void *owner)
{
    struct client_stdio *stdio = owner;
    pump(stdio, STDIN_FILENO, stdio->far);
    shutdown(stdio->far, SHUT_WR);
    leave(stdio);
    return NULL;
}

static void *pump_out(void *owner)
{
    struct client_stdio *stdio = owner;
    pump(stdio, stdio->far, STDOUT_FILENO);
    /* So that the relay learns that nobody reads any more. It waits for our last words then, and
     * the other pump may sit in standard input for ever: these were the last. */
    shutdown(stdio->far, SHUT_RDWR);
    loop_post(stdio->loop, stdio->drained);
    leave(stdio);
    return NULL;
}

static int start_pump(struct client_stdio *stdio, void *(*run)(void *))
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, stdio);
    if (error) {
        leave(stdio);
        return -error;
    }
    pthread_detach(thread);
    return 0;
}

int client_stdio_start(struct client_stdio *stdio, struct loop *loop, struct loop_task *drained,
                       int cancel)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    *stdio =
        (struct client_stdio){.loop = loop, .drained = drained, .far = ends[1], .cancel = cancel};
    atomic_store(&stdio->running, 2);
    int error = fd_nonblocking(ends[0]);
    if (!error)
        error = start_pump(stdio, pump_out);
    if (!error)
        error = start_pump(stdio, pump_in);
    if (!error)
        return ends[0];
    close(ends[0]);
    return error;
}

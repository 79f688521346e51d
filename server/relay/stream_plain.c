#include "stream.h"

#include <errno.h>
#include <sys/socket.h>

static ssize_t plain_read(struct stream *stream, uint8_t *data, size_t size)
{
    ssize_t got;
    do
        got = recv(stream->fd, data, size, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static ssize_t plain_write(struct stream *stream, const uint8_t *data, size_t size)
{
    ssize_t sent;
    do
        sent = send(stream->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

static int plain_flush(struct stream *stream)
{
    (void)stream;
    return 0;
}

static int plain_end(struct stream *stream)
{
    return shutdown(stream->fd, SHUT_WR) < 0 && errno != ENOTCONN ? -errno : 0;
}

static bool plain_readable(const struct stream *stream)
{
    (void)stream;
    return false;
}

static void plain_deinit(struct stream *stream)
{
    (void)stream;
}

void stream_plain_init(struct stream_plain *plain, int fd)
{
    static const struct stream_ops ops = {plain_read, plain_write,    plain_flush,
                                          plain_end,  plain_readable, plain_deinit};
    plain->stream = (struct stream){.ops = &ops, .fd = fd};
}

#include "guarded.h"

#include "owner.h"

#include <errno.h>

static struct guarded *of(struct stream *stream)
{
    return OWNER_OF(stream, struct guarded, stream);
}

/* Behind a head that asks for an upgrade comes whatever it upgrades to, so nothing is judged; until
 * it turns out that the request was answered like any other. */
static bool judges(struct guarded *guarded)
{
    if (atomic_load(guarded->upgraded))
        return false;
    if (guarded->guard.unjudged && guarded->seen != atomic_load(guarded->completed))
        guarded->guard = (struct http_guard){.begun = atomic_load(guarded->completed)};
    return true;
}

static int judge(struct guarded *guarded, const uint8_t *data, size_t size)
{
    if (size <= guarded->ahead || !judges(guarded))
        return 0;
    if (!guarded->guard.unjudged)
        guarded->seen = atomic_load(guarded->completed);
    guarded->fault = http_guard_read(&guarded->guard, data + guarded->ahead, size - guarded->ahead);
    guarded->ahead = size;
    if (guarded->fault)
        guarded->refused(guarded);
    return guarded->fault ? -EPROTO : 0;
}

static ssize_t guarded_write(struct stream *stream, const uint8_t *data, size_t size)
{
    struct guarded *guarded = of(stream);
    int error = guarded->fault ? -EPROTO : judge(guarded, data, size);
    if (error)
        return error;
    ssize_t taken = stream_write(&guarded->plain.stream, data, size);
    if (taken > 0)
        guarded->ahead -= (size_t)taken < guarded->ahead ? (size_t)taken : guarded->ahead;
    return taken;
}

static ssize_t guarded_read(struct stream *stream, uint8_t *data, size_t size)
{
    return stream_read(&of(stream)->plain.stream, data, size);
}

static int guarded_flush(struct stream *stream)
{
    return stream_flush(&of(stream)->plain.stream);
}

static int guarded_end(struct stream *stream)
{
    return stream_end(&of(stream)->plain.stream);
}

static bool guarded_readable(const struct stream *stream)
{
    (void)stream;
    return false; /* as a plain one */
}

static void guarded_deinit(struct stream *stream)
{
    (void)stream;
}

void guarded_init(struct guarded *guarded, int fd, const atomic_uint *completed,
                  const atomic_bool *upgraded, void (*refused)(struct guarded *guarded))
{
    static const struct stream_ops ops = {guarded_read, guarded_write,    guarded_flush,
                                          guarded_end,  guarded_readable, guarded_deinit};
    *guarded = (struct guarded){.stream = {.ops = &ops, .fd = fd},
                                .completed = completed,
                                .upgraded = upgraded,
                                .refused = refused};
    stream_plain_init(&guarded->plain, fd);
}

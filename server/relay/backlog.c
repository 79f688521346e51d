#include "backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void backlog_free(struct backlog *backlog)
{
    free(backlog->data);
    *backlog = (struct backlog){0};
}

static int add(struct backlog *backlog, const uint8_t *data, size_t size)
{
    size_t left = backlog->size - backlog->at;
    uint8_t *grown = malloc(left + size);
    if (!grown)
        return -ENOMEM;
    if (left)
        memcpy(grown, backlog->data + backlog->at, left);
    memcpy(grown + left, data, size);
    free(backlog->data);
    *backlog = (struct backlog){.data = grown, .size = (uint32_t)(left + size)};
    return 0;
}

int backlog_deliver(struct backlog *backlog, struct stream *stream, const uint8_t *data,
                    size_t size)
{
    while (size && !backlog->data) {
        ssize_t written = stream_write(stream, data, size);
        if (written == -EAGAIN)
            break;
        if (written < 0)
            return (int)written;
        data += written;
        size -= (size_t)written;
    }
    return size ? add(backlog, data, size) : 0;
}

int backlog_drain(struct backlog *backlog, struct stream *stream)
{
    int error = stream_flush(stream);
    while (!error && backlog->data) {
        ssize_t written =
            stream_write(stream, backlog->data + backlog->at, backlog->size - backlog->at);
        if (written < 0)
            return (int)written;
        backlog->at += (uint32_t)written;
        if (backlog->at == backlog->size)
            backlog_free(backlog);
        error = stream_flush(stream);
    }
    return error;
}

void backlog_give(struct backlog *backlog, uint8_t **data, size_t *size)
{
    *size = backlog->size - backlog->at;
    if (*size)
        memmove(backlog->data, backlog->data + backlog->at, *size);
    else
        free(backlog->data);
    *data = *size ? backlog->data : NULL;
    *backlog = (struct backlog){0};
}

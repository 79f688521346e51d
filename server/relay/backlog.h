/* What one direction of a relay could not yet deliver: on the heap only while there is something.
 */
#pragma once

#include "stream.h"

#include <stddef.h>
#include <stdint.h>

struct backlog {
    uint8_t *data; /* NULL: nothing waits */
    uint32_t at, size;
};

void backlog_free(struct backlog *backlog);

/* Writes all to the stream, or keeps the rest. 0, the stream's error, or -ENOMEM. */
int backlog_deliver(struct backlog *backlog, struct stream *stream, const uint8_t *data,
                    size_t size);

/* Writes what waits. 0: all has reached the kernel; -EAGAIN; or the stream's error. */
int backlog_drain(struct backlog *backlog, struct stream *stream);

/* Hands out what waits (malloc'd, the caller's; NULL when nothing does) and leaves nothing. */
void backlog_give(struct backlog *backlog, uint8_t **data, size_t *size);

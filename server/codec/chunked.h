/* The chunked transfer coding, RFC 9112 section 7.1, read as bytes come: pure functions. Stricter
 * than the grammar's leniencies: a line ends with CR LF, a size has at most CHUNKED_DIGITS_MOST
 * digits, extensions and trailers are passed over and bounded. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CHUNKED_DIGITS_MOST 8  /* chunks below 4 GiB */
#define CHUNKED_LINE_MOST 1024 /* of a size with its extensions, and of all trailers together */

enum chunked_event {
    CHUNKED_MORE, /* nothing to say yet */
    CHUNKED_DATA, /* payload, at `to` */
    CHUNKED_END,  /* the body is whole; nothing behind it was looked at */
    CHUNKED_BAD   /* nothing more may be read */
};

struct chunked_reader { /* zero-initialise */
    uint8_t state;
    uint8_t digits;
    uint16_t line;
    uint32_t left;
};

/* Reads from `data` up to the next event; returns the bytes used. Payload is put to `to`, which is
 * `data` or before it in the same buffer. `*payload` is its size. */
size_t chunked_read_onto(struct chunked_reader *reader, uint8_t *to, const uint8_t *data,
                         size_t size, enum chunked_event *event, size_t *payload);

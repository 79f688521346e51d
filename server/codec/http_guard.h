/* Whether what a client sends is HTTP/1.1 that can be read in one way only (RFC 9112).
 * libmicrohttpd parses requests; it is lenient where the RFC lets a server be, and where it does
 * not: a bare CR ends a line, a NUL a value, and of two lengths one is taken. Behind a reverse
 * proxy that reads such a request otherwise, somebody's request could hide in another's. So bytes
 * pass here first. Nothing is interpreted but what tells where a request ends, and all that two
 * readers could understand in two ways is refused. A pure function. */
#pragma once

#include "chunked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_GUARD_TEXT 24 /* the longest text that is compared, and more */

/* What a head may take of the memory that libmicrohttpd has for a request (32 KiB): with less left
 * for the answer's head there is none, or a late one. A byte takes one, in a Cookie field two,
 * since that is copied; a field, a cookie and an argument of the target take HTTP_GUARD_ITEM more.
 */
#define HTTP_GUARD_ROOM (28U * 1024)
#define HTTP_GUARD_ITEM 80

struct http_guard { /* zero-initialise; again to begin anew */
    uint8_t state, field;
    uint8_t empty_lines;
    uint8_t hosts, lengths, codings;
    bool old;      /* HTTP/1.0 */
    bool too_long; /* the text is longer than it is kept */
    bool unjudged; /* a head with Upgrade: what follows may be anything, and is not looked at */
    uint8_t text_size;
    char text[HTTP_GUARD_TEXT];
    uint32_t taken; /* of HTTP_GUARD_ROOM */
    unsigned begun; /* requests of which a byte has come */
    uint64_t left;  /* of a body */
    struct chunked_reader chunks;
};

/* 0: nothing wrong so far. Otherwise the status to refuse with (RFC 9110 section 15): 400; 414, the
 * target is too long; 431 (RFC 6585 section 5), the head is; 501, a transfer coding other than
 * chunked; 505, another version. Nothing more may be read then. */
unsigned http_guard_read(struct http_guard *guard, const uint8_t *data, size_t size);

/* So many have had their answers, and of another one there is no byte. Unknown: false. */
bool http_guard_rests(const struct http_guard *guard, unsigned answered);

/* Answers of an HTTP/1.1 server (RFC 9112), as far as the tunnel client needs them: the head's few
 * meaningful fields and the chunked coding. Strict, since the gateway's bytes are outside bytes:
 * CRLF only, no folded lines, no second length, no length beside a coding. Results point into the
 * input. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HTTPRESP_HEAD_MAX 16384 /* bytes of status line and fields */
#define HTTPRESP_FIELDS_MAX 100

/* Results beside "so many bytes consumed", which is > 0. */
#define HTTPRESP_MORE 0
#define HTTPRESP_BAD (-1)

enum httpresp_body {
    HTTPRESP_BODY_NONE,    /* 1xx, 204 and 304 (RFC 9112 section 6.3) */
    HTTPRESP_BODY_LENGTH,  /* `length` bytes */
    HTTPRESP_BODY_CHUNKED, /* see httpresp_chunks() */
    HTTPRESP_BODY_END      /* until the connection's end */
};

struct httpresp {
    uint16_t status; /* 100–599 */
    enum httpresp_body body;
    uint64_t length;
    bool close;           /* the server closes the connection behind this answer */
    bool upgrades;        /* Connection names "upgrade" and Upgrade is exactly "websocket" */
    bool extends;         /* Sec-WebSocket-Extensions or -Protocol is there */
    uint32_t retry_after; /* seconds; 0: none, or given as a date */
    const char *accept;   /* Sec-WebSocket-Accept; NULL when it is missing or not alone */
    size_t accept_size;
};

/* One head, up to and with its empty line: bytes consumed, HTTPRESP_MORE or HTTPRESP_BAD. */
ssize_t httpresp_parse(const uint8_t *data, size_t size, struct httpresp *out);

/* A whole body in the chunked coding (RFC 9112 section 7.1) with its trailer: bytes consumed, and
 * the content moved to the front of `data`, `*content` bytes of it. `data` is untouched otherwise.
 */
ssize_t httpresp_chunks(uint8_t *data, size_t size, size_t *content);

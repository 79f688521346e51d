/* The first words with a desktop on a browser's behalf: its X.224 connection request, the confirm,
 * then the TLS handshake, on the connected socket. In the worker's thread. */
#pragma once

#include "loop.h"
#include "stream.h"
#include "x224.h"

#include <stdint.h>

struct desktop_tls;

enum desktop_hello_end {
    DESKTOP_HELLO_OK,
    DESKTOP_HELLO_LOST,    /* the connection broke before TLS */
    DESKTOP_HELLO_LATE,    /* no confirm in time */
    DESKTOP_HELLO_FOREIGN, /* what answers there does not speak RDP */
    DESKTOP_HELLO_REFUSED, /* it agrees on nothing that has TLS in it; `confirm` says it */
    DESKTOP_HELLO_TLS      /* the handshake failed, broke or took too long; `tls_code`, `alert` */
};

struct desktop_hello { /* embed it; zero-initialised */
    /* Set by the caller. `done` is called once, from the loop, never from desktop_hello_begin(). */
    void (*done)(struct desktop_hello *hello, enum desktop_hello_end end);
    struct loop *loop;
    struct stream_scratch *scratch;
    struct desktop_tls *desktop_tls;
    int fd;           /* stays the caller's */
    const char *host; /* stays until done */

    /* For the caller, once done. */
    uint8_t confirm[X224_CONFIRM_MOST]; /* OK, REFUSED */
    size_t confirm_size;
    uint32_t failure;       /* REFUSED: why, as it says ([MS-RDPBCGR]); 0: it says nothing */
    struct stream_tls *tls; /* OK: established, malloc'd, the caller's to take (and set NULL) */
    int tls_code;           /* TLS: what GnuTLS says of it; GNUTLS_E_TIMEDOUT: took too long */
    int alert;              /* TLS: RFC 8446 section 6; of theirs or of ours; 0: none */

    /* Private. */
    struct loop_source source;
    struct loop_timer timer;
};

/* Sends the request and goes on by itself, for `ms` at most. 0 or a negative errno. */
int desktop_hello_begin(struct desktop_hello *hello, const uint8_t *request, size_t size,
                        uint32_t ms);
/* Out of the loop, and what it holds freed. Any number of times. */
void desktop_hello_stop(struct desktop_hello *hello);

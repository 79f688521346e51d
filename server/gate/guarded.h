/* The stream towards libmicrohttpd: bytes go there only after http_guard.h has had nothing against
 * them. */
#pragma once

#include "http_guard.h"
#include "stream.h"

#include <stdatomic.h>

struct guarded {
    struct stream stream;
    struct stream_plain plain;
    struct http_guard guard;
    size_t ahead;   /* bytes judged and not yet taken by the socket: they are offered again */
    unsigned waits; /* the owner's: how often it has put off its answer to a fault */
    unsigned fault; /* the status to refuse with; 0: none */
    unsigned seen;  /* `completed` when the guard ceased to judge */
    void *owner;
    const atomic_uint *completed;             /* requests answered */
    const atomic_bool *upgraded;              /* what comes now is not HTTP */
    void (*refused)(struct guarded *guarded); /* once, from within a write, which fails */
};

/* `fd` is the socketpair's end. */
void guarded_init(struct guarded *guarded, int fd, const atomic_uint *completed,
                  const atomic_bool *upgraded, void (*refused)(struct guarded *guarded));

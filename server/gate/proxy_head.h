/* Reading a PROXY header (codec/proxy2.h) from a connection of a balancer's, in as many pieces as
 * it comes, and not a byte more: what stands behind it is TLS's. */
#pragma once

#include "proxy2.h"

struct proxy_head {
    size_t size; /* read so far */
    uint8_t bytes[PROXY2_MOST];
};

/* Reads what is there of a non-blocking `fd`. `*out` is filled in with DONE; BAD also at the end of
 * the stream. */
enum proxy2_result proxy_head_read(struct proxy_head *head, int fd, struct proxy2 *out);

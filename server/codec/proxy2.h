/* The header of the PROXY protocol, version 2 (haproxy's doc/proxy-protocol.txt of 2020/03/05,
 * section 2.2): a balancer says whose connection it passes on, in the first bytes of it. A pure
 * function. */
#pragma once

#include "addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROXY2_FIXED 16 /* signature, version and command, family, length */
/* The whole header of a balancer that speaks for itself (LOCAL), as when it looks whether a server
 * is well: PROXY2_FIXED bytes. */
#define PROXY2_LOCAL "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
#define PROXY2_MOST 4096 /* a whole header; the length field could say 64 KiB more */

enum proxy2_result {
    PROXY2_MORE, /* good so far */
    PROXY2_DONE,
    PROXY2_BAD /* no header, one that breaks the rules, or one longer than PROXY2_MOST */
};

struct proxy2 {
    size_t size; /* MORE: bytes to have before asking again, none of them behind the header;
                    DONE: the header's */
    bool told;   /* `source` is filled in; else the connection's own addresses hold: the balancer
                    speaks for itself (LOCAL, such as a health check), or passes on what has no
                    address of IP (UNSPEC, UNIX) */
    struct addr source;
};

/* Reads a header from the beginning of `data`. What is wrong is known as soon as it is there,
 * before the rest has come. TLVs are passed over, but must fill the header exactly; a checksum
 * among them (section 2.2.3) must be right. */
enum proxy2_result proxy2_read(const uint8_t *data, size_t size, struct proxy2 *out);

#define PROXY2_BEGINS 12 /* bytes that proxy2_begins() looks at, at most */
/* Whether these are the first bytes of a header of version 1 or 2, and of nothing else: for words
 * to whoever must not send one. */
bool proxy2_begins(const uint8_t *data, size_t size);

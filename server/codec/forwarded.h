/* Whom a request comes from, as the reverse proxies on its way say: X-Forwarded-For, or Forwarded
 * (RFC 7239 section 4). Pure functions.
 *
 * Each proxy appends whom it got the request from; what stands before the first one that we trust
 * may have been made up. So the list is read from its end, as long as it names trusted proxies: the
 * next address is the client's. */
#pragma once

#include "addr.h"

#include <stdbool.h>
#include <stddef.h>

#define FORWARDED_MOST 32 /* hops that are looked at, the last ones */

enum forwarded_kind { FORWARDED_X_FOR, FORWARDED_STANDARD };

struct forwarded { /* zero-initialise */
    size_t count;
    struct {
        bool known; /* else it was no address: "unknown", an alias, rubbish */
        struct addr address;
    } hops[FORWARDED_MOST];
};

/* Takes one field's value; several fields of a request are one list, in their order (RFC 9110
 * section 5.3). A comma ends an element also between quotes, so that what a client left open cannot
 * swallow what the proxy wrote behind it; nothing that names an address has one there. */
void forwarded_add(struct forwarded *list, enum forwarded_kind kind, const char *value);

/* The client's address, when `peer`, whom we trust, is who sent the list: the last one in it that
 * is not in `trusted`. Where that is no address, the proxy that said so, and where all are trusted,
 * the first. */
struct addr forwarded_client(const struct forwarded *list, const struct addr *peer,
                             const struct addr_net *trusted, size_t count);

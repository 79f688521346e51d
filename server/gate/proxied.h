/* Requests that a reverse proxy passes on ([server] trusted_proxies): one connection of its carries
 * those of many people, each with an address of its own. HTTP thread, but for proxied_by(). */
#pragma once

#include "addr.h"

#include <stdbool.h>

struct conn;
struct request;

/* Whether the other end of this connection is such a proxy. Any thread. */
bool proxied_by(const struct conn *conn);

/* Where the request comes from: as the proxy says, else the connection's address. */
struct addr proxied_client(const struct request *request);

/* The connection counts for the request's address until proxied_end(). False: there are too many
 * from there already. Nothing happens where no proxy is. */
bool proxied_begin(struct request *request);
/* What has become a tunnel or a conversation stays what it is. */
void proxied_end(struct request *request);

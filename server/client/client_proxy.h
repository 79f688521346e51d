/* Which proxy the environment names for a gateway: https_proxy, all_proxy, no_proxy. */
#pragma once

#include "client_url.h"

#include <stdbool.h>

/* The proxy's address, which may hold a password; NULL: none. It points into the environment. */
const char *client_proxy_for(const struct client_url *gateway);

/* False for a proxy that is itself reached by TLS, and others that are not known here. */
bool client_proxy_usable(const char *proxy);

/* Whether the list of no_proxy has the gateway, by libcurl's rules: "*", or names, with all below
 * them, addresses and networks between commas or spaces. Pure. */
bool client_proxy_spares(const char *list, const struct client_url *gateway);

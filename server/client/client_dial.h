/* A TCP connection to the gateway, as the system's settings want it: names, both address families
 * raced, proxies from https_proxy, all_proxy and no_proxy (CONNECT and SOCKS, with credentials). */
#pragma once

#include "client_failure.h"
#include "client_url.h"
#include "client_wait.h"

/* Blocks. A connected descriptor (non-blocking, close-on-exec, the caller's), or -1. */
int client_dial(const struct client_url *gateway, const struct client_wait *wait,
                struct client_failure *failure);

/* The local address that the RDP client connects to. */
#pragma once

#include "client_failure.h"
#include "client_url.h"

#include <stddef.h>
#include <stdint.h>

#define CLIENT_LISTEN_TEXT 64 /* "[address]:port" */

/* The port of this gateway's desktop: the same each time, since RDP clients remember certificates
 * by host and port, and another one for another desktop, but for one in some ten thousand. */
uint16_t client_listen_port(const struct client_url *gateway, const char *desktop);

/* Binds and listens; fills in the port when any was wished, and the text to connect to. The
 * descriptor (non-blocking, close-on-exec, the caller's), or -1. */
int client_listen(struct client_listen *listen, char text[CLIENT_LISTEN_TEXT],
                  struct client_failure *failure);

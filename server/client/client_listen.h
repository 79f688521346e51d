/* The local address that the RDP client connects to. */
#pragma once

#include "client_failure.h"
#include "client_url.h"

#include <stddef.h>

#define CLIENT_LISTEN_TEXT 64 /* "[address]:port" */

/* Binds and listens; fills in the port when any was wished, and the text to connect to. The
 * descriptor (non-blocking, close-on-exec, the caller's), or -1. */
int client_listen(struct client_listen *listen, char text[CLIENT_LISTEN_TEXT],
                  struct client_failure *failure);

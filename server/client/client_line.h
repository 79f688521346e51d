/* The line to the gateway: whether its machine, or the network's, still answers. */
#pragma once

#include <stdbool.h>

#define CLIENT_LINE_SECONDS 20 /* of silence are borne */

/* From now on the kernel asks a peer that says nothing, so that something is on its way to it. */
void client_line_keep(int fd);

/* Something is on its way to the peer, and nothing has come from it for so long, no acknowledgement
 * either. Right after a stall of our own it may be too early to tell: it has to be so twice, some
 * seconds apart. */
bool client_line_is_silent(int fd);

/* The way in of RDP clients: the RD Gateway protocol, [MS-TSGU], over WebSocket or over the legacy
 * pair of HTTP channels. A conversation of four questions (tsgu_steps.h), then RDP in data packets.
 * Nobody has signed in on this connection: what lets it in is the ticket that the client found in
 * its .rdp file, or a gateway password. */
#pragma once

#include "talk.h"

struct request;

/* HTTP thread; for handover_post(). `bare`: packets without WebSocket's frames, in on conn->in.
 * NULL when there is no memory. */
struct talk *tsgu_talk_new(const struct request *request, bool bare);

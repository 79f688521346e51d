/* The way in of RDP clients: the RD Gateway protocol, [MS-TSGU], over WebSocket. A conversation of
 * four questions, then RDP in data packets. Nobody has signed in on this connection: what lets it
 * in is the ticket that the client found in its .rdp file. */
#pragma once

#include "talk.h"

struct request;

/* For handover_post(): NULL when there is no memory. */
struct talk *tsgu_talk_new(const struct request *request);

/* A browser's way in: RDCleanPath over WebSocket. One request of the client's, one answer of ours,
 * then RDP in both directions; the gate speaks X.224 and TLS with the desktop. */
#pragma once

#include "cleanpath.h"
#include "talk.h"

struct request;

/* For handover_post(): NULL when there is no memory. Keeps the request's session and origin, and
 * asks the keeper for nothing before the client has presented its ticket. */
struct talk *cleanpath_talk_new(const struct request *request);

/* What a client can be told of a refusal (enum ipc_status, but OK). */
struct cleanpath_error cleanpath_talk_error(unsigned status);

/* The WebSocket opening handshake, RFC 6455 section 4.2. */
#pragma once

#include "request.h"

/* NULL when the request is a proper upgrade; otherwise what to tell the client, and `*status`. */
const char *upgrade_refusal(const struct request *request, unsigned *status);

/* Answers 101 and hands the connection over to a tunnel on the desktop in request->answer/fd. */
enum MHD_Result upgrade_accept(struct request *request);
/* Answers 101 and hands the connection over to an RDCleanPath conversation of this session. */
enum MHD_Result upgrade_accept_talk(struct request *request);

/* The WebSocket opening handshake, RFC 6455 section 4.2. */
#pragma once

#include "request.h"
#include "talk.h"

struct upgrade_talk {
    struct talk *(*begin)(const struct request *request);
};

/* NULL when the request is a proper upgrade; otherwise what to tell the client, and `*status`. */
const char *upgrade_refusal(const struct request *request, unsigned *status);

/* NULL, or why an upgrade that is wanted cannot be had: 426. Notes it in the log. */
const char *upgrade_refusal_old(const struct request *request);

/* Answers 101 and hands the connection over to a tunnel on the desktop in request->answer/fd. */
enum MHD_Result upgrade_accept(struct request *request);
/* True for an upgrade by a client that is forgiven its key: FreeRDP's is no base64. */
bool upgrade_wanted(const struct request *request);
/* Answers 101 and hands the connection over to a conversation; begin() makes it (NULL: no memory).
 * `kind` stays. */
enum MHD_Result upgrade_accept_talk(struct request *request, const struct upgrade_talk *kind);

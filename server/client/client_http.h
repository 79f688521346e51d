/* One request and its answer on a fresh TLS connection. */
#pragma once

#include "client_wire.h"
#include "httpresp.h"

#include <stdint.h>

#define CLIENT_HTTP_BODY_MAX 65536

/* Lies in guarded memory that is wiped when freed, for a sign-in's answer holds the token. */
struct client_answer {
    struct httpresp head;
    char *body; /* NUL-terminated, within `bytes` */
    size_t body_size;
    const uint8_t *early; /* behind a 101: the tunnel's first bytes, within `bytes` */
    size_t early_size;
    size_t size; /* of what has been received into `bytes` */
    uint8_t bytes[HTTPRESP_HEAD_MAX + CLIENT_HTTP_BODY_MAX + 1];
};

struct client_answer *client_answer_new(void); /* NULL when memory ran out */
void client_answer_free(struct client_answer *answer);

struct client_request {
    const char *method, *path;
    const char *token;  /* NULL: none */
    const char *fields; /* further header lines, each with CRLF; or NULL */
    const char *body;   /* JSON; or NULL */
};

/* Sends the request and receives its answer, whole but for a 101. `failure->sent` tells whether
 * the gateway may have seen it. 0 or -1; the wire stays the caller's. */
int client_http_exchange(struct client_wire *wire, const struct client_gateway *gateway,
                         const struct client_request *request, struct client_answer *answer,
                         const struct client_wait *wait, struct client_failure *failure);

/* The same, with a connection of its own, bounded by `ms`. */
int client_http_ask(const struct client_gateway *gateway, const struct client_request *request,
                    struct client_answer *answer, int cancel, uint32_t ms,
                    struct client_failure *failure);

/* Addresses as a person types them: the gateway's, and the local one to listen on. Pure. */
#pragma once

#include "addr.h"

#include <stdbool.h>
#include <stdint.h>

#define CLIENT_URL_HOST_SIZE 254 /* RFC 1035 section 2.3.4: 253 characters */

struct client_url {
    char host[CLIENT_URL_HOST_SIZE];          /* lower case, without brackets */
    char authority[CLIENT_URL_HOST_SIZE + 8]; /* for the Host field: [v6]:port, no port when 443 */
    uint16_t port;
    bool numeric; /* the host is an address */
};

/* "https://host[:port][/]", the scheme may be left out. False with words in `*why`. A host name
 * with letters beyond ASCII must be given in its xn-- form. */
bool client_url_parse(struct client_url *out, const char *text, const char **why);

struct client_listen {
    struct addr address;
    uint16_t port; /* 0: any */
};

/* "127.0.0.1:3390", "[::1]:0", "localhost:3390", or a port alone for 127.0.0.1. */
bool client_listen_parse(struct client_listen *out, const char *text);
bool client_listen_is_loopback(const struct client_listen *listen);

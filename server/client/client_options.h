/* The arguments of "deskgate connect" and "deskgate rdp-file". */
#pragma once

#include "client_trust.h"
#include "client_url.h"

#include <stdbool.h>
#include <stdint.h>

struct client_options {
    struct client_url gateway;
    const char *desktop;
    const char *user; /* NULL: ask */
    struct client_listen listen;
    bool listen_given; /* false: at the desktop's own port (client_listen.h) */
    bool stdio;
    bool pinned;
    uint8_t pin[CLIENT_TRUST_PIN_SIZE];
    const char *cacert; /* NULL: the system's authorities */
    const char *exec;   /* a shell command, or NULL */
    char **words;       /* a command from behind "--", or NULL */
    int credentials_fd; /* -1: ask on the terminal */
    int ready_fd;       /* -1: none */
    uint32_t retry_ms;
    const char *output; /* rdp-file: NULL: DESKTOP.rdp */
    bool force;         /* rdp-file: replace it */
};

enum client_verb { CLIENT_CONNECT, CLIENT_RDP_FILE };

/* EX_OK with `options` filled in; -1 when --help was answered; EX_USAGE, with words on standard
 * error. The options point into argv. */
int client_options_parse(struct client_options *options, enum client_verb verb, int argc,
                         char **argv);

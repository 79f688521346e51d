/* The connection to a syslog receiver: a local datagram socket, or TLS with octet counting (RFC
 * 5425), the name checked. Every wait is bounded. */
#pragma once

#include "conf.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

struct syslog_wire {
    const struct conf *conf;
    int fd; /* -1: none */
    gnutls_session_t session;
    gnutls_certificate_credentials_t authorities;
    char why[256]; /* what went wrong */
};

/* 0 or -1 with `why`. */
int syslog_wire_open(struct syslog_wire *wire, const struct conf *conf);
void syslog_wire_close(struct syslog_wire *wire); /* may run twice */

/* One message. 0 or -1 with `why`. */
int syslog_wire_send(struct syslog_wire *wire, const char *message, size_t size);
/* Whether the receiver's machine has all that was sent. */
bool syslog_wire_taken(const struct syslog_wire *wire);
/* The descriptor is readable: 0, or -1 when the receiver has closed. */
int syslog_wire_read(struct syslog_wire *wire);

/* The sockets that the gate accepts on: bound here, or handed over by systemd's socket activation
 * (sd_listen_fds(3)), where the name "http" marks plain HTTP and
 * "metrics" what Prometheus reads. */
#pragma once

#include "conf.h"
#include "gate.h"

#include <stddef.h>

struct serve_listeners {
    struct gate_listener items[CONF_LISTEN_MAX];
    size_t count;
};

/* Listens on all of conf->listen, or takes systemd's sockets; then conf->listen says where the
 * sockets really are (port 0, systemd) and public_port follows unless the file gave it.
 * An exit code (sysexits.h); faults are logged with what to do. */
int serve_listen(struct conf *conf, struct serve_listeners *listeners);
/* A successor's, which were handed over: conf->listen says where they are. What the configuration
 * wants beyond them is told to take a restart. An exit code. */
int serve_listen_take(struct conf *conf, struct serve_listeners *listeners);
void serve_listen_close(struct serve_listeners *listeners); /* may run twice */

#define SERVE_ADDRESSES_SIZE 1024
/* "192.0.2.1:443 [::]:443", the TLS ones first, Prometheus' last. */
void serve_listen_text(const struct conf *conf, char to[SERVE_ADDRESSES_SIZE]);

/* Certificates and keys for the gate, which cannot open files. They are read and judged here, and
 * kept as sealed memory files: a gate that is started again gets the last good ones, whatever has
 * become of the files since. */
#pragma once

#include "conf.h"
#include "control.h"

#include <stddef.h>

struct serve_pems {
    int fds[CONTROL_FDS_MAX]; /* certificate, key, certificate, key, … */
    size_t count;
    int authorities; /* of desktops' certificates; -1: none */
    int signer[2];   /* of .rdp files: certificate, key; -1: none */
};
#define SERVE_PEMS_NONE                                                                            \
    {                                                                                              \
        .authorities = -1, .signer = { -1, -1 }                                                    \
    }

/* Reads all pairs of the configuration, the authorities, and the pair that signs. On success the
 * old ones are closed and replaced, else they stay and `why` gets words. 0 or a negative errno. */
int serve_pems_load(struct serve_pems *pems, const struct conf *conf, char *why, size_t size);
int serve_pems_send(const struct serve_pems *pems, int control); /* 0 or a negative errno */
void serve_pems_close(struct serve_pems *pems);                  /* may run twice */

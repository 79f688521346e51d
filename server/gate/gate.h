/* The gate: the process that talks to the internet. */
#pragma once

#include "conf.h"

#include <stdbool.h>
#include <stddef.h>

struct gate_listener {
    int fd;       /* bound and listening, non-blocking */
    bool tls;     /* false: plain HTTP, redirect and ACME only, or … */
    bool metrics; /* … Prometheus only */
};

struct gate_setup {
    const struct conf *conf;
    const struct gate_listener *listeners;
    size_t count;
    int keeper;  /* the record socket (ipc/ipc.h) */
    int control; /* from the supervisor (ipc/control.h); the first message is CERTIFICATES */
};

/* Runs until drained or until keeper or supervisor is gone. Returns an exit code (sysexits.h). */
int gate_main(const struct gate_setup *setup);

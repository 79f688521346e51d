/* The keeper: the process that knows people, desktops and policy, and dials. */
#pragma once

#include "conf.h"
#include "ipc.h"

#include <stdbool.h>
#include <stdio.h>

struct store;

/* What an administrator asks for in the browser. Who it is and that they may has been checked. */
struct keeper_order {
    const struct conf *conf;
    struct store *store;
    const struct ipc_origin *origin;
    const char *by;  /* "web:alice" */
    bool changes;    /* or only reads */
    char *arguments; /* struct ipc_admin; `size` bytes, the last one a NUL */
    size_t size;
    FILE *printed, *said;
    bool json; /* out: what was printed is one JSON value */
};

struct keeper_setup {
    const struct conf *conf;
    /* Another keeper has the store open, whose gate drains: its tunnels are not an earlier run's.
     */
    bool company;
    int control; /* from the supervisor (ipc/control.h); gates arrive on it */
    /* Carries it out, in a thread of its own; an exit code (sysexits.h). The rooms above know how.
     */
    int (*administer)(struct keeper_order *order);
};

/* Runs until told to stop or until the supervisor is gone. Returns an exit code (sysexits.h). */
int keeper_main(const struct keeper_setup *setup);

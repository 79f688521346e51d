/* The keeper: the process that knows people, desktops and policy, and dials. */
#pragma once

#include "conf.h"

struct keeper_setup {
    const struct conf *conf;
    int control; /* from the supervisor (ipc/control.h); gates arrive on it */
};

/* Runs until told to stop or until the supervisor is gone. Returns an exit code (sysexits.h). */
int keeper_main(const struct keeper_setup *setup);

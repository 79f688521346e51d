/* What every verb of the command line is given. */
#pragma once

struct cli {
    const char *program; /* as it was called */
    const char *state;   /* the state folder, --state */
};

/* What the supervisor gives up before it starts anything: root, capabilities, the way back, core
 * dumps; and the descriptors that it makes room for. */
#pragma once

#include "conf.h"

#include <stdbool.h>

/* Becomes conf->user for good when root. An exit code (sysexits.h); faults are logged. */
int serve_drop_root(const struct conf *conf);

/* For this process and all that it starts. Call while still root, so that limits may rise. */
void serve_drop_limits(const struct conf *conf);
bool serve_drop_privileges(void); /* no_new_privs and no capabilities; false: logged */

/* The time zone in which an administrator's hours are meant. */
#pragma once

#include <stdbool.h>

/* Whether the system knows it (tzdata): a name such as Europe/Berlin or Etc/UTC. */
bool zone_known(const char *name);

/* Makes it the process's local time; "" leaves the system's. Before any other thread begins. */
void zone_use(const char *name);

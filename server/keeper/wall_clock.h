/* The wall clock may be set. What lasts is counted by a clock that cannot be; what has a date goes
 * by the wall clock, and whoever sets it back would make dates of the future wait for it. */
#pragma once

#include "keeper_state.h"

/* At the start, with a store. */
void wall_clock_start(struct keeper *keeper);
/* At each poll: notes in log and audit log that it was set by more than two seconds, puts right
 * what would wait, and judges all tunnels anew. True when it was set: sessions may have expired. */
bool wall_clock_look(struct keeper *keeper);

/* Openings that are under way. */
#pragma once

#include "keeper_state.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether the desktop that this ticket (its number) is to open is being woken. */
bool opening_wakes(const struct keeper *keeper, int64_t ticket);

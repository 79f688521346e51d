/* The state folder's secret key, held against the database beside it. */
#pragma once

#include "keeper_state.h"

/* Reads keeper->key, for keeper->store, which is open, and has the store seal with it. A key is
 * made only when there are no people: for the seeds of others it would be wrong. EX_OK; or
 * EX_CONFIG with words in the log: it is missing, unusable, or opens nobody's second factor. */
int state_key_open(struct keeper *keeper);

/* The state folder's secret key, held against the database beside it. */
#pragma once

#include "keeper_state.h"

/* False when it opens nobody's second factor though there are some: it is another database's. What
 * is sealed with it would make it look right, and everybody else's factors wrong. */
bool state_key_fits(struct store *store, const struct secret_key *key);

/* Reads keeper->key, for keeper->store, which is open, and has the store seal with it. A key is
 * made only when there are no people: for the seeds of others it would be wrong. EX_OK; or
 * EX_CONFIG with words in the log: it is missing, unusable, or opens nobody's second factor. */
int state_key_open(struct keeper *keeper);

/* Where an address has all its connections and none of this worker's rests, one of another worker's
 * may: the newcomer goes from worker to worker until one makes room for it and keeps it. */
#pragma once

#include <stdbool.h>

struct newcomer;
struct worker;

/* True: the descriptor is the next one's, which goes on with conn_accept(). False: nobody else is
 * to be asked, or too many are on their way. */
bool pass_on(struct worker *worker, const struct newcomer *newcomer);

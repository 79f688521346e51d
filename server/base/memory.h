/* A process's memory stays its own: it goes neither into a core file nor to a swap device. */
#pragma once

#include <stdbool.h>

/* No core file, no debugger of the same user: for every process, before it has a secret. A change
 * of user undoes it, so it is called again then. Programs that are started afterwards are as they
 * were, but for the soft limit of cores. */
void memory_undumped(void);

/* May lock as much as it likes from now on, if root says so; it stays so for the programs that are
 * started and when root is given up. */
void memory_allow_lock(void);

/* Keeps what the process has and will have in its memory out of swap, without making more of it
 * present. False: that is not allowed. */
bool memory_lock(void);

/* Whether a gateway that is started here, by this user, will have its way with that. */
bool memory_may_lock(void);

/* Gives freed memory back to the kernel, which a locked heap does not do by itself. */
void memory_trim(void);

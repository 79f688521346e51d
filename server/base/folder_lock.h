/* One gateway at most serves a state folder, and none while it is being restored: whoever holds the
 * lock on the folder itself. */
#pragma once

#include <stddef.h>

/* The descriptor that holds the lock until it is closed; -EBUSY: somebody else has it; or another
 * negative errno. A file system without locks does without. */
int folder_lock(const char *path);
/* The same, but waits up to so many milliseconds for who has it: a command may for a moment, to see
 * whether a gateway does. */
int folder_lock_within(const char *path, unsigned ms);

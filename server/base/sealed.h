/* Memory files that nobody can change any more: what one process hands to another. */
#pragma once

#include <stddef.h>

/* One with these bytes in it, its place behind them. A descriptor, close-on-exec, or a negative
 * errno. `name` is what /proc shows of it. */
int sealed_new(const char *name, const void *data, size_t size);

/* The same for what is written piece by piece: an empty one, and when all is in it, the seals.
 * The first: a descriptor or a negative errno; the second: 0 or a negative errno. */
int sealed_begin(const char *name);
int sealed_finish(int fd);

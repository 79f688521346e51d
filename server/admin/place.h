/* Files that init puts in their place once: whole or not at all, never over another one. */
#pragma once

#include <stddef.h>

/* 1: made (mode 0600, on disk); 0: there was one already, it is untouched; else a negative errno.
 */
int place_file(const char *path, const void *data, size_t size);
/* The same for a folder (mode 0700). */
int place_folder(const char *path);

/* Files that init puts in their place once: whole or not at all, never over another one. */
#pragma once

#include "conf.h"

#include <stdbool.h>
#include <stddef.h>

/* 1: made (mode 0600, on disk); 0: there was one already, it is untouched; else a negative errno.
 */
int place_file(const char *path, const void *data, size_t size);
/* The same for a folder (mode 0700). */
int place_folder(const char *path);

/* What is new in the folder of `path` is on disk. 0 or a negative errno. */
int place_sync_folder(const char *path);

/* What root has made within the state folder belongs to whom `like` belongs to. 0 or a negative
 * errno; not root: nothing is done. */
int place_give(const char *path, const char *like);

#define PLACE_WEBROOT "acme" /* certbot's, in the state folder */
/* Where that is; false when the configured challenges are elsewhere, and it is nobody's to make. */
bool place_webroot(const struct conf *conf, char path[CONF_PATH_SIZE]);

/* A file with a secret in it: only its owner may read it, and it is whole or not there. */
#pragma once

#include "client_failure.h"

#include <stdbool.h>
#include <stddef.h>

/* `path` "-" is standard output. An existing file is replaced with `replace` only. 0 or -1. */
int client_save(const char *path, bool replace, const void *data, size_t size,
                struct client_failure *failure);
/* Before anybody is asked for a password: would client_save() refuse? 0 or -1. */
int client_save_may(const char *path, bool replace, struct client_failure *failure);

/* The sign-in's body: {"username": …, "password": …, "code": …}. Read from strangers. */
#pragma once

#include "ipc.h"

#include <stdbool.h>
#include <stddef.h>

/* Fills username, password and code. False with words for the client in `*why` when the body is not
 * exactly such an object. Spaces in the code are dropped: people copy "123 456". */
bool login_json_read(const char *body, size_t size, struct ipc_sign_in *to, const char **why);

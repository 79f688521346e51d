/* Where user name, password and codes come from: the person at the terminal (/dev/tty, so that
 * standard input stays free), or a descriptor (--credentials-fd N) with one per line, in this
 * order:
 *
 *     user name      (not when --user names it)
 *     password
 *     code
 *
 * Whenever a new sign-in is due, one further line, a fresh code, is read from the same descriptor;
 * its end then ends the client. A line may end with CR LF. */
#pragma once

#include "client_failure.h"
#include "client_status.h"

#include <stdbool.h>
#include <stddef.h>

struct client_ask {
    int fd;     /* the credentials' descriptor, or -1: the terminal */
    int cancel; /* readable once the client is ending */
    struct client_status *status;
};

/* One answer into `to`, never empty: `prompt` is for the terminal, `secret` hides what is typed. Of
 * one that is not secret, spaces at both ends are left out. 0, or -1 with `to` wiped. Blocks; one
 * caller at a time. */
int client_ask(const struct client_ask *ask, const char *prompt, bool secret, char *to, size_t size,
               struct client_failure *failure);

/* A code as it is meant: letters and digits in lower case, of those of East Asian keyboards the
 * ASCII ones, without what groups them, and without the number before a recovery code ("1. ").
 * `to` holds `size` bytes; what does not fit is left out. False when there is none. */
bool client_ask_code(char *to, size_t size, const char *typed);

/* The RDP client that we start, and end with (or with the one that it hands over to). */
#pragma once

#include "client_failure.h"

#include <stdbool.h>
#include <sys/types.h>

/* A copy of `text` with every "{}" replaced, on the heap; NULL when memory ran out. */
char *client_exec_fill(const char *text, const char *address);

/* Starts `command` with /bin/sh, or, when it is NULL, `words` (ending with NULL) directly; "{}"
 * becomes the address. `withheld` is a descriptor that is ours to read alone, or -1; above 2 it
 * must be close-on-exec, below it is /dev/null in the child. Our signal mask and ignored SIGPIPE
 * are undone in it, and it gets SIGTERM should we be killed. Its id, or -1. */
pid_t client_exec_start(const char *command, char *const *words, const char *address, int withheld,
                        struct client_failure *failure);

/* Reaps it if it has ended: true, with the exit code, or 128 and the signal's number. */
bool client_exec_ended(pid_t pid, int *code);

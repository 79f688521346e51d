/* The program of the RDP client, looked for before anybody signs in: a code works once, and shall
 * not be spent on a client that is not there. */
#pragma once

#include "client_options.h"

#include <stdbool.h>

/* 0, or the exit code that shells have for a program that is not there, with words on standard
 * error. FreeRDP may be called xfreerdp or xfreerdp3: asked for by a name that it does not have
 * here, it is taken by the one that it has. `*made` is for free(), once the options are done with.
 */
int client_program_find(struct client_options *options, char **made);

/* The program at the beginning of a shell's command; false when it is not plain to see. Pure. */
#define CLIENT_PROGRAM_SIZE 256
bool client_program_of(char name[CLIENT_PROGRAM_SIZE], const char *command);

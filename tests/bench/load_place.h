/* PLACE, one word of a command line that says where wires lead and what they speak:
 *
 *     bare:PORT                TCP
 *     raw:PORT                 TLS
 *     ws:PORT/PATH             TLS and WebSocket, asked for at /PATH
 *     rdg:PORT/DESKTOP         RD Gateway over WebSocket
 *     cleanpath:PORT/DESKTOP   RDCleanPath
 *
 * Secrets do not stand in it. For the last three, standard input has a line with the session's
 * token (empty: none), and then for each wire of rdg and cleanpath a line with its ticket and, when
 * that is another session's, a blank and the token of that. */
#pragma once

#include "load_wire.h"

/* Reads the word, and standard input where secrets are due, which is once. Ends the program with a
 * word about what is wrong. Fills `count` places, each with a ticket of its own where there must be
 * one; they live as long as the program. */
struct wire_place *place_read(const char *word, unsigned count);

/* Where the command line asks the running gateway for something: a socket of the state folder, for
 * root and the gateway's own user. One packet is a question, packets are answers: '=' how far it
 * is, '+' done, '-' refused, and words behind; the last two end the conversation.
 *
 * The folder itself is locked by whoever serves it, so that there is one at most. */
#pragma once

#include "conf.h"

#include <stdbool.h>

#define SERVE_DESK_SOCKET "serve.sock"
#define SERVE_DESK_WORDS 1024 /* an answer, with its sign and its NUL */

struct serve_desk {
    int folder;  /* locked */
    int socket;  /* listens; -1: nobody can ask */
    int client;  /* the one who asked; -1 */
    bool asking; /* the client has not asked yet */
};
#define SERVE_DESK_NONE                                                                            \
    {                                                                                              \
        .folder = -1, .socket = -1, .client = -1                                                   \
    }

/* Locks the state folder. False: another gateway (or 'deskgate restore') has it, with words in
 * `why`. */
bool serve_desk_lock(struct serve_desk *desk, const struct conf *conf, char *why, size_t size);
/* Listens. 0 or a negative errno; it can do without. */
int serve_desk_open(struct serve_desk *desk);
void serve_desk_close(struct serve_desk *desk); /* may run twice */

/* When the socket is readable: one client at a time, others are told to come later. */
void serve_desk_accept(struct serve_desk *desk);
/* When the client is: true when it asks for an upgrade, the only thing there is. */
bool serve_desk_hear(struct serve_desk *desk);
/* To the client, if there is one. */
void serve_desk_say(struct serve_desk *desk, char sign, const char *words);

/* The command line's side: a connection to the gateway of this state folder, or a negative errno:
 * -ENOENT and -ECONNREFUSED when none runs there. */
int serve_desk_connect(const char *state);

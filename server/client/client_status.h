/* What the person sees, on standard error: lines for events and, on a terminal, one line of state
 * that is rewritten in place. Every function may be called from any thread. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_status {
    pthread_mutex_t lock;
    bool live;        /* a terminal, and nobody else writes to it */
    bool shown;       /* the state line is on the screen */
    char prompt[160]; /* a question stands on the screen; "" when none */
};

void client_status_init(struct client_status *status, bool live);
void client_status_deinit(struct client_status *status); /* leaves the terminal on a fresh line */

/* "deskgate: " and the words, which may be several lines. */
void client_status_say(struct client_status *status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Rewrites the state line, cut to the terminal's width; nothing without a terminal or while a
 * question stands. The text is ASCII. */
void client_status_show(struct client_status *status, const char *text);

/* A question takes the last line; events scroll above it. NULL: answered. */
void client_status_ask(struct client_status *status, const char *prompt);

/* "1.4 MB": decimal units, at most 10 characters. */
#define CLIENT_STATUS_BYTES_SIZE 16
void client_status_bytes(char to[CLIENT_STATUS_BYTES_SIZE], uint64_t bytes);

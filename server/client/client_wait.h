/* Waiting in a set-up thread: every wait ends at a moment, or when the client is ending. */
#pragma once

#include <stdint.h>

struct client_wait {
    int cancel;        /* an eventfd, readable for ever once the client is ending */
    uint64_t until_ms; /* CLOCK_MONOTONIC */
};

uint64_t client_wait_now(void);
struct client_wait client_wait_for(int cancel, uint32_t ms);

/* For poll events on `fd` (-1: only for the time). 0 ready; -ETIMEDOUT; -ECANCELED; or -errno. */
int client_wait_fd(const struct client_wait *wait, int fd, short events);

#include "client_wait.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

uint64_t client_wait_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct client_wait client_wait_for(int cancel, uint32_t ms)
{
    return (struct client_wait){.cancel = cancel, .until_ms = client_wait_now() + ms};
}

int client_wait_fd(const struct client_wait *wait, int fd, short events)
{
    for (;;) {
        uint64_t now = client_wait_now();
        uint64_t left = wait->until_ms > now ? wait->until_ms - now : 0;
        struct pollfd fds[2] = {{.fd = wait->cancel, .events = POLLIN},
                                {.fd = fd, .events = events}};
        int count = poll(fds, 2, left > INT_MAX ? INT_MAX : (int)left);
        if (count < 0 && errno != EINTR)
            return -errno;
        if (count > 0 && fds[0].revents)
            return -ECANCELED;
        if (count > 0 && fds[1].revents)
            return 0;
        if (!left)
            return -ETIMEDOUT;
    }
}

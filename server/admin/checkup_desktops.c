/* All desktops at once, so that many that are asleep cost no more time than one. */
#include "addr.h"
#include "checkup.h"
#include "fd.h"
#include "own_address.h"
#include "policy.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define TRIED_MOST 256   /* descriptors at once */
#define CONNECT_MS 3000  /* for all connections together */
#define RESOLVE_MS 15000 /* for all names together; then names are left out */

struct tried {
    struct store_desktop desktop;
    int fd;    /* connecting; -1: known already */
    int error; /* an errno; 0: reachable */
};

struct round {
    struct checkup *check;
    struct tried *tried;
    size_t count;
    size_t listed, left_out;
    int64_t began_ms;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say(struct checkup *check, const struct store_desktop *desktop,
                enum checkup_level level, const char *mend, const char *words)
{
    bool v6 = strchr(desktop->host, ':') != NULL;
    checkup_say(check, level, "desktop", mend, "%s at %s%s%s port %u %s", desktop->name,
                v6 ? "[" : "", desktop->host, v6 ? "]" : "", (unsigned)desktop->port, words);
}

/* Connects to the first address that may be dialled, as the keeper does. */
static void begin(struct round *round, const struct store_desktop *desktop,
                  const struct addrinfo *found)
{
    for (; found; found = found->ai_next) {
        struct sockaddr_storage to;
        struct addr address;
        if (!addr_from_sockaddr(&address, found->ai_addr) ||
            !policy_may_dial(&round->check->conf, &address, own_address(&address)))
            continue;
        socklen_t size = addr_to_sockaddr(&address, desktop->port, &to);
        struct tried *tried = &round->tried[round->count++];
        tried->desktop = *desktop;
        tried->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        tried->error = tried->fd < 0 ? errno : 0;
        if (tried->fd < 0 || connect(tried->fd, (const struct sockaddr *)&to, size) == 0 ||
            errno == EINPROGRESS)
            return;
        tried->error = errno;
        fd_close(&tried->fd);
        return;
    }
    say(round->check, desktop, CHECKUP_PROBLEM,
        "correct its address, or let [dial] allow name its network",
        "may not be dialled: [dial] forbids its address");
}

static int each(void *owner, const struct store_desktop *desktop)
{
    struct round *round = owner;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    struct addr address;

    round->listed++;
    if (round->count == TRIED_MOST ||
        (!addr_parse(&address, desktop->host) && now_ms() - round->began_ms > RESOLVE_MS)) {
        round->left_out++;
        return 0;
    }
    int code = getaddrinfo(desktop->host, NULL, &hints, &found);
    if (code != 0)
        say(round->check, desktop, CHECKUP_WARNING, "correct its host, or the name service",
            gai_strerror(code));
    else
        begin(round, desktop, found);
    if (found)
        freeaddrinfo(found);
    return 0;
}

static void settle(struct tried *tried, int error)
{
    socklen_t size = sizeof(tried->error);
    if (error)
        tried->error = error;
    else if (getsockopt(tried->fd, SOL_SOCKET, SO_ERROR, &tried->error, &size) < 0)
        tried->error = errno;
    fd_close(&tried->fd);
}

static void wait_for_all(struct round *round)
{
    struct pollfd polled[TRIED_MOST];
    int64_t until = now_ms() + CONNECT_MS;
    bool open = true;

    while (open && now_ms() < until) {
        open = false;
        for (size_t i = 0; i < round->count; i++) {
            polled[i] = (struct pollfd){.fd = round->tried[i].fd, .events = POLLOUT};
            open |= polled[i].fd >= 0;
        }
        if (!open || poll(polled, (nfds_t)round->count, (int)(until - now_ms())) < 0)
            continue;
        for (size_t i = 0; i < round->count; i++) {
            if (polled[i].fd >= 0 && polled[i].revents)
                settle(&round->tried[i], 0);
        }
    }
    for (size_t i = 0; i < round->count; i++) {
        if (round->tried[i].fd >= 0)
            settle(&round->tried[i], ETIMEDOUT);
    }
}

static void tell(struct checkup *check, const struct tried *tried)
{
    if (tried->error == 0)
        say(check, &tried->desktop, CHECKUP_OK, "", "is reachable");
    else if (tried->error == ECONNREFUSED)
        say(check, &tried->desktop, CHECKUP_WARNING,
            "enable remote desktop there, or correct the port", "refuses: nothing listens there");
    else
        say(check, &tried->desktop, CHECKUP_WARNING,
            "switch it on, or look at its firewall and its address",
            tried->error == ETIMEDOUT ? "does not answer" : strerror(tried->error));
}

void checkup_desktops(struct checkup *check)
{
    struct round round = {.check = check, .began_ms = now_ms()};

    round.tried = calloc(TRIED_MOST, sizeof(*round.tried));
    if (!round.tried || store_desktop_list(check->store, each, &round) != STORE_OK) {
        checkup_say(check, CHECKUP_PROBLEM, "desktop", "", "the desktops could not be listed");
        free(round.tried);
        return;
    }
    wait_for_all(&round);
    for (size_t i = 0; i < round.count; i++)
        tell(check, &round.tried[i]);
    if (round.left_out)
        checkup_say(check, CHECKUP_WARNING, "desktop", "", "%zu desktops were left out: too many",
                    round.left_out);
    if (round.listed == 0)
        checkup_say(check, CHECKUP_OK, "desktop", "", "there is none to reach yet");
    free(round.tried);
}

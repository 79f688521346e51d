/* deskgate-load far-link: a long line, where the kernel has no netem. It makes a network namespace
 * of its own and a TUN device on either side, and carries packets between the two: each is on its
 * way for DELAY_MS, and no more than MBIT a second pass in either direction. TCP is the kernel's at
 * both ends, so windows, acknowledgements and slow start are what they are on such a line.
 *
 * Prints its process number, whose network namespace is the far end, then serves until it is
 * killed. The devices, "near" here and "far" there, are for the caller to configure. */
#include "load.h"
#include "load_life.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PACKET_MOST 65536

struct packet {
    struct packet *next;
    uint64_t due;
    size_t size;
    uint8_t bytes[];
};

struct way { /* one direction */
    int from, to;
    struct packet *first, *last;
    size_t waiting;     /* bytes */
    uint64_t free_from; /* ns: when the line has sent what it was given */
};

static uint64_t delay;      /* ns */
static double ns_of_a_byte; /* at the line's rate */
static size_t waiting_most; /* bytes: what a router of such a line would hold, and what is on it */

static int open_tun(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
        load_die("a TUN device");
    return fd;
}

static void take_in(struct way *way)
{
    static uint8_t buffer[PACKET_MOST];
    ssize_t got;
    while ((got = read(way->from, buffer, sizeof(buffer))) > 0) {
        uint64_t now = time_ns();
        if (way->waiting + (size_t)got > waiting_most)
            continue; /* dropped, as a full router does */
        struct packet *packet = malloc(sizeof(*packet) + (size_t)got);
        if (!packet)
            load_die("memory");
        uint64_t from = way->free_from > now ? way->free_from : now;
        way->free_from = from + (uint64_t)((double)got * ns_of_a_byte);
        packet->due = way->free_from + delay;
        packet->size = (size_t)got;
        packet->next = NULL;
        memcpy(packet->bytes, buffer, packet->size);
        if (way->last)
            way->last->next = packet;
        else
            way->first = packet;
        way->last = packet;
        way->waiting += packet->size;
    }
}

static void let_out(struct way *way)
{
    while (way->first && way->first->due <= time_ns()) {
        struct packet *packet = way->first;
        if (write(way->to, packet->bytes, packet->size) < 0 && errno == EAGAIN)
            return;
        way->first = packet->next;
        if (!way->first)
            way->last = NULL;
        way->waiting -= packet->size;
        free(packet);
    }
}

static void carry(struct way ways[2])
{
    struct pollfd fds[2] = {{.fd = ways[0].from, .events = POLLIN},
                            {.fd = ways[1].from, .events = POLLIN}};
    uint64_t now = time_ns(), due = now + 1000000000;
    for (int i = 0; i < 2; i++)
        due = ways[i].first && ways[i].first->due < due ? ways[i].first->due : due;
    uint64_t left = due > now ? due - now : 0;
    struct timespec wait = {.tv_sec = (time_t)(left / 1000000000),
                            .tv_nsec = (long)(left % 1000000000)};
    ppoll(fds, 2, &wait, NULL);
    for (int i = 0; i < 2; i++) {
        take_in(&ways[i]);
        let_out(&ways[i]);
    }
}

int load_far_link(int count, char **words)
{
    (void)count;
    double megabits = strtod(words[1], NULL);
    delay = (uint64_t)(strtod(words[0], NULL) * 1e6);
    ns_of_a_byte = 8e3 / megabits;
    waiting_most = (size_t)((double)delay / ns_of_a_byte) * 4;
    prctl(PR_SET_TIMERSLACK, 1000);
    int near = open_tun("near");
    if (unshare(CLONE_NEWNET) < 0)
        load_die("a network namespace");
    int far = open_tun("far");
    struct way ways[2] = {{.from = near, .to = far}, {.from = far, .to = near}};
    printf("%d\n", getpid());
    fflush(stdout);
    for (;;)
        carry(ways);
}

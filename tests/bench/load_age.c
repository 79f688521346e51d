/* deskgate-load age and age-desktop: how old bytes are when they arrive. The desktop writes
 * whenever its socket takes something, a block at a time with the time in it, as one does that
 * shows a moving picture over a line that is too narrow for it. What waits between it and the
 * client is age: so much later does a person see what a click did. WARM seconds are for slow start,
 * then SECONDS count. */
#include "load_crew.h"
#include "load_life.h"
#include "load_pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BLOCK 1024
#define SENDS (32 * 1024) /* tcp_send_buffer_bytes in xrdp.ini(5) */

/* ---- the desktop ---- */

/* One at a time, so that none waits in this process. */
static void pour(struct flow *flow)
{
    uint8_t block[BLOCK];
    memcpy(block, pattern_bytes(), BLOCK);
    while (flow->state == FLOW_OPEN && !flow_waiting(flow)) {
        uint64_t now = time_ns();
        memcpy(block, &now, sizeof(now));
        flow_send(flow, block, BLOCK);
    }
}

static void desk_opened(struct flow *flow)
{
    int most = SENDS;
    setsockopt(flow->wire.link.fd, SOL_SOCKET, SO_SNDBUF, &most, sizeof(most));
}

/* Whoever is behind a tunnel that has just been opened says so by a first byte. */
static void desk_arrived(struct flow *flow, const uint8_t *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    pour(flow);
}

static void desk_ended(struct flow *flow, const char *why)
{
    (void)flow;
    (void)why;
}

int load_age_desktop(int count, char **words)
{
    static const struct flow_plan plan = {
        .opened = desk_opened, .arrived = desk_arrived, .drained = pour, .ended = desk_ended};
    (void)words;
    (void)count;
    life_desktop(&plan);
}

/* ---- the client ---- */

static struct {
    uint8_t block[BLOCK];
    size_t have;
    uint64_t bytes;
    bool counts;
    struct samples ages;
} mine;

static void take_block(void)
{
    uint64_t written;
    memcpy(&written, mine.block, sizeof(written));
    if (memcmp(mine.block + sizeof(written), pattern_bytes() + sizeof(written),
               BLOCK - sizeof(written)) != 0) {
        fputs("deskgate-load: a byte arrived as another one\n", stderr);
        exit(EXIT_FAILURE);
    }
    if (mine.counts)
        samples_add(&mine.ages, time_ns() - written);
}

static void on_arrived(struct flow *flow, const uint8_t *bytes, size_t size)
{
    (void)flow;
    mine.bytes += size;
    while (size > 0) {
        size_t piece = size < BLOCK - mine.have ? size : BLOCK - mine.have;
        memcpy(mine.block + mine.have, bytes, piece);
        mine.have += piece;
        bytes += piece;
        size -= piece;
        if (mine.have == BLOCK) {
            take_block();
            mine.have = 0;
        }
    }
}

int load_age(int count, char **words)
{
    struct crew crew;
    (void)count;
    crew_init(&crew, words + 2);
    crew.plan.arrived = on_arrived;
    crew_open(&crew);
    if (crew.open != 1) {
        fprintf(stderr, "deskgate-load: one connection, not %u: %s\n", crew.open, crew.why);
        return EXIT_FAILURE;
    }
    flow_send(crew.members[0], "d", 1);
    crew_until(&crew, time_ns() + strtoull(words[0], NULL, 10) * 1000000000);
    uint64_t before = mine.bytes, from = time_ns();
    mine.counts = true;
    crew_until(&crew, from + strtoull(words[1], NULL, 10) * 1000000000);
    printf("{\"bytes\": %llu, \"seconds\": %.4f, ", (unsigned long long)(mine.bytes - before),
           (double)(time_ns() - from) / 1e9);
    life_times(&mine.ages, "age");
    printf(", \"own_cpu\": %.3f}\n", time_own_cpu());
    return EXIT_SUCCESS;
}

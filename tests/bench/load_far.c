/* deskgate-load far and far-desktop: bulk over a long line, where what counts is whether the line
 * is kept full. The client says 'd' for bytes down or 'u' for bytes up; the desktop tells every ten
 * milliseconds how many have come up. WARM seconds are for slow start, then SECONDS count. Whoever
 * takes bytes looks at each: they are a block of 16 KiB again and again. */
#include "load.h"
#include "load_crew.h"
#include "load_life.h"
#include "load_pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD (256 * 1024) /* bytes that wait for the socket at most */
#define TELL_NS 10000000ULL

struct line { /* what came over one connection */
    bool takes, gives;
    uint64_t place;
    uint64_t told; /* when the other end was told, ns */
};

static void check(struct line *line, const uint8_t *bytes, size_t size)
{
    pattern_check(bytes, size, line->place);
    line->place += size;
}

/* Whole blocks, as many as may wait. */
static void pour(struct flow *flow)
{
    struct line *line = flow->owner;
    while (line->gives && flow->state == FLOW_OPEN && flow_waiting(flow) < AHEAD)
        flow_send(flow, pattern_bytes(), PATTERN_BLOCK);
}

/* ---- the desktop ---- */

static void desk_opened(struct flow *flow)
{
    flow->owner = calloc(1, sizeof(struct line));
    if (!flow->owner)
        load_die("memory");
}

static void desk_arrived(struct flow *flow, const uint8_t *bytes, size_t size)
{
    struct line *line = flow->owner;
    if (!line->takes && !line->gives) {
        line->gives = *bytes == 'd';
        line->takes = !line->gives;
        bytes++;
        size--;
        pour(flow);
    }
    check(line, bytes, size);
    if (line->takes && time_ns() - line->told > TELL_NS) {
        line->told = time_ns();
        flow_send(flow, &line->place, sizeof(line->place));
    }
}

static void desk_ended(struct flow *flow, const char *why)
{
    (void)why;
    free(flow->owner);
}

int load_far_desktop(int count, char **words)
{
    static const struct flow_plan plan = {
        .opened = desk_opened, .arrived = desk_arrived, .drained = pour, .ended = desk_ended};
    (void)words;
    (void)count;
    life_desktop(&plan);
}

/* ---- the client ---- */

static struct {
    struct line line;
    bool up;
    uint8_t told[8]; /* how many have come up */
    size_t told_size;
    uint64_t up_place;
} mine;

static void on_arrived(struct flow *flow, const uint8_t *bytes, size_t size)
{
    (void)flow;
    if (!mine.up) {
        check(&mine.line, bytes, size);
        return;
    }
    for (; size > 0; size--) {
        mine.told[mine.told_size++] = *bytes++;
        if (mine.told_size == sizeof(mine.told)) {
            memcpy(&mine.up_place, mine.told, sizeof(mine.told));
            mine.told_size = 0;
        }
    }
}

int load_far(int count, char **words)
{
    struct crew crew;
    (void)count;
    crew_init(&crew, words + 3);
    crew.plan.arrived = on_arrived;
    crew.plan.drained = pour;
    crew_open(&crew);
    if (crew.open != 1) {
        fprintf(stderr, "deskgate-load: one connection, not %u: %s\n", crew.open, crew.why);
        return EXIT_FAILURE;
    }
    struct flow *flow = crew.members[0];
    flow->owner = &mine.line;
    mine.up = mine.line.gives = strcmp(words[0], "up") == 0;
    flow_send(flow, mine.up ? "u" : "d", 1);
    pour(flow);
    uint64_t begun = time_ns() + strtoull(words[1], NULL, 10) * 1000000000;
    crew_until(&crew, begun);
    uint64_t before = mine.up ? mine.up_place : mine.line.place;
    uint64_t from = time_ns();
    crew_until(&crew, from + strtoull(words[2], NULL, 10) * 1000000000);
    uint64_t bytes = (mine.up ? mine.up_place : mine.line.place) - before;
    printf("{\"bytes\": %llu, \"seconds\": %.4f, \"own_cpu\": %.3f}\n", (unsigned long long)bytes,
           (double)(time_ns() - from) / 1e9, time_own_cpu());
    return EXIT_SUCCESS;
}

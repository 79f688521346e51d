#include "load_crew.h"

#include "load.h"
#include "load_life.h"

#include <stdio.h>
#include <stdlib.h>

#define OPEN_SECONDS 300ULL

static void on_opened(struct flow *flow)
{
    struct crew *crew = flow->plan->owner;
    crew->open++;
}

static void on_ended(struct flow *flow, const char *why)
{
    struct crew *crew = flow->plan->owner;
    crew->members[flow->number] = NULL;
    if (flow->state == FLOW_OPEN)
        crew->open--;
    if (crew->lost++ == 0)
        snprintf(crew->why, sizeof(crew->why), "%s", why);
}

void crew_init(struct crew *crew, char **words)
{
    *crew = (struct crew){
        .plan = {.sources = (uint32_t)strtoul(words[3], NULL, 10),
                 .owner = crew,
                 .opened = on_opened,
                 .ended = on_ended},
        .count = (uint32_t)strtoul(words[1], NULL, 10),
        .parallel = (uint32_t)strtoul(words[2], NULL, 10),
    };
    life_place(&crew->plan, words[0]);
    flow_loop_init(&crew->loop);
    crew->members = calloc(crew->count ? crew->count : 1, sizeof(*crew->members));
    if (!crew->members)
        load_die("memory");
}

void crew_open(struct crew *crew)
{
    uint64_t deadline = time_ns() + OPEN_SECONDS * 1000000000;
    while (crew->open + crew->lost < crew->count && time_ns() < deadline) {
        while (crew->begun < crew->count &&
               crew->begun - crew->open - crew->lost < crew->parallel) {
            uint32_t at = crew->begun++;
            crew->members[at] = flow_start(&crew->loop, &crew->plan, at, NULL, NULL);
        }
        flow_poll(&crew->loop, time_ns() + 100000000);
    }
}

void crew_until(struct crew *crew, uint64_t end)
{
    while (time_ns() < end && crew->open)
        flow_poll(&crew->loop, end);
}

void crew_close(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->count; i++) {
        if (crew->members[i])
            flow_close(crew->members[i]);
        crew->members[i] = NULL;
    }
    flow_poll(&crew->loop, 0);
}

/* deskgate-load mix: the clients of many RDP-shaped sessions. Opens the tunnels, replays the upward
 * part of the recording over each for SECONDS, of which those before WARM seconds do not count, and
 * prints how long the desktop's messages were under way. The desktop is one of mix-desktop. */
#include "load.h"
#include "load_crew.h"
#include "load_life.h"
#include "load_mix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAD 500000000ULL  /* ns, until everything is opened at the other end, too */
#define TAIL 1000000000ULL /* … until what is under way has come */

static struct mix_player player;
static struct mix_end *ends;

static void on_arrived(struct flow *flow, const uint8_t *bytes, size_t size)
{
    mix_take(&player, &ends[flow->number], bytes, size);
}

/* All on one clock, each at another place of the recording. */
static void greet(struct crew *crew, uint64_t warm, uint64_t seconds)
{
    uint64_t begin = time_ns() + LEAD;
    for (uint32_t i = 0; i < crew->count; i++) {
        struct mix_end *end = &ends[i];
        end->hello =
            (struct mix_hello){.begin = begin,
                               .end = begin + (warm + seconds) * 1000000000,
                               .offset = (uint64_t)((double)player.mix.length * i / crew->count),
                               .measured = begin + warm * 1000000000};
        end->flow = crew->members[i];
        if (end->flow)
            flow_send(end->flow, &end->hello, sizeof(end->hello));
        mix_add(&player, end);
    }
}

int load_mix(int count, char **words)
{
    struct crew crew;
    (void)count;
    crew_init(&crew, words + 3);
    crew.plan.arrived = on_arrived;
    mix_read(&player.mix, words[0], 'u');
    ends = calloc(crew.count, sizeof(*ends));
    if (!ends)
        load_die("memory");
    crew_open(&crew);
    printf("{\"open\": %u, \"lost\": %u, \"why\": \"%s\"}\n", crew.open, crew.lost, crew.why);
    fflush(stdout);
    uint64_t warm = strtoull(words[1], NULL, 10), seconds = strtoull(words[2], NULL, 10);
    greet(&crew, warm, seconds);
    double cpu = time_own_cpu();
    uint64_t last = ends[0].hello.end + TAIL;
    while (time_ns() < last) {
        uint64_t due = mix_play(&player);
        flow_poll(&crew.loop, due < last ? due : last);
        for (uint32_t i = 0; crew.lost && i < crew.count; i++)
            ends[i].flow = crew.members[i];
    }
    printf("{\"tunnels\": %u, \"lost\": %u, \"why\": \"%s\", \"seconds\": %llu, ", crew.open,
           crew.lost, crew.why, (unsigned long long)seconds);
    mix_print(&player, time_own_cpu() - cpu);
    printf("}\n");
    crew_close(&crew);
    return EXIT_SUCCESS;
}

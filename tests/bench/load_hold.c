/* deskgate-load hold: many tunnels through which nothing moves. Opens them and prints how many
 * there are; for each line of standard input it sends eight bytes through each and prints how many
 * brought them back. Ends with standard input. Pings of the gateway are answered, as every client
 * does. */
#include "load_crew.h"
#include "load_life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ECHO_SECONDS 60ULL
#define AT_A_TIME 64 /* echoes under way, so that it is no storm */

static uint32_t echoed, wrong;

static void on_arrived(struct flow *flow, const uint8_t *bytes, size_t size)
{
    uint64_t number = flow->number;
    bool right = size == sizeof(number) && memcmp(bytes, &number, size) == 0;
    echoed += right;
    wrong += !right;
}

static void echo(struct crew *crew)
{
    uint64_t deadline = time_ns() + ECHO_SECONDS * 1000000000;
    uint32_t asked = 0, alive = 0;
    echoed = wrong = 0;
    for (uint32_t i = 0; i < crew->count || (echoed + wrong < asked && time_ns() < deadline);) {
        if (i < crew->count && asked - echoed - wrong < AT_A_TIME) {
            uint64_t number = i;
            if (crew->members[i]) {
                flow_send(crew->members[i], &number, sizeof(number));
                asked++;
            }
            i++;
        } else {
            flow_poll(&crew->loop, time_ns() + 100000000);
            if (time_ns() > deadline)
                break;
        }
    }
    for (uint32_t i = 0; i < crew->count; i++)
        alive += crew->members[i] != NULL;
    printf("{\"alive\": %u, \"echoed\": %u, \"wrong\": %u, \"lost\": %u, \"why\": \"%s\"}\n", alive,
           echoed, wrong, crew->lost, crew->why);
}

int load_hold(int count, char **words)
{
    struct crew crew;
    char line[64];
    (void)count;
    crew_init(&crew, words);
    crew.plan.arrived = on_arrived;
    uint64_t begun = time_ns();
    crew_open(&crew);
    printf("{\"open\": %u, \"lost\": %u, \"why\": \"%s\", \"seconds\": %.3f}\n", crew.open,
           crew.lost, crew.why, (double)(time_ns() - begun) / 1e9);
    fflush(stdout);
    for (;;) {
        while (!life_line(&crew.loop, 50, line, sizeof(line)))
            ;
        if (!*line)
            break;
        echo(&crew);
        fflush(stdout);
    }
    crew_close(&crew);
    return EXIT_SUCCESS;
}

/* deskgate-load probe: what live tunnels feel. Opens them to a desktop that echoes, prints how many
 * there are, and for each line of standard input, a number of seconds, sends a small message
 * through each at even intervals and prints how long they took there and back, and how late it was
 * itself. Ends with standard input. */
#include "load.h"
#include "load_crew.h"
#include "load_life.h"
#include "load_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MOST 4096
#define STAMP 8

struct echo_state {
    uint8_t have[SIZE_MOST];
    size_t size;
};

static struct {
    size_t size;
    uint64_t interval;
    uint32_t sent, back;
    struct samples times, late;
    struct echo_state *states;
} probe;

/* Echoes may come in pieces or together. */
static void on_arrived(struct flow *flow, const uint8_t *bytes, size_t size)
{
    struct echo_state *state = &probe.states[flow->number];
    uint64_t sent;
    while (size > 0) {
        size_t missing = probe.size - state->size, part = size < missing ? size : missing;
        memcpy(state->have + state->size, bytes, part);
        state->size += part;
        bytes += part;
        size -= part;
        if (state->size < probe.size)
            continue;
        memcpy(&sent, state->have, STAMP);
        samples_add(&probe.times, time_ns() - sent);
        probe.back++;
        state->size = 0;
    }
}

static void send_one(struct flow *flow, uint64_t due)
{
    uint8_t message[SIZE_MOST] = {0};
    uint64_t now = time_ns();
    samples_add(&probe.late, now - due);
    memcpy(message, &now, STAMP);
    flow_send(flow, message, probe.size);
    probe.sent++;
}

static void run(struct crew *crew, unsigned seconds)
{
    uint64_t begun = time_ns(), end = begun + seconds * 1000000000ULL;
    uint64_t step = probe.interval / crew->count;
    samples_deinit(&probe.times);
    samples_deinit(&probe.late);
    probe.sent = probe.back = 0;
    for (uint64_t i = 0, due = begun; due < end; i++, due = begun + i * step) {
        while (time_ns() < due)
            flow_poll(&crew->loop, due);
        if (crew->members[i % crew->count])
            send_one(crew->members[i % crew->count], due);
    }
    end += 5000000000; /* what is under way may still come */
    while (probe.back < probe.sent && time_ns() < end)
        flow_poll(&crew->loop, time_ns() + 10000000);
    printf("{\"sent\": %u, \"back\": %u, \"lost\": %u, \"why\": \"%s\", ", probe.sent, probe.back,
           crew->lost, crew->why);
    life_times(&probe.times, "echo");
    printf(", ");
    life_times(&probe.late, "late");
    printf("}\n");
}

int load_probe(int count, char **words)
{
    struct crew crew;
    char line[64];
    (void)count;
    probe.size = strtoul(words[0], NULL, 10);
    probe.interval = strtoull(words[1], NULL, 10) * 1000;
    if (probe.size < STAMP || probe.size > SIZE_MOST)
        load_die("the size is from 8 to 4096 bytes");
    crew_init(&crew, words + 2);
    crew.plan.arrived = on_arrived;
    probe.states = calloc(crew.count, sizeof(*probe.states));
    if (!probe.states)
        load_die("memory");
    crew_open(&crew);
    printf("{\"open\": %u, \"lost\": %u, \"why\": \"%s\"}\n", crew.open, crew.lost, crew.why);
    fflush(stdout);
    for (;;) {
        while (!life_line(&crew.loop, 50, line, sizeof(line)))
            ;
        if (!*line)
            break;
        run(&crew, (unsigned)strtoul(line, NULL, 10));
        fflush(stdout);
    }
    crew_close(&crew);
    return EXIT_SUCCESS;
}

/* bulk PLACE up|down BYTES CONNECTIONS
 *
 * Moves BYTES (a multiple of 16 KiB at least, rounded down) over each of CONNECTIONS at once, in
 * messages of 16 KiB. When all are open it prints {"ready": true} and waits for a line on standard
 * input, or its end. Up, the desktop behind it is a sink, and the time ends when its end has come
 * back; down, it is a source. Prints seconds, own_cpu, bytes in all.
 *
 * BYTES 0: begins at once, goes on until the program is killed, and prints {"running": true} when
 * the first connection has moved some; for what wants company. */
#include "load.h"
#include "load_pattern.h"
#include "load_place.h"
#include "load_time.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPENING_MOST 4       /* at a time: a gateway may bound how much one person has under way */
#define UNDER_WAY (1U << 20) /* bytes after which a connection without end counts as running */

struct bulk {
    pthread_t thread;
    sem_t *opening;
    pthread_barrier_t *ready;
    const struct wire_place *place;
    bool up, first;
    uint64_t bytes; /* UINT64_MAX: no end */
    struct wire wire;
};

static void say(const char *what)
{
    printf("{\"%s\": true}\n", what);
    fflush(stdout);
}

static void need(ssize_t result, const char *what)
{
    if (result < 0) {
        errno = (int)-result;
        load_die(what);
    }
}

static void tell_running(const struct bulk *bulk, uint64_t before, uint64_t after)
{
    if (bulk->first && bulk->bytes == UINT64_MAX && before < UNDER_WAY && after >= UNDER_WAY) {
        say("running");
    }
}

static void push(struct bulk *bulk)
{
    uint8_t *framed;
    size_t size = wire_frame(bulk->place->framing, pattern_bytes(), PATTERN_BLOCK, &framed);
    for (uint64_t sent = 0; sent < bulk->bytes; sent += PATTERN_BLOCK) {
        need(wire_write_framed(&bulk->wire, framed, size), "send");
        if (wire_full(&bulk->wire))
            need(wire_push_all(&bulk->wire), "send");
        tell_running(bulk, sent, sent + PATTERN_BLOCK);
    }
    need(wire_flush_all(&bulk->wire), "send");
    free(framed);
}

/* One byte asks for the stream. */
static void pull(struct bulk *bulk)
{
    uint64_t place = 0;
    need(wire_write(&bulk->wire, (const uint8_t *)"x", 1), "ask");
    need(wire_flush_all(&bulk->wire), "ask");
    while (place < bulk->bytes) {
        const uint8_t *bytes;
        ssize_t got = wire_read_some(&bulk->wire, &bytes);
        need(got, "receive");
        if (got == 0) {
            fputs("deskgate-load: the stream ended early\n", stderr);
            exit(EXIT_FAILURE);
        }
        pattern_check(bytes, (size_t)got, place);
        tell_running(bulk, place, place + (uint64_t)got);
        place += (uint64_t)got;
    }
}

static void *run(void *owner)
{
    struct bulk *bulk = owner;
    const uint8_t *bytes;
    sem_wait(bulk->opening);
    need(wire_open(&bulk->wire, bulk->place), "open");
    sem_post(bulk->opening);
    pthread_barrier_wait(bulk->ready); /* all are open */
    pthread_barrier_wait(bulk->ready); /* they may begin */
    if (bulk->up)
        push(bulk);
    else
        pull(bulk);
    wire_finish(&bulk->wire);
    /* Up: everything has arrived when the other end is closed, too. */
    while (bulk->up && wire_read_some(&bulk->wire, &bytes) > 0)
        ;
    wire_deinit(&bulk->wire);
    return NULL;
}

int load_bulk(int count, char **words)
{
    const bool up = strcmp(words[1], "up") == 0;
    uint64_t bytes = strtoull(words[2], NULL, 10);
    unsigned connections = (unsigned)strtoul(words[3], NULL, 10);
    struct bulk *all = calloc(connections ? connections : 1, sizeof(*all));
    pthread_barrier_t ready;
    pthread_attr_t small;
    sem_t opening;
    (void)count;
    errno = EINVAL;
    if (!all || !connections || (bytes && bytes < PATTERN_BLOCK) ||
        pthread_barrier_init(&ready, NULL, connections + 1) != 0 ||
        sem_init(&opening, 0, OPENING_MOST) != 0)
        load_die("arguments");
    const struct wire_place *places = place_read(words[0], connections);
    uint64_t each = bytes ? bytes / PATTERN_BLOCK * PATTERN_BLOCK : UINT64_MAX;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    for (unsigned i = 0; i < connections; i++) {
        all[i] = (struct bulk){.opening = &opening,
                               .ready = &ready,
                               .place = &places[i],
                               .up = up,
                               .first = i == 0,
                               .bytes = each};
        if (pthread_create(&all[i].thread, &small, run, &all[i]) != 0)
            load_die("thread");
    }
    pthread_barrier_wait(&ready);
    if (bytes) {
        char line[16];
        say("ready");
        if (!fgets(line, sizeof(line), stdin))
            clearerr(stdin);
    }
    pthread_barrier_wait(&ready);
    double begun = time_now(), cpu = time_own_cpu();
    for (unsigned i = 0; i < connections; i++)
        pthread_join(all[i].thread, NULL);
    printf("{\"seconds\": %.4f, \"own_cpu\": %.4f, \"bytes\": %llu}\n", time_now() - begun,
           time_own_cpu() - cpu, (unsigned long long)(each * connections));
    return EXIT_SUCCESS;
}

/* echo PLACE COUNT SIZE SECONDS
 *
 * One wire, behind it a desktop that echoes: SIZE bytes there and back, COUNT times, or for SECONDS
 * if that is less. Prints the samples' quantiles in seconds, and own_cpu. */
#include "load.h"
#include "load_pattern.h"
#include "load_place.h"
#include "load_time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP 200

static void fail(ssize_t result)
{
    errno = result < 0 ? (int)-result : ECONNRESET;
    load_die("echo");
}

static void once(struct wire *wire, size_t size, size_t turn)
{
    const uint8_t *sent = pattern_bytes() + turn % PATTERN_BLOCK, *bytes;
    ssize_t result = wire_write(wire, sent, size);
    if (result < 0 || (result = wire_flush_all(wire)) < 0)
        fail(result);
    for (size_t have = 0; have < size; have += (size_t)result) {
        result = wire_read_some(wire, &bytes);
        if (result <= 0)
            fail(result);
        if (have + (size_t)result > size || memcmp(bytes, sent + have, (size_t)result) != 0) {
            fputs("deskgate-load: a byte arrived as another one\n", stderr);
            exit(EXIT_FAILURE);
        }
    }
}

int load_echo(int count, char **words)
{
    size_t turns = strtoul(words[1], NULL, 10), size = strtoul(words[2], NULL, 10);
    double seconds = strtod(words[3], NULL);
    const struct wire_place *place = place_read(words[0], 1);
    struct samples samples = {0};
    struct wire wire;
    (void)count;
    errno = EINVAL;
    if (!turns || !size || size > PATTERN_BLOCK || seconds <= 0)
        load_die("arguments");
    int result = wire_open(&wire, place);
    if (result < 0)
        fail(result);
    for (size_t i = 0; i < WARM_UP; i++)
        once(&wire, size, i);
    double cpu = time_own_cpu(), until = time_now() + seconds;
    for (size_t i = 0; i < turns && time_now() < until; i++) {
        uint64_t begun = time_ns();
        once(&wire, size, i);
        samples_add(&samples, time_ns() - begun);
    }
    cpu = time_own_cpu() - cpu;
    wire_finish(&wire);
    wire_deinit(&wire);
    printf("{\"own_cpu\": %.4f, ", cpu);
    samples_print(&samples);
    puts("}");
    samples_deinit(&samples);
    return EXIT_SUCCESS;
}

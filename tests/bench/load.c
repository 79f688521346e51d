/* The load of a benchmark: the desktop's end and the clients' end of many connections, with enough
 * speed not to be what is measured. It tells the processor time that it took itself. Each verb
 * opens its file with what it does; PLACE is explained in load_place.h. */
#include "load.h"

#include "load_life.h"
#include "load_pattern.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct verb {
    const char *name;
    int least, most; /* words behind it */
    int (*run)(int count, char **words);
    const char *words;
} verbs[] = {
    {"desktop", 1, 3, load_desktop,
     "echo|sink|source | rdp-echo|rdp-sink|rdp-source CERTIFICATE KEY"},
    {"bulk", 4, 4, load_bulk, "PLACE up|down BYTES CONNECTIONS"},
    {"echo", 4, 4, load_echo, "PLACE COUNT SIZE SECONDS"},
    {"cipher", 1, 1, load_cipher, "MEGABYTES"},
    {"crowd", 0, 0, load_crowd, ""},
    {"hold", 4, 4, load_hold, "PLACE COUNT PARALLEL SOURCES"},
    {"churn", 6, 6, load_churn, "full|resumed|tunnel SECONDS PLACE COUNT PARALLEL SOURCES"},
    {"sign-in", 6, 6, load_sign_in, "PLACE FILE RATE PARALLEL SECONDS SOURCES"},
    {"probe", 6, 6, load_probe, "SIZE INTERVAL_US PLACE COUNT PARALLEL SOURCES"},
    {"mix", 7, 7, load_mix, "FILE WARM SECONDS PLACE COUNT PARALLEL SOURCES"},
    {"mix-desktop", 1, 1, load_mix_desktop, "FILE"},
    {"age", 6, 6, load_age, "WARM SECONDS PLACE COUNT PARALLEL SOURCES"},
    {"age-desktop", 0, 0, load_age_desktop, ""},
    {"far", 7, 7, load_far, "up|down WARM SECONDS PLACE COUNT PARALLEL SOURCES"},
    {"far-desktop", 0, 0, load_far_desktop, ""},
    {"far-link", 2, 2, load_far_link, "DELAY_MS MBIT"},
};

_Noreturn void load_die(const char *what)
{
    fprintf(stderr, "deskgate-load: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    const size_t count = sizeof(verbs) / sizeof(*verbs);
    signal(SIGPIPE, SIG_IGN);
    mallopt(M_MMAP_THRESHOLD, 4 << 20); /* buffers come and go: not as pages each time */
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    pattern_bytes();
    for (size_t i = 0; argc > 1 && i < count; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0 && argc - 2 >= verbs[i].least &&
            argc - 2 <= verbs[i].most)
            return verbs[i].run(argc - 2, argv + 2);
    }
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "%s deskgate-load %s %s\n", i ? "      " : "usage:", verbs[i].name,
                verbs[i].words);
    return 64; /* EX_USAGE */
}

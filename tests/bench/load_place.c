#include "load_place.h"

#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [WIRE_BARE] = "bare",           [WIRE_RAW] = "raw", [WIRE_WS] = "ws", [WIRE_RDG] = "rdg",
    [WIRE_CLEANPATH] = "cleanpath",
};

static _Noreturn void complain(const char *what, const char *word)
{
    fprintf(stderr, "deskgate-load: %s: %s\n", what, word);
    exit(64); /* EX_USAGE */
}

/* NULL for an empty line. */
static char *secret(const char *due)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size = getline(&line, &room, stdin);
    if (size <= 0)
        complain("standard input has too few lines", due);
    line[strcspn(line, "\n")] = 0;
    return *line ? line : NULL;
}

static struct wire_place parse(const char *word)
{
    struct wire_place place = {0};
    const char *colon = strchr(word, ':');
    char *end;
    size_t at = 0;
    while (colon && at < sizeof(names) / sizeof(*names) &&
           (strncmp(names[at], word, (size_t)(colon - word)) != 0 || names[at][colon - word] != 0))
        at++;
    if (!colon || at == sizeof(names) / sizeof(*names))
        complain("a place begins with bare:, raw:, ws:, rdg: or cleanpath:", word);
    place.framing = (enum wire_framing)at;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (port == 0 || port > 65535 || (*end && *end != '/'))
        complain("a place has a port", word);
    place.port = (uint16_t)port;
    place.path = *end ? end : "/";
    place.desktop = *end ? end + 1 : "";
    return place;
}

struct wire_place *place_read(const char *word, unsigned count)
{
    struct wire_place place = parse(word), *all = calloc(count ? count : 1, sizeof(*all));
    if (!all)
        load_die("memory");
    if (place.framing >= WIRE_WS)
        place.token = secret("the session's token");
    for (unsigned i = 0; i < count; i++) {
        all[i] = place;
        if (place.framing < WIRE_RDG)
            continue;
        char *line = secret("a ticket for each wire"), *blank = line ? strchr(line, ' ') : NULL;
        if (!line)
            complain("an empty line where a ticket is due", word);
        all[i].ticket = line;
        if (blank) {
            *blank = 0;
            all[i].token = blank + 1;
        }
    }
    return all;
}

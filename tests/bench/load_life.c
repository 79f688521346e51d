#include "load_life.h"

#include "load_place.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

void life_place(struct flow_plan *plan, const char *word)
{
    setvbuf(stdin, NULL, _IONBF, 0); /* what follows the secrets must still be there for poll() */
    struct wire_place *place = place_read(word, 1);
    if (place->framing > WIRE_WS) {
        fprintf(stderr, "deskgate-load: bare, raw or ws, not %s\n", word);
        exit(EXIT_FAILURE);
    }
    plan->place = *place;
    free(place);
}

bool life_line(struct flow_loop *loop, unsigned ms, char *line, size_t size)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    flow_poll(loop, time_ns() + ms * 1000000ULL);
    if (poll(&input, 1, 0) <= 0)
        return false;
    if (!fgets(line, (int)size, stdin))
        *line = '\0';
    return true;
}

void life_desktop(const struct flow_plan *plan)
{
    struct flow_loop loop;
    flow_loop_init(&loop);
    printf("%u\n", flow_listen(&loop, plan));
    fflush(stdout);
    for (;;)
        flow_poll(&loop, time_ns() + 1000000000);
}

void life_times(struct samples *samples, const char *name)
{
    printf("\"%s\": {", name);
    samples_print(samples);
    printf("}");
}

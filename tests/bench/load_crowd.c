/* deskgate-load crowd: a desktop that gives back what it gets, for thousands of connections
 * in one thread. Prints its port; serves until it is killed. */
#include "load_flow.h"
#include "load_life.h"

#include <stdio.h>
#include <stdlib.h>

static void on_opened(struct flow *flow)
{
    (void)flow;
}

static void on_arrived(struct flow *flow, const uint8_t *bytes, size_t size)
{
    flow_send(flow, bytes, size);
}

static void on_ended(struct flow *flow, const char *why)
{
    (void)flow;
    (void)why;
}

int load_crowd(int count, char **words)
{
    static const struct flow_plan plan = {
        .opened = on_opened, .arrived = on_arrived, .ended = on_ended};
    (void)words;
    (void)count;
    life_desktop(&plan);
}

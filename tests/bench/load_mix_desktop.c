/* deskgate-load mix-desktop: the desktops of many RDP-shaped sessions. Prints its port; replays the
 * downward part of the recording over each connection as the client's first words ask for, and when
 * the last connection of a run has ended, prints how long the clients' messages were under way. */
#include "load.h"
#include "load_life.h"
#include "load_mix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct desk {
    struct mix_end end;
    uint8_t hello[sizeof(struct mix_hello)];
    size_t hello_size;
    struct desk *next; /* that has ended: the player may still hold it */
};

static struct mix_player player;
static struct desk *gone;
static unsigned here;
static bool played; /* in this run: who only looks whether there is a port makes none */
static double cpu;

static void on_opened(struct flow *flow)
{
    struct desk *desk = calloc(1, sizeof(*desk));
    if (!desk)
        load_die("memory");
    desk->end.flow = flow;
    flow->owner = desk;
    if (here++ == 0)
        cpu = time_own_cpu();
}

static void on_arrived(struct flow *flow, const uint8_t *bytes, size_t size)
{
    struct desk *desk = flow->owner;
    if (desk->hello_size < sizeof(desk->hello)) {
        size_t missing = sizeof(desk->hello) - desk->hello_size;
        size_t part = size < missing ? size : missing;
        memcpy(desk->hello + desk->hello_size, bytes, part);
        desk->hello_size += part;
        bytes += part;
        size -= part;
        if (desk->hello_size < sizeof(desk->hello))
            return;
        memcpy(&desk->end.hello, desk->hello, sizeof(desk->hello));
        mix_add(&player, &desk->end);
        played = true;
    }
    mix_take(&player, &desk->end, bytes, size);
}

static void on_ended(struct flow *flow, const char *why)
{
    struct desk *desk = flow->owner;
    (void)why;
    desk->end.flow = NULL;
    desk->next = gone;
    gone = desk;
    here--;
}

/* Not from within mix_play(), which may hold one of them. */
static void finish_run(void)
{
    printf("{");
    mix_print(&player, time_own_cpu() - cpu);
    printf("}\n");
    fflush(stdout);
    played = false;
    while (gone) {
        struct desk *old = gone;
        gone = old->next;
        free(old);
    }
}

int load_mix_desktop(int count, char **words)
{
    static const struct flow_plan plan = {
        .opened = on_opened, .arrived = on_arrived, .ended = on_ended};
    struct flow_loop loop;
    (void)count;
    mix_read(&player.mix, words[0], 'd');
    flow_loop_init(&loop);
    printf("%u\n", flow_listen(&loop, &plan));
    fflush(stdout);
    for (;;) {
        uint64_t due = mix_play(&player), most = time_ns() + 1000000000;
        flow_poll(&loop, due < most ? due : most);
        if (gone && !here && played)
            finish_run();
    }
}

/* deskgate-load churn: connections that are opened and ended again and again, a fixed number of
 * them under way at any time, for some seconds. What counts as one:
 *
 *     full      a TLS handshake, whole, until a session ticket comes: then the server is done, too
 *     resumed   the same with the ticket of one before
 *     tunnel    a handshake, the upgrade (ws), and one byte to the desktop and back
 *
 * Prints how many, the seconds, and its own processor seconds. */
#include "load.h"
#include "load_crew.h"
#include "load_life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum goal { FULL, RESUMED, TUNNEL };

struct churn {
    struct flow_loop loop;
    struct flow_plan plan;
    enum goal goal;
    gnutls_datum_t session; /* to be resumed */
    uint32_t begun, under_way, done, failed, not_resumed;
    bool counts; /* the time runs */
    char why[96];
};

static void finish(struct flow *flow)
{
    struct churn *churn = flow->owner;
    churn->under_way--;
    churn->done += churn->counts;
    flow_close(flow);
}

static void on_opened(struct flow *flow)
{
    struct churn *churn = flow->owner;
    if (churn->goal == TUNNEL) {
        flow_send(flow, "x", 1);
        return;
    }
    if (churn->goal == RESUMED && !churn->session.data &&
        link_remember(&flow->wire.link, &churn->session) < 0)
        load_die("the session's ticket");
    if (churn->goal == RESUMED && churn->counts && !link_resumed(&flow->wire.link))
        churn->not_resumed++;
    finish(flow);
}

static void on_arrived(struct flow *flow, const uint8_t *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    finish(flow);
}

static void on_ended(struct flow *flow, const char *why)
{
    struct churn *churn = flow->owner;
    churn->under_way--;
    if (churn->failed++ == 0)
        snprintf(churn->why, sizeof(churn->why), "%s", why);
}

static void begin(struct churn *churn)
{
    churn->under_way++;
    flow_start(&churn->loop, &churn->plan, churn->begun++, churn,
               churn->session.data ? &churn->session : NULL);
}

/* The first one alone: its ticket is what the others come with. */
static void first(struct churn *churn)
{
    uint64_t deadline = time_ns() + 10000000000;
    begin(churn);
    while (churn->under_way && time_ns() < deadline)
        flow_poll(&churn->loop, time_ns() + 10000000);
    if (churn->under_way || churn->failed) {
        fprintf(stderr, "deskgate-load: the first one failed: %s\n",
                churn->failed ? churn->why : "no session ticket within 10 s");
        exit(EXIT_FAILURE);
    }
}

static enum goal goal_of(const char *word)
{
    return strcmp(word, "full") == 0 ? FULL : strcmp(word, "resumed") == 0 ? RESUMED : TUNNEL;
}

int load_churn(int count, char **words)
{
    struct crew like; /* for the words alone */
    struct churn churn = {0};
    (void)count;
    crew_init(&like, words + 2);
    churn.loop = like.loop;
    churn.plan = like.plan;
    churn.plan.opened = on_opened;
    churn.plan.arrived = on_arrived;
    churn.plan.ended = on_ended;
    churn.goal = goal_of(words[0]);
    churn.plan.ticket = churn.goal != TUNNEL;
    first(&churn);
    churn.counts = true;
    churn.done = 0;
    double cpu = time_own_cpu();
    uint64_t begun = time_ns(), now, end = begun + strtoull(words[1], NULL, 10) * 1000000000;
    while ((now = time_ns()) < end) {
        while (churn.under_way < like.parallel)
            begin(&churn);
        flow_poll(&churn.loop, end);
    }
    printf("{\"done\": %u, \"failed\": %u, \"not_resumed\": %u, \"why\": \"%s\", \"seconds\": "
           "%.3f, \"own_cpu\": %.3f}\n",
           churn.done, churn.failed, churn.not_resumed, churn.why, (double)(now - begun) / 1e9,
           time_own_cpu() - cpu);
    return EXIT_SUCCESS;
}

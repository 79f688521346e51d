/* deskgate-load sign-in: people who sign in, each by a connection of their own. FILE has a line for
 * each try, separated by tabs: the number of the source address, name, password, code. With a RATE
 * they come at that many a second, whatever becomes of those before; with RATE 0 a fixed number,
 * PARALLEL, is under way at any time. After SECONDS, or when the file is at its end, those under
 * way are waited for. Prints how many got which status, and the times from when each was due. */
#include "load.h"
#include "load_crew.h"
#include "load_life.h"
#include "load_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_SECONDS 40ULL
#define STATUS_MOST 600

struct
try {
    uint64_t due;
    uint32_t source;
    char request[768];
    int size;
    bool answered;
};

static struct {
    struct flow_loop loop;
    struct flow_plan plan;
    struct try *tries;
    uint32_t count, begun, under_way, failed;
    uint32_t statuses[STATUS_MOST];
    struct samples right, others; /* times of 200, and of all the rest */
    char why[96];
} all;

static void on_opened(struct flow *flow)
{
    const struct try *try = flow->owner;
    flow_send(flow, try->request, (size_t)try->size);
}

static void on_arrived(struct flow *flow, const uint8_t *bytes, size_t size)
{
    struct try *try = flow->owner;
    char head[16];
    snprintf(head, sizeof(head), "%.*s", (int)(size < 15 ? size : 15), (const char *)bytes);
    unsigned status =
        strncmp(head, "HTTP/1.1 ", 9) == 0 ? (unsigned)strtoul(head + 9, NULL, 10) : 0;
    all.statuses[status < STATUS_MOST ? status : 0]++;
    samples_add(status == 200 ? &all.right : &all.others, time_ns() - try->due);
    all.under_way--;
    flow_close(flow);
}

static void on_ended(struct flow *flow, const char *why)
{
    (void)flow;
    all.under_way--;
    if (all.failed++ == 0)
        snprintf(all.why, sizeof(all.why), "%s", why);
}

static void make_request(struct try *try, char *line)
{
    char body[512], *rest = line;
    char *source = strsep(&rest, "\t"), *name = strsep(&rest, "\t"),
         *password = strsep(&rest, "\t");
    if (!rest || !password) {
        fputs("deskgate-load: a line is not SOURCE, NAME, PASSWORD, CODE\n", stderr);
        exit(EXIT_FAILURE);
    }
    int size =
        snprintf(body, sizeof(body), "{\"username\":\"%s\",\"password\":\"%s\",\"code\":\"%s\"}",
                 name, password, strsep(&rest, "\n"));
    try->source = (uint32_t)strtoul(source, NULL, 10);
    try->size = snprintf(try->request, sizeof(try->request),
                         "POST /api/login HTTP/1.1\r\nHost: localhost:%u\r\n"
                         "Content-Type: application/json\r\nContent-Length: %d\r\n"
                         "Connection: close\r\n\r\n%s",
                         all.plan.place.port, size, body);
}

static void read_tries(const char *path)
{
    char line[512];
    FILE *file = fopen(path, "re");
    if (!file)
        load_die(path);
    for (uint32_t room = 0; fgets(line, sizeof(line), file); all.count++) {
        if (all.count == room) {
            room = room ? 2 * room : 256;
            all.tries = realloc(all.tries, room * sizeof(*all.tries));
            if (!all.tries)
                load_die("memory");
        }
        all.tries[all.count] = (struct try){0};
        make_request(&all.tries[all.count], line);
    }
    fclose(file);
}

static void begin(uint64_t due)
{
    struct try *try = &all.tries[all.begun++];
    try->due = due;
    all.under_way++;
    flow_start(&all.loop, &all.plan, try->source, try, NULL);
}

static void run(double rate, uint32_t parallel, uint64_t begun, uint64_t end)
{
    uint64_t now;
    while ((now = time_ns()) < end && (all.begun < all.count || all.under_way)) {
        uint64_t due = rate > 0 ? begun + (uint64_t)((double)all.begun / rate * 1e9) : now;
        bool may = rate > 0 ? due <= now : all.under_way < parallel;
        if (all.begun < all.count && may)
            begin(due);
        else
            flow_poll(&all.loop, rate > 0 && all.begun < all.count ? due : end);
    }
}

static void print(double seconds, double cpu)
{
    const char *comma = "";
    uint32_t silent = all.under_way;
    printf("{\"offered\": %u, \"seconds\": %.3f, \"own_cpu\": %.3f, \"no_answer\": %u, \"failed\": "
           "%u, \"why\": \"%s\", \"answers\": {",
           all.begun, seconds, cpu, silent, all.failed, all.why);
    for (unsigned status = 0; status < STATUS_MOST; status++) {
        if (all.statuses[status]) {
            printf("%s\"%u\": %u", comma, status, all.statuses[status]);
            comma = ", ";
        }
    }
    printf("}, ");
    life_times(&all.right, "signed_in");
    printf(", ");
    life_times(&all.others, "refused");
    printf("}\n");
}

int load_sign_in(int count, char **words)
{
    (void)count;
    all.plan = (struct flow_plan){.sources = (uint32_t)strtoul(words[5], NULL, 10),
                                  .opened = on_opened,
                                  .arrived = on_arrived,
                                  .ended = on_ended};
    life_place(&all.plan, words[0]);
    flow_loop_init(&all.loop);
    read_tries(words[1]);
    uint64_t begun = time_ns(), end = begun + strtoull(words[4], NULL, 10) * 1000000000;
    double cpu = time_own_cpu();
    run(strtod(words[2], NULL), (uint32_t)strtoul(words[3], NULL, 10), begun, end);
    uint64_t late = time_ns() + PATIENCE_SECONDS * 1000000000;
    while (all.under_way && time_ns() < late)
        flow_poll(&all.loop, time_ns() + 100000000);
    print((double)(time_ns() - begun) / 1e9, time_own_cpu() - cpu);
    return EXIT_SUCCESS;
}

/* The floor of a relay: the house's loop and relay without TLS and without framing, a loop for each
 * core. What it takes, and the cipher, is what a gateway of this make cannot go below.
 *
 *     deskgate-plain-relay LISTEN:DESKTOP…       ports of loopback
 *
 * Runs until it is killed. */
#include "fd.h"
#include "loop.h"
#include "owner.h"
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

struct worker {
    struct loop *loop;
    struct stream_scratch *scratch;
};

/* A port, as one worker sees it. */
struct listener {
    struct loop_source source;
    struct worker *worker;
    uint16_t desktop;
};

struct passage {
    struct stream_plain client, desktop;
    struct relay *relay;
};

static void need(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(EX_OSERR);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static void passage_free(struct passage *passage)
{
    relay_free(passage->relay);
    close(passage->client.stream.fd);
    close(passage->desktop.stream.fd);
    free(passage);
}

static void on_ended(struct relay *relay, void *owner, const struct relay_result *result)
{
    (void)relay;
    (void)result;
    passage_free(owner);
}

static void begin(const struct listener *listener, int client)
{
    struct sockaddr_in at = loopback(listener->desktop);
    struct passage *passage = calloc(1, sizeof(*passage));
    int desktop = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(passage && desktop >= 0, "passage");
    need(connect(desktop, (struct sockaddr *)&at, sizeof(at)) == 0, "connect");
    fd_nonblocking(desktop);
    fd_nodelay(desktop);
    fd_nodelay(client);
    stream_plain_init(&passage->client, client);
    stream_plain_init(&passage->desktop, desktop);
    struct relay_setup setup = {.loop = listener->worker->loop,
                                .scratch = listener->worker->scratch,
                                .framed = &passage->client.stream,
                                .plain = &passage->desktop.stream,
                                .framing = RELAY_RAW,
                                .ended = on_ended,
                                .owner = passage};
    need(relay_new(&passage->relay, &setup) == 0, "relay");
}

static void on_client(struct loop_source *source, uint32_t events)
{
    int client = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    (void)events;
    if (client >= 0)
        begin(OWNER_OF(source, struct listener, source), client);
    else
        need(errno == EAGAIN || errno == ECONNABORTED, "accept");
}

static int listen_at(uint16_t port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    need(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0 &&
             bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 4096) == 0,
         "listen");
    return fd;
}

static void *work(void *owner)
{
    struct worker *worker = owner;
    loop_run(worker->loop);
    return NULL;
}

int main(int argc, char **argv)
{
    size_t workers = (size_t)sysconf(_SC_NPROCESSORS_ONLN), ports = (size_t)(argc - 1);
    struct worker *all = calloc(workers, sizeof(*all));
    struct listener *listeners = calloc(workers * (ports ? ports : 1), sizeof(*listeners));
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        fputs("usage: deskgate-plain-relay LISTEN:DESKTOP…\n", stderr);
        return EX_USAGE;
    }
    need(all && listeners, "memory");
    for (size_t w = 0; w < workers; w++)
        need(loop_new(&all[w].loop) == 0 && stream_scratch_new(&all[w].scratch) == 0, "loop");
    for (size_t p = 0; p < ports; p++) {
        char *colon = strchr(argv[p + 1], ':');
        need(colon != NULL, argv[p + 1]);
        int fd = listen_at((uint16_t)strtoul(argv[p + 1], NULL, 10));
        for (size_t w = 0; w < workers; w++) {
            struct listener *listener = &listeners[p * workers + w];
            *listener = (struct listener){.source = {.ready = on_client},
                                          .worker = &all[w],
                                          .desktop = (uint16_t)strtoul(colon + 1, NULL, 10)};
            need(loop_add(all[w].loop, &listener->source, fd, EPOLLIN) == 0, "epoll");
        }
    }
    for (size_t w = 1; w < workers; w++) {
        pthread_t thread;
        need(pthread_create(&thread, NULL, work, &all[w]) == 0, "thread");
    }
    work(&all[0]);
    return EX_SOFTWARE;
}

/* What a byte costs: CPU seconds per GB (10^9 bytes) of the one thread that runs a loop with
 * relays, everything on the server's side included: recv, TLS 1.3 AES-128-GCM, WebSocket, send.
 *
 *   relay_bench [up|down] [TUNNELS] [MEGABYTES] [MESSAGE]
 *
 * MEGABYTES in total (default 2000) over TUNNELS (1) TCP connections on loopback, in WebSocket
 * messages of MESSAGE bytes (16384), one TLS write each. Two more threads play the clients and the
 * desktops; what they use is not counted. */
#include "fd.h"
#include "owner.h"
#include "relay.h"
#include "tls_ends.h"
#include "ws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define TUNNELS_MOST 64
#define PIECE (256 * 1024)

struct tunnel {
    int client, desktop; /* the far ends, blocking */
    int gate_client, gate_desktop;
    gnutls_session_t session; /* the client's */
    struct stream_tls tls;
    struct stream_plain plain;
    struct relay *relay;
    struct loop_source handshaking;
};

static struct {
    bool up;
    size_t tunnels, message;
    uint64_t each; /* payload bytes per tunnel */
    struct tunnel tunnel[TUNNELS_MOST];
    struct loop *loop;
    struct stream_scratch *scratch;
    uint8_t *frame; /* one message as a client sends it, or what a desktop sends */
    size_t frame_size;
} bench = {.up = true, .tunnels = 1, .message = 16384};

static void need(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(EX_OSERR);
}

static void tcp_pair(int *near, int *far)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    FD_AUTO int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(bind(listener, (struct sockaddr *)&at, size) == 0 && listen(listener, 1) == 0 &&
             getsockname(listener, (struct sockaddr *)&at, &size) == 0,
         "listen");
    *far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(connect(*far, (struct sockaddr *)&at, size) == 0, "connect");
    *near = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    need(*near >= 0, "accept");
    fd_nodelay(*near);
    fd_nodelay(*far);
}

/* ---- the far ends: a thread of clients, a thread of desktops ---- */

static void client_sends(struct tunnel *tunnel)
{
    for (size_t at = 0; at < bench.frame_size;) {
        ssize_t put = gnutls_record_send(tunnel->session, bench.frame + at, bench.frame_size - at);
        need(put > 0, "client: send");
        at += (size_t)put;
    }
}

static uint64_t client_reads(struct tunnel *tunnel)
{
    static uint8_t data[PIECE];
    ssize_t got = gnutls_record_recv(tunnel->session, data, sizeof(data));
    need(got > 0, "client: receive");
    return (uint64_t)got; /* frames' headers included; ends a little early, at most 0.03 % */
}

static void desktop_sends(struct tunnel *tunnel)
{
    need(send(tunnel->desktop, bench.frame, bench.frame_size, MSG_NOSIGNAL) ==
             (ssize_t)bench.frame_size,
         "desktop: send");
}

static uint64_t desktop_reads(struct tunnel *tunnel)
{
    static uint8_t data[PIECE];
    ssize_t got = recv(tunnel->desktop, data, sizeof(data), 0);
    need(got > 0, "desktop: receive");
    return (uint64_t)got;
}

static void send_all(void (*send_one)(struct tunnel *tunnel))
{
    for (uint64_t sent = 0; sent < bench.each; sent += bench.message) {
        for (size_t i = 0; i < bench.tunnels; i++)
            send_one(&bench.tunnel[i]);
    }
}

static void read_all(uint64_t (*read_one)(struct tunnel *tunnel), bool tls)
{
    struct pollfd look[TUNNELS_MOST];
    uint64_t left[TUNNELS_MOST];
    size_t open = bench.tunnels;
    for (size_t i = 0; i < bench.tunnels; i++) {
        look[i] = (struct pollfd){.fd = tls ? bench.tunnel[i].client : bench.tunnel[i].desktop,
                                  .events = POLLIN};
        left[i] = bench.each;
    }
    while (open) {
        poll(look, bench.tunnels, -1);
        for (size_t i = 0; i < bench.tunnels; i++) {
            while (look[i].fd >= 0 && look[i].revents) {
                uint64_t got = read_one(&bench.tunnel[i]);
                left[i] -= got < left[i] ? got : left[i];
                if (left[i] == 0) {
                    look[i].fd = -1;
                    open--;
                }
                if (!tls || !gnutls_record_check_pending(bench.tunnel[i].session))
                    break;
            }
        }
    }
}

static void *clients(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < bench.tunnels; i++) {
        int error;
        do
            error = gnutls_handshake(bench.tunnel[i].session);
        while (error < 0 && !gnutls_error_is_fatal(error));
        need(error == 0, "client: handshake");
    }
    if (bench.up)
        send_all(client_sends);
    else
        read_all(client_reads, true);
    return NULL;
}

static void *desktops(void *unused)
{
    (void)unused;
    if (bench.up)
        read_all(desktop_reads, false);
    else
        send_all(desktop_sends);
    return NULL;
}

/* ---- the thread that is measured ---- */

static void on_ended(struct relay *relay, void *owner, const struct relay_result *result)
{
    (void)relay;
    (void)owner;
    fprintf(stderr, "a relay ended early: %d %d %s\n", (int)result->end, result->error,
            result->reason);
    exit(EX_SOFTWARE);
}

static void on_handshaking(struct loop_source *source, uint32_t events)
{
    struct tunnel *tunnel = OWNER_OF(source, struct tunnel, handshaking);
    int why = 0, error = stream_tls_handshake(&tunnel->tls, &why);
    (void)events;
    if (error == -EAGAIN) {
        loop_modify(bench.loop, source, stream_tls_wants(&tunnel->tls));
        return;
    }
    need(error == 0, gnutls_strerror(why));
    loop_remove(bench.loop, source);
    if (!getenv("NO_DIRECT"))
        stream_tls_direct(&tunnel->tls, true);
    struct relay_setup setup = {.loop = bench.loop,
                                .scratch = bench.scratch,
                                .framed = &tunnel->tls.stream,
                                .plain = &tunnel->plain.stream,
                                .framing = RELAY_WS_SERVER,
                                .ping_ms = 30000,
                                .idle_ms = 3600000,
                                .ended = on_ended};
    need(relay_new(&tunnel->relay, &setup) == 0, "relay");
}

static void *serve(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "relay"); /* for perf --comm */
    loop_run(bench.loop);
    return NULL;
}

static void make_tunnel(struct tunnel *tunnel, const struct tls_ends *ends)
{
    tcp_pair(&tunnel->gate_client, &tunnel->client);
    tcp_pair(&tunnel->gate_desktop, &tunnel->desktop);
    stream_plain_init(&tunnel->plain, tunnel->gate_desktop);
    stream_tls_init(&tunnel->tls, tunnel->gate_client,
                    tls_ends_session(ends, GNUTLS_SERVER, TLS_ENDS_13), bench.scratch);
    tunnel->session = tls_ends_session(ends, GNUTLS_CLIENT, TLS_ENDS_13);
    gnutls_transport_set_int(tunnel->session, tunnel->client);
    tunnel->handshaking.ready = on_handshaking;
    need(loop_add(bench.loop, &tunnel->handshaking, tunnel->gate_client, EPOLLIN) == 0, "epoll");
}

static void make_frame(void)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t *room = calloc(1, WS_HEADER_MOST + bench.message);
    need(room != NULL, "message");
    uint8_t *payload = room + WS_HEADER_MOST;
    bench.frame = payload;
    bench.frame_size = bench.message;
    if (!bench.up)
        return;
    ws_mask(payload, bench.message, mask, 0);
    size_t head = ws_header_before(payload, WS_BINARY, bench.message, mask);
    bench.frame -= head;
    bench.frame_size += head;
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    uint64_t megabytes = argc > 3 ? strtoul(argv[3], NULL, 10) : 2000;
    if (argc > 1)
        bench.up = strcmp(argv[1], "down") != 0;
    if (argc > 2)
        bench.tunnels = strtoul(argv[2], NULL, 10);
    if (argc > 4)
        bench.message = strtoul(argv[4], NULL, 10);
    if (!bench.tunnels || bench.tunnels > TUNNELS_MOST || !bench.message || !megabytes) {
        fprintf(stderr, "usage: relay_bench [up|down] [TUNNELS] [MEGABYTES] [MESSAGE]\n");
        return EX_USAGE;
    }
    bench.each = megabytes * 1000000 / bench.tunnels;
    struct tls_ends ends;
    tls_ends_init(&ends);
    make_frame();
    need(loop_new(&bench.loop) == 0 && stream_scratch_new(&bench.scratch) == 0, "loop");
    for (size_t i = 0; i < bench.tunnels; i++)
        make_tunnel(&bench.tunnel[i], &ends);

    pthread_t server, client, desktop;
    clockid_t clock;
    double begun = seconds(CLOCK_MONOTONIC);
    need(pthread_create(&server, NULL, serve, NULL) == 0 &&
             pthread_create(&client, NULL, clients, NULL) == 0 &&
             pthread_create(&desktop, NULL, desktops, NULL) == 0 &&
             pthread_getcpuclockid(server, &clock) == 0,
         "threads");
    pthread_join(client, NULL);
    pthread_join(desktop, NULL);
    double cpu = seconds(clock), wall = seconds(CLOCK_MONOTONIC) - begun;
    double gigabytes = (double)bench.each * (double)bench.tunnels / 1e9;
    printf("%-4s x%-2zu  %6zu B  %.3f CPU s/GB  %6.0f MB/s\n", bench.up ? "up" : "down",
           bench.tunnels, bench.message, cpu / gigabytes, gigabytes * 1000 / wall);
    fflush(stdout);
    _exit(0); /* the tunnels are still open; the kernel closes them */
}

/* The load of a benchmark: the desktop's end and the clients' end of many connections, with enough
 * speed not to be what is measured. It tells the processor time that it took itself.
 *
 *     deskgate-load desktop echo|sink|source
 *         listens on a port of loopback, prints it, serves until it is killed. sink takes a pattern
 *         and looks at every byte; source gives it after the first byte that comes
 *     deskgate-load client PORT raw|ws up|down BYTES CONNECTIONS [PATH [TOKEN]]
 *         moves BYTES over each of CONNECTIONS at once, by TLS 1.3, bare or in WebSocket messages
 * of 16 KiB, and prints one JSON object: seconds, its own processor seconds, bytes in all
 *
 * The pattern is a block of 16 KiB again and again, so that a byte's place tells what it must be. A
 * byte that is another one ends the program with 1. */
#include <gnutls/gnutls.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 16384
#define BUFFER (4 * BLOCK)
#define WS_HEAD 8 /* of a masked message of 16 KiB (RFC 6455 section 5.2) */

static uint8_t pattern[2 * BLOCK]; /* twice, so that any 16 KiB of the stream lie in one piece */

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "deskgate-load: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void make_pattern(void)
{
    uint32_t state = 2463534242U; /* xorshift: no run of it looks like another */
    for (size_t i = 0; i < BLOCK; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        pattern[i] = pattern[i + BLOCK] = (uint8_t)state;
    }
}

/* What stands at `place` of the stream must be the pattern. */
static void check(const uint8_t *bytes, size_t size, uint64_t place)
{
    while (size > 0) {
        size_t at = place % BLOCK, part = size < BLOCK ? size : BLOCK;
        if (memcmp(bytes, pattern + at, part) != 0) {
            fputs("deskgate-load: a byte arrived as another one\n", stderr);
            exit(EXIT_FAILURE);
        }
        bytes += part;
        size -= part;
        place += part;
    }
}

static void no_delay(int fd)
{
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

/* ---- the desktop ---- */

enum desktop_kind { ECHO, SINK, SOURCE };

struct served {
    int fd;
    enum desktop_kind kind;
};

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void *serve_one(void *owner)
{
    struct served served = *(struct served *)owner;
    uint8_t *buffer = malloc(BUFFER);
    uint64_t place = 0;
    ssize_t got;
    free(owner);
    while (buffer && (got = recv(served.fd, buffer, BUFFER, 0)) > 0) {
        if (served.kind == SINK) {
            check(buffer, (size_t)got, place);
            place += (uint64_t)got;
        } else if (served.kind == ECHO && !write_all(served.fd, buffer, (size_t)got)) {
            break;
        }
        while (served.kind == SOURCE && write_all(served.fd, pattern, sizeof(pattern)))
            ;
    }
    free(buffer);
    close(served.fd);
    return NULL;
}

static int desktop(const char *kind)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, size) < 0 ||
        listen(listener, 1024) < 0 || getsockname(listener, (struct sockaddr *)&at, &size) < 0)
        die("listen");
    printf("%u\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        pthread_t thread;
        struct served *served = malloc(sizeof(*served));
        if (!served)
            die("memory");
        served->kind = *kind == 'e' ? ECHO : strcmp(kind, "sink") == 0 ? SINK : SOURCE;
        served->fd = accept(listener, NULL, NULL);
        if (served->fd < 0)
            die("accept");
        no_delay(served->fd);
        if (pthread_create(&thread, NULL, serve_one, served) != 0)
            die("thread");
        pthread_detach(thread);
    }
}

/* ---- a client ---- */

struct client {
    pthread_t thread;
    pthread_barrier_t *ready; /* all are connected before any begins */
    uint16_t port;
    bool framed, up;
    uint64_t bytes;
    const char *path, *token;
    gnutls_session_t tls;
    uint8_t *message; /* framed: 16 KiB of the pattern, masked */
    uint8_t *buffer;
    size_t have, taken; /* of buffer: bytes that came, and those that were used up */
};

static gnutls_certificate_credentials_t credentials;

static void tls_ok(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "deskgate-load: %s: %s\n", what, gnutls_strerror(result));
        exit(EXIT_FAILURE);
    }
}

/* The certificate is the benchmark's own: nobody else is on loopback. */
static void connect_client(struct client *client)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(client->port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        die("connect");
    no_delay(fd);
    tls_ok(gnutls_init(&client->tls, GNUTLS_CLIENT), "TLS");
    tls_ok(gnutls_priority_set_direct(
               client->tls, "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+SIGN-ALL:+GROUP-ALL", NULL),
           "priorities");
    tls_ok(gnutls_credentials_set(client->tls, GNUTLS_CRD_CERTIFICATE, credentials), "credentials");
    tls_ok(gnutls_server_name_set(client->tls, GNUTLS_NAME_DNS, "localhost", 9), "name");
    gnutls_transport_set_int(client->tls, fd);
    tls_ok(gnutls_handshake(client->tls), "handshake");
}

static void send_all(struct client *client, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = gnutls_record_send(client->tls, bytes, size);
        if (sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED)
            continue;
        tls_ok((int)sent, "send");
        bytes += sent;
        size -= (size_t)sent;
    }
}

/* More bytes behind those that are there and not used up; false at the end. */
static bool more(struct client *client)
{
    ssize_t got;
    memmove(client->buffer, client->buffer + client->taken, client->have - client->taken);
    client->have -= client->taken;
    client->taken = 0;
    do
        got = gnutls_record_recv(client->tls, client->buffer + client->have, BUFFER - client->have);
    while (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED);
    if (got <= 0)
        return false;
    client->have += (size_t)got;
    return true;
}

static void upgrade(struct client *client)
{
    char head[1024];
    int size = snprintf(head, sizeof(head),
                        "GET %s HTTP/1.1\r\nHost: localhost:%u\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Protocol: binary\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n",
                        client->path, client->port, client->token ? "Authorization: Bearer " : "",
                        client->token ? client->token : "", client->token ? "\r\n" : "");
    send_all(client, (uint8_t *)head, (size_t)size);
    const uint8_t *end = NULL;
    while (!end && more(client))
        end = memmem(client->buffer, client->have, "\r\n\r\n", 4);
    if (!end || strncmp((char *)client->buffer, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "deskgate-load: not upgraded: %.*s\n",
                (int)(client->have < 200 ? client->have : 200), (char *)client->buffer);
        exit(EXIT_FAILURE);
    }
    client->taken = (size_t)(end - client->buffer) + 4;
}

static void make_message(struct client *client, size_t size)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    client->message = malloc(WS_HEAD + BLOCK);
    if (!client->message)
        die("memory");
    client->message[0] = 0x82; /* a whole binary message */
    client->message[1] = 0x80 | 126;
    client->message[2] = (uint8_t)(size >> 8);
    client->message[3] = (uint8_t)size;
    memcpy(client->message + 4, mask, 4);
    for (size_t i = 0; i < size; i++)
        client->message[WS_HEAD + i] = pattern[i] ^ mask[i % 4];
}

/* ---- its work ---- */

static void push(struct client *client)
{
    for (uint64_t sent = 0; sent < client->bytes; sent += BLOCK) {
        if (client->framed)
            send_all(client, client->message, WS_HEAD + BLOCK);
        else
            send_all(client, pattern, BLOCK);
    }
}

/* One byte asks for the stream; what comes is looked at, its frames taken off. */
static void pull(struct client *client)
{
    static const uint8_t ask[] = {0x82, 0x81, 0, 0, 0, 0, 'x'};
    uint64_t place = 0, left = 0; /* left of the present message */
    send_all(client, client->framed ? ask : ask + 6, client->framed ? sizeof(ask) : 1);
    while (place < client->bytes) {
        size_t have = client->have - client->taken;
        const uint8_t *at = client->buffer + client->taken;
        if (client->framed && left == 0) {
            size_t head = have < 2 ? 0 : at[1] == 127 ? 10 : at[1] == 126 ? 4 : 2;
            if (head && have >= head) {
                left = head == 2 ? at[1] : 0;
                for (size_t i = 2; i < head; i++)
                    left = left << 8 | at[i];
                client->taken += head;
                continue;
            }
            have = 0;
        }
        size_t part = client->framed && have > left ? (size_t)left : have;
        if (part == 0) {
            if (!more(client))
                die("the stream ended early");
            continue;
        }
        check(at, part, place);
        place += part;
        left -= client->framed ? part : 0;
        client->taken += part;
    }
}

static void *run_client(void *owner)
{
    struct client *client = owner;
    client->buffer = malloc(BUFFER);
    if (!client->buffer)
        die("memory");
    connect_client(client);
    if (client->framed) {
        make_message(client, BLOCK);
        upgrade(client);
    }
    pthread_barrier_wait(client->ready);
    if (client->up)
        push(client);
    else
        pull(client);
    gnutls_bye(client->tls, GNUTLS_SHUT_WR);
    /* Up: everything has arrived when the other end is closed, too. */
    while (client->up && more(client))
        client->taken = client->have;
    gnutls_deinit(client->tls);
    free(client->buffer);
    free(client->message);
    return NULL;
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double own_cpu(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int clients(char **argv, int count)
{
    unsigned connections = (unsigned)strtoul(argv[4], NULL, 10);
    uint64_t bytes = strtoull(argv[3], NULL, 10) / BLOCK * BLOCK;
    struct client *all = calloc(connections ? connections : 1, sizeof(*all));
    pthread_barrier_t ready;
    pthread_attr_t small;
    if (!all || !connections || !bytes || pthread_barrier_init(&ready, NULL, connections + 1))
        die("arguments");
    tls_ok(gnutls_certificate_allocate_credentials(&credentials), "credentials");
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    for (unsigned i = 0; i < connections; i++) {
        all[i] = (struct client){.ready = &ready,
                                 .port = (uint16_t)strtoul(argv[0], NULL, 10),
                                 .framed = strcmp(argv[1], "ws") == 0,
                                 .up = strcmp(argv[2], "up") == 0,
                                 .bytes = bytes,
                                 .path = count > 5 ? argv[5] : "/",
                                 .token = count > 6 ? argv[6] : NULL};
        if (pthread_create(&all[i].thread, &small, run_client, &all[i]) != 0)
            die("thread");
    }
    pthread_barrier_wait(&ready);
    double begun = now(), cpu = own_cpu();
    for (unsigned i = 0; i < connections; i++)
        pthread_join(all[i].thread, NULL);
    printf("{\"seconds\": %.4f, \"own_cpu\": %.4f, \"bytes\": %llu}\n", now() - begun,
           own_cpu() - cpu, (unsigned long long)(bytes * connections));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    make_pattern();
    if (argc == 3 && strcmp(argv[1], "desktop") == 0)
        return desktop(argv[2]);
    if (argc >= 7 && argc <= 9 && strcmp(argv[1], "client") == 0)
        return clients(argv + 2, argc - 2);
    fputs("usage: deskgate-load desktop echo|sink|source\n"
          "       deskgate-load client PORT raw|ws up|down BYTES CONNECTIONS [PATH [TOKEN]]\n",
          stderr);
    return EXIT_FAILURE;
}

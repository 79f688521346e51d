/* desktop echo|sink|source
 * desktop rdp-echo|rdp-sink|rdp-source CERTIFICATE KEY
 *
 * Listens on a port of loopback, prints it, serves until it is killed. sink takes the pattern,
 * looks at every byte, and prints {"taken": BYTES} for each connection; source gives it without end
 * after the first byte that comes; echo gives back what comes, for any number of connections in one
 * thread. The second form begins as RDP does, with TLS, and then does the same. */
#include "load.h"
#include "load_link.h"
#include "load_pattern.h"
#include "load_rdp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind { ECHO, SINK, SOURCE };

struct desktop {
    enum kind kind;
    gnutls_certificate_credentials_t rdp; /* NULL: bare */
};

struct served {
    const struct desktop *desktop;
    int fd;
};

static uint8_t *new_buffer(void)
{
    uint8_t *buffer = malloc(LINK_ROOM);
    if (!buffer)
        load_die("memory");
    return buffer;
}

static ssize_t read_some(struct link *link, uint8_t *buffer)
{
    ssize_t got;
    while ((got = link_read(link, buffer, LINK_ROOM)) == -EAGAIN)
        link_wait(link);
    return got;
}

/* ---- a thread for each: all but the bare echo ---- */

static void give(struct link *link)
{
    int result;
    do {
        result = link_write(link, pattern_bytes(), 2 * PATTERN_BLOCK);
        if (result == 0 && link_full(link))
            result = link_push_all(link);
    } while (result == 0);
}

static void take(struct link *link, uint8_t *buffer)
{
    uint64_t place = 0;
    ssize_t got;
    while ((got = read_some(link, buffer)) > 0) {
        pattern_check(buffer, (size_t)got, place);
        place += (uint64_t)got;
    }
    printf("{\"taken\": %llu}\n", (unsigned long long)place);
    fflush(stdout);
}

static void echo(struct link *link, uint8_t *buffer)
{
    ssize_t got;
    while ((got = read_some(link, buffer)) > 0 && link_write(link, buffer, (size_t)got) == 0 &&
           link_flush_all(link) == 0)
        ;
}

static void serve_one(const struct desktop *desktop, struct link *link, uint8_t *buffer)
{
    if (desktop->kind == SINK)
        take(link, buffer);
    else if (desktop->kind == ECHO)
        echo(link, buffer);
    else if (read_some(link, buffer) > 0)
        give(link);
}

static void *run(void *owner)
{
    struct served *served = owner;
    const struct desktop *desktop = served->desktop;
    uint8_t *buffer = new_buffer();
    struct link link;
    if ((desktop->rdp ? rdp_accept(&link, served->fd, desktop->rdp)
                      : link_accept(&link, served->fd, NULL)) == 0)
        serve_one(desktop, &link, buffer);
    free(buffer);
    link_deinit(&link);
    free(served);
    return NULL;
}

static void start_one(const struct desktop *desktop, int fd)
{
    pthread_t thread;
    pthread_attr_t small;
    struct served *served = malloc(sizeof(*served));
    if (!served)
        load_die("memory");
    *served = (struct served){.desktop = desktop, .fd = fd};
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &small, run, served) != 0)
        load_die("thread");
    pthread_attr_destroy(&small);
}

/* ---- one thread for all: the bare echo ---- */

/* True while it lives. What does not fit into the socket is waited for: echoes are small. */
static bool echo_one(struct link *link, uint8_t *buffer)
{
    ssize_t got;
    while ((got = link_read(link, buffer, LINK_ROOM)) > 0) {
        if (link_write(link, buffer, (size_t)got) < 0 || link_flush_all(link) < 0)
            return false;
        if (got < LINK_ROOM)
            return true;
    }
    return got == -EAGAIN;
}

static void watch(int epoll, int fd, struct link *link)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = link}};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        load_die("epoll");
}

static _Noreturn void echo_all(int listener)
{
    struct epoll_event events[64];
    uint8_t *buffer = new_buffer();
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener, NULL);
    for (;;) {
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            struct link *link = events[i].data.ptr;
            if (link && !echo_one(link, buffer)) {
                link_deinit(link);
                free(link);
            }
            if (link)
                continue;
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (fd < 0 || !(link = malloc(sizeof(*link))))
                load_die("accept");
            link_accept(link, fd, NULL);
            watch(epoll, fd, link);
        }
    }
}

/* ---- all ---- */

static int listen_somewhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, size) < 0 ||
        listen(listener, 4096) < 0 || getsockname(listener, (struct sockaddr *)&at, &size) < 0)
        load_die("listen");
    printf("%u\n", ntohs(at.sin_port));
    fflush(stdout);
    return listener;
}

int load_desktop(int count, char **words)
{
    static const char *const kinds[] = {[ECHO] = "echo", [SINK] = "sink", [SOURCE] = "source"};
    const bool rdp = strncmp(words[0], "rdp-", 4) == 0;
    struct desktop desktop = {.kind = ECHO};
    while (desktop.kind <= SOURCE && strcmp(words[0] + (rdp ? 4 : 0), kinds[desktop.kind]) != 0)
        desktop.kind++;
    if (desktop.kind > SOURCE || count != (rdp ? 3 : 1)) {
        fprintf(stderr, "deskgate-load: there is no desktop '%s'\n", words[0]);
        return 64; /* EX_USAGE */
    }
    if (rdp)
        desktop.rdp = rdp_credentials(words[1], words[2]);
    int listener = listen_somewhere();
    if (desktop.kind == ECHO && !rdp)
        echo_all(listener);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            load_die("accept");
        start_one(&desktop, fd);
    }
}

#include "serve_listen.h"

#include "addr.h"
#include "fd.h"
#include "log.h"
#include "text.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define BACKLOG 4096    /* the kernel caps it at net.core.somaxconn */
#define SYSTEMD_FIRST 3 /* SD_LISTEN_FDS_START */

#define WHERE_SIZE (ADDR_TEXT_SIZE + 10)

static void where_text(const struct conf_listen *listen, char to[WHERE_SIZE])
{
    char address[ADDR_TEXT_SIZE];
    addr_text(&listen->address, address);
    bool v4 = addr_is_v4(&listen->address);
    snprintf(to, WHERE_SIZE, "%s%s%s:%u", v4 ? "" : "[", address, v4 ? "" : "]",
             (unsigned)listen->port);
}

static const char *what_to_do(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "another program listens there ('ss -ltnp' shows which): stop it, or change the "
               "address";
    case EACCES:
        return "ports below 1024 need root: start as root (it is dropped after binding), use "
               "systemd's socket activation, or choose another port";
    case EADDRNOTAVAIL:
        return "this machine does not have that address: correct it, or start when the network is "
               "up";
    case EAFNOSUPPORT:
        return "this machine has no IPv6: take the address out";
    default:
        return strerror(error);
    }
}

/* A listening socket or a negative errno. */
static int bind_one(const struct conf_listen *listen_on)
{
    struct sockaddr_storage address;
    socklen_t size = addr_to_sockaddr(&listen_on->address, listen_on->port, &address);
    int on = 1;

    FD_AUTO int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    /* IPv4 has sockets of its own, so that each address is said and bound explicitly. */
    if (address.ss_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&address, size) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    int bound = fd;
    fd = -1; /* the caller's */
    return bound;
}

/* The wildcard of IPv6 on a machine without IPv6 is no reason not to serve IPv4. */
static bool dispensable(const struct conf_listen *listen_on, int error)
{
    static const struct addr any;
    return addr_equal(&listen_on->address, &any) &&
           (error == EAFNOSUPPORT || error == EADDRNOTAVAIL);
}

/* Appends what was bound to conf->listen and to the listeners. */
static int bind_these(struct conf *conf, struct serve_listeners *listeners,
                      const struct conf_listen *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char where[WHERE_SIZE];
        int fd = bind_one(&wanted[i]);
        where_text(&wanted[i], where);
        if (fd < 0 && dispensable(&wanted[i], -fd)) {
            LOG_WARNING("listen.skipped", "no IPv6 on this machine: not listening there",
                        LOG_TEXT("address", where));
            continue;
        }
        if (fd < 0) {
            LOG_ERROR("listen.failed", what_to_do(-fd),
                      LOG_TEXT("key", conf_listen_key(&wanted[i])), LOG_TEXT("address", where),
                      LOG_TEXT("error", strerror(-fd)));
            return fd == -EACCES ? EX_NOPERM : EX_UNAVAILABLE;
        }
        conf->listen[conf->listen_count++] = wanted[i];
        listeners->items[listeners->count++] =
            (struct gate_listener){.fd = fd, .tls = wanted[i].tls, .metrics = wanted[i].metrics};
    }
    return EX_OK;
}

/* Takes the listeners out of the configuration, all or only those of Prometheus. */
static size_t take_wanted(struct conf *conf, struct conf_listen wanted[CONF_LISTEN_MAX],
                          bool metrics_only)
{
    size_t count = 0;
    for (size_t i = 0; i < conf->listen_count; i++) {
        if (!metrics_only || conf->listen[i].metrics)
            wanted[count++] = conf->listen[i];
    }
    conf->listen_count = 0;
    return count;
}

static int bind_all(struct conf *conf, struct serve_listeners *listeners)
{
    struct conf_listen wanted[CONF_LISTEN_MAX];
    size_t count = take_wanted(conf, wanted, false);
    return bind_these(conf, listeners, wanted, count);
}

static int socket_option(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

static bool listens(int fd)
{
    int domain = socket_option(fd, SO_DOMAIN);
    return (domain == AF_INET || domain == AF_INET6) && socket_option(fd, SO_TYPE) == SOCK_STREAM &&
           socket_option(fd, SO_ACCEPTCONN) == 1;
}

/* How many sockets systemd handed over to this very process; 0: none. */
static size_t activated(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    uint64_t number;

    if (!pid || !count || !text_number(pid, INT32_MAX, &number) || number != (uint64_t)getpid() ||
        !text_number(count, INT32_MAX, &number))
        return 0;
    return (size_t)number;
}

static int take_activated(struct conf *conf, struct serve_listeners *listeners, size_t count)
{
    char names[1024] = "", *rest = names;
    struct conf_listen wanted[CONF_LISTEN_MAX];
    const char *given = getenv("LISTEN_FDNAMES");

    if (count > CONF_LISTEN_MAX || (given && !text_copy(names, sizeof(names), given))) {
        LOG_ERROR("listen.systemd", "too many sockets from systemd: check deskgate.socket",
                  LOG_NUMBER("most", CONF_LISTEN_MAX));
        return EX_CONFIG;
    }
    bool metrics_given = false;
    size_t wanted_count = take_wanted(conf, wanted, true);
    for (size_t i = 0; i < count; i++) {
        int fd = SYSTEMD_FIRST + (int)i;
        const char *name = strsep(&rest, ":");
        bool metrics = name && strcmp(name, "metrics") == 0;
        metrics_given |= metrics;
        bool tls = !metrics && (!name || strcmp(name, "http") != 0);
        if (!listens(fd) || fd_cloexec(fd, true) < 0 || fd_nonblocking(fd) < 0) {
            LOG_ERROR("listen.systemd", "not a listening TCP socket: check deskgate.socket",
                      LOG_NUMBER("number", i), LOG_TEXT("name", name ? name : ""));
            return EX_CONFIG;
        }
        conf->listen[conf->listen_count++] = (struct conf_listen){.tls = tls, .metrics = metrics};
        listeners->items[listeners->count++] =
            (struct gate_listener){.fd = fd, .tls = tls, .metrics = metrics};
    }
    if (metrics_given || wanted_count > CONF_LISTEN_MAX - count)
        return EX_OK;
    return bind_these(conf, listeners, wanted, wanted_count); /* needs no rights, so no unit */
}

/* Where the sockets really are. */
static bool look_up(struct conf *conf, const struct serve_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);
        struct conf_listen *listen_on = &conf->listen[i];
        if (getsockname(listeners->items[i].fd, (struct sockaddr *)&address, &size) < 0 ||
            !addr_from_sockaddr(&listen_on->address, (const struct sockaddr *)&address))
            return false;
        in_port_t port = address.ss_family == AF_INET
                             ? ((const struct sockaddr_in *)(const void *)&address)->sin_port
                             : ((const struct sockaddr_in6 *)(const void *)&address)->sin6_port;
        listen_on->port = ntohs(port);
    }
    return true;
}

int serve_listen(struct conf *conf, struct serve_listeners *listeners)
{
    size_t count = activated();
    int code;

    *listeners = (struct serve_listeners){0};
    code = count ? take_activated(conf, listeners, count) : bind_all(conf, listeners);
    for (const char **name = (const char *[]){"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", NULL};
         *name; name++)
        unsetenv(*name); /* not for the children */
    if (code != EX_OK)
        return code;
    if (!look_up(conf, listeners)) {
        LOG_ERROR("listen.failed", "a listening socket has no address");
        return EX_OSERR;
    }
    if (!conf_public_port(conf)) {
        LOG_ERROR("listen.failed", "there is no address for HTTPS: check [server] listen");
        return EX_CONFIG;
    }
    return EX_OK;
}

/* Port 0 was one that the system chose. */
static bool among(const struct conf_listen *wanted, const struct conf *conf)
{
    for (size_t i = 0; i < conf->listen_count; i++) {
        const struct conf_listen *at = &conf->listen[i];
        if (at->tls == wanted->tls && at->metrics == wanted->metrics &&
            addr_equal(&at->address, &wanted->address) &&
            (at->port == wanted->port || wanted->port == 0))
            return true;
    }
    return false;
}

int serve_listen_take(struct conf *conf, struct serve_listeners *listeners)
{
    struct conf_listen wanted[CONF_LISTEN_MAX];
    size_t count = take_wanted(conf, wanted, false);

    for (size_t i = 0; i < listeners->count; i++) {
        const struct gate_listener *item = &listeners->items[i];
        conf->listen[conf->listen_count++] =
            (struct conf_listen){.tls = item->tls, .metrics = item->metrics};
    }
    if (!look_up(conf, listeners) || !conf_public_port(conf)) {
        LOG_ERROR("listen.failed", "no listening sockets have been handed over");
        return EX_OSERR;
    }
    for (size_t i = 0; i < count; i++) {
        char where[WHERE_SIZE];
        where_text(&wanted[i], where);
        if (!among(&wanted[i], conf))
            LOG_WARNING("listen.skipped", "an address of the configuration takes a restart",
                        LOG_TEXT("address", where));
    }
    return EX_OK;
}

void serve_listen_close(struct serve_listeners *listeners)
{
    while (listeners->count)
        fd_close(&listeners->items[--listeners->count].fd);
}

/* In which order they are told. */
#define RANK_LAST 2
static int rank_of(const struct conf_listen *listen_on)
{
    return listen_on->tls ? 0 : listen_on->metrics ? RANK_LAST : 1;
}

void serve_listen_text(const struct conf *conf, char to[SERVE_ADDRESSES_SIZE])
{
    size_t size = 0;
    to[0] = '\0';
    for (int rank = 0; rank <= RANK_LAST; rank++) {
        for (size_t i = 0; i < conf->listen_count; i++) {
            char where[WHERE_SIZE];
            if (rank_of(&conf->listen[i]) != rank || size >= SERVE_ADDRESSES_SIZE - WHERE_SIZE)
                continue;
            where_text(&conf->listen[i], where);
            size += (size_t)snprintf(to + size, SERVE_ADDRESSES_SIZE - size, "%s%s",
                                     size ? " " : "", where);
        }
    }
}

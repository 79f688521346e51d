#include "client_listen.h"

#include "fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64
/* Above what services listen at, and below 60999, where Linux's ports for outgoing connections
 * end. */
#define PORT_FIRST 20000
#define PORTS 40000

/* FNV-1a (Fowler, Noll and Vo), with the letters of either case as one. */
static uint32_t add_text(uint32_t hash, const char *text)
{
    do {
        char one = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        hash = (hash ^ (unsigned char)one) * 16777619U;
    } while (*text++); /* its end as well: "a" and "bc" are not "ab" and "c" */
    return hash;
}

uint16_t client_listen_port(const struct client_url *gateway, const char *desktop)
{
    uint32_t hash = add_text(add_text(2166136261U, gateway->authority), desktop);
    return (uint16_t)(PORT_FIRST + hash % PORTS);
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage own;
    socklen_t size = sizeof(own);
    if (getsockname(fd, (struct sockaddr *)&own, &size) < 0)
        return 0;
    return ntohs(own.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own)->sin6_port
                                           : ((struct sockaddr_in *)&own)->sin_port);
}

static void describe(const struct client_listen *listen, char text[CLIENT_LISTEN_TEXT])
{
    char address[ADDR_TEXT_SIZE];
    addr_text(&listen->address, address);
    snprintf(text, CLIENT_LISTEN_TEXT, addr_is_v4(&listen->address) ? "%s:%u" : "[%s]:%u", address,
             listen->port);
}

int client_listen(struct client_listen *wish, char text[CLIENT_LISTEN_TEXT],
                  struct client_failure *failure)
{
    struct sockaddr_storage to;
    socklen_t size = addr_to_sockaddr(&wish->address, wish->port, &to);
    int one = 1;
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    describe(wish, text);
    /* So that a restart is not kept off by old connections in TIME_WAIT. */
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, (struct sockaddr *)&to, size) < 0 || listen(fd, BACKLOG) < 0) {
        int error = errno;
        fd_close(&fd);
        return client_fail(
            failure, CLIENT_FAULT_LISTEN, "cannot listen on %s: %s%s", text, strerror(error),
            error == EADDRINUSE ? "; without --listen, or with port 0, a free port is chosen" : "");
    }
    wish->port = bound_port(fd);
    describe(wish, text);
    return fd;
}

#include "addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4291 section 2.5.5.2 */
static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool addr_from_sockaddr(struct addr *to, const struct sockaddr *from)
{
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof(in));
        memcpy(to->bytes, mapped, sizeof(mapped));
        memcpy(to->bytes + 12, &in.sin_addr, 4);
        return true;
    }
    if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, from, sizeof(in6));
        memcpy(to->bytes, &in6.sin6_addr, 16);
        return true;
    }
    return false;
}

socklen_t addr_to_sockaddr(const struct addr *from, uint16_t port, struct sockaddr_storage *to)
{
    memset(to, 0, sizeof(*to));
    if (addr_is_v4(from)) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&in.sin_addr, from->bytes + 12, 4);
        memcpy(to, &in, sizeof(in));
        return sizeof(in);
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&in6.sin6_addr, from->bytes, 16);
    memcpy(to, &in6, sizeof(in6));
    return sizeof(in6);
}

bool addr_parse(struct addr *to, const char *text)
{
    if (inet_pton(AF_INET, text, to->bytes + 12) == 1) {
        memcpy(to->bytes, mapped, sizeof(mapped));
        return true;
    }
    return inet_pton(AF_INET6, text, to->bytes) == 1;
}

void addr_text(const struct addr *addr, char *to)
{
    if (addr_is_v4(addr))
        inet_ntop(AF_INET, addr->bytes + 12, to, ADDR_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, addr->bytes, to, ADDR_TEXT_SIZE);
}

bool addr_is_v4(const struct addr *addr)
{
    return memcmp(addr->bytes, mapped, sizeof(mapped)) == 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool addr_net_parse(struct addr_net *to, const char *text)
{
    char head[ADDR_TEXT_SIZE];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    if (length >= sizeof(head))
        return false;
    memcpy(head, text, length);
    head[length] = '\0';
    if (!addr_parse(&to->base, head))
        return false;
    /* By the notation, not the value: ::ffff:10.0.0.0/104 counts its bits over 128. */
    unsigned before = strchr(head, ':') ? 0 : 96, most = 128 - before;
    unsigned bits = most;
    if (slash) {
        const char *digits = slash + 1;
        size_t count = strlen(digits);
        if (count == 0 || count > 3 || strspn(digits, "0123456789") != count)
            return false;
        bits = (unsigned)strtoul(digits, NULL, 10);
        if (bits > most)
            return false;
    }
    to->bits = (uint8_t)(before + bits);
    return true;
}

void addr_net_text(const struct addr_net *net, char *to)
{
    bool v4 = addr_is_v4(&net->base) && net->bits >= 96;
    addr_text(&net->base, to);
    snprintf(to + strlen(to), ADDR_NET_TEXT_SIZE - strlen(to), "/%u",
             v4 ? net->bits - 96U : net->bits);
}

bool addr_in(const struct addr *addr, const struct addr_net *net)
{
    size_t whole = net->bits / 8U, rest = net->bits % 8U;
    if (memcmp(addr->bytes, net->base.bytes, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff00U >> rest);
    return ((addr->bytes[whole] ^ net->base.bytes[whole]) & mask) == 0;
}

bool addr_in_any(const struct addr *addr, const struct addr_net *nets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (addr_in(addr, &nets[i]))
            return true;
    }
    return false;
}

struct addr addr_subscriber(const struct addr *addr)
{
    struct addr prefix = *addr;
    if (!addr_is_v4(addr))
        memset(prefix.bytes + 8, 0, 8);
    return prefix;
}

uint64_t addr_hash(const struct addr *addr, uint64_t seed)
{
    uint64_t halves[2], hash = seed;
    memcpy(halves, addr->bytes, sizeof(halves));
    for (size_t i = 0; i < 2; i++) {
        /* The finaliser of MurmurHash3, by Austin Appleby, public domain. */
        hash ^= halves[i];
        hash ^= hash >> 33;
        hash *= 0xff51afd7ed558ccdULL;
        hash ^= hash >> 33;
        hash *= 0xc4ceb9fe1a85ec53ULL;
        hash ^= hash >> 33;
    }
    return hash;
}

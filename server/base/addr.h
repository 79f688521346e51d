/* Network addresses as 16 bytes: IPv4 is kept v4-mapped (RFC 4291 section 2.5.5.2), so that one
 * form serves both families in records, lists and the database. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDR_TEXT_SIZE 46 /* INET6_ADDRSTRLEN */

struct addr {
    uint8_t bytes[16];
};

struct addr_net {
    struct addr base;
    uint8_t bits; /* 0–128, counted over the 16 bytes */
};

bool addr_from_sockaddr(struct addr *to, const struct sockaddr *from); /* AF_INET, AF_INET6 only */
/* Fills a sockaddr_in (v4-mapped) or sockaddr_in6; returns its size. */
socklen_t addr_to_sockaddr(const struct addr *from, uint16_t port, struct sockaddr_storage *to);
bool addr_parse(struct addr *to, const char *text); /* "192.0.2.1", "2001:db8::1" */
void addr_text(const struct addr *addr, char *to);  /* `to` holds ADDR_TEXT_SIZE */
bool addr_is_v4(const struct addr *addr);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_net_parse(struct addr_net *to,
                    const char *text); /* "10.0.0.0/8", "fd00::/8", or one address */
#define ADDR_NET_TEXT_SIZE (ADDR_TEXT_SIZE + 4)
/* "10.0.0.0/8"; `to` holds ADDR_NET_TEXT_SIZE. */
void addr_net_text(const struct addr_net *net, char *to);
bool addr_in(const struct addr *addr, const struct addr_net *net);
bool addr_in_any(const struct addr *addr, const struct addr_net *nets, size_t count);
/* The network that one subscriber typically holds: IPv4 /32, IPv6 /64. For throttling. */
struct addr addr_subscriber(const struct addr *addr);
/* Of all 16 bytes, for tables; the seed is random and nobody's to know. */
uint64_t addr_hash(const struct addr *addr, uint64_t seed);

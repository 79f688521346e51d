#include "wake.h"

#include "fd.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define WAKE_PORT 9        /* discard, RFC 863: what others send to; the card looks at no port */
#define INTERFACES_MOST 64 /* with an IPv4 address */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool wake_mac(uint8_t to[WAKE_MAC_SIZE], const char *text)
{
    if (strlen(text) != WAKE_MAC_SIZE * 3 - 1)
        return false;
    for (size_t i = 0; i < WAKE_MAC_SIZE; i++) {
        int high = hex(text[i * 3]), low = hex(text[i * 3 + 1]);
        if (high < 0 || low < 0 || (i && text[i * 3 - 1] != ':'))
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void wake_packet(uint8_t to[WAKE_PACKET_SIZE], const uint8_t mac[WAKE_MAC_SIZE])
{
    memset(to, 0xff, WAKE_MAC_SIZE);
    for (size_t i = 1; i <= 16; i++)
        memcpy(to + i * WAKE_MAC_SIZE, mac, WAKE_MAC_SIZE);
}

bool wake_near(uint32_t interface, uint32_t mask, uint32_t machine)
{
    /* Links between two, without a broadcast address, have all bits set. */
    return mask != UINT32_MAX && (interface & mask) == (machine & mask);
}

static size_t send_to(int fd, const uint8_t packet[WAKE_PACKET_SIZE],
                      const struct sockaddr *address, socklen_t size)
{
    return sendto(fd, packet, WAKE_PACKET_SIZE, MSG_DONTWAIT | MSG_NOSIGNAL, address, size) ==
           WAKE_PACKET_SIZE;
}

static uint32_t v4_of(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof(v4));
    return v4.sin_addr.s_addr;
}

static bool any_near(uint32_t interface, uint32_t mask, const struct addr *addresses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t machine;
        memcpy(&machine, addresses[i].bytes + 12, sizeof(machine)); /* v4-mapped */
        if (addr_is_v4(&addresses[i]) && wake_near(interface, mask, machine))
            return true;
    }
    return false;
}

/* By ioctl(): getifaddrs() binds a netlink socket, which the cage forbids. */
static size_t send_near(int fd, const uint8_t packet[WAKE_PACKET_SIZE],
                        const struct addr *addresses, size_t count)
{
    struct ifreq list[INTERFACES_MOST];
    struct ifconf all = {.ifc_len = (int)sizeof(list), .ifc_req = list};
    size_t sent = 0;
    if (ioctl(fd, SIOCGIFCONF, &all) < 0)
        return 0;
    for (size_t i = 0; i < (size_t)all.ifc_len / sizeof(*list); i++) {
        struct ifreq ask = list[i];
        uint32_t own = v4_of(&list[i].ifr_addr), mask;
        const short wanted = IFF_UP | IFF_BROADCAST;
        if (ioctl(fd, SIOCGIFFLAGS, &ask) < 0 || (ask.ifr_flags & wanted) != wanted ||
            ioctl(fd, SIOCGIFNETMASK, &ask) < 0)
            continue;
        mask = v4_of(&ask.ifr_netmask);
        if (!any_near(own, mask, addresses, count))
            continue;
        struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_port = htons(WAKE_PORT),
                                 .sin_addr = {.s_addr = (own & mask) | ~mask}};
        sent += send_to(fd, packet, (const struct sockaddr *)&to, sizeof(to));
    }
    return sent;
}

static size_t send_configured(int fd, const uint8_t packet[WAKE_PACKET_SIZE],
                              const struct conf *conf)
{
    size_t sent = 0;
    for (size_t i = 0; i < conf->wake_broadcast_count; i++) {
        const struct conf_listen *at = &conf->wake_broadcast[i];
        struct sockaddr_storage to;
        socklen_t size = addr_to_sockaddr(&at->address, at->port ? at->port : WAKE_PORT, &to);
        sent += send_to(fd, packet, (const struct sockaddr *)&to, size);
    }
    return sent;
}

size_t wake_send(const struct conf *conf, const uint8_t mac[WAKE_MAC_SIZE],
                 const struct addr *addresses, size_t count)
{
    uint8_t packet[WAKE_PACKET_SIZE];
    int on = 1;
    FD_AUTO int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0)
        return 0;
    wake_packet(packet, mac);
    return conf->wake_broadcast_count ? send_configured(fd, packet, conf)
                                      : send_near(fd, packet, addresses, count);
}

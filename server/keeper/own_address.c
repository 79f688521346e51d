#include "own_address.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel chooses as source of a packet to one of our own addresses that address itself. A list
 * of interfaces would have to come over a netlink socket, which the cage forbids. */
bool own_address(const struct addr *address)
{
    struct sockaddr_storage to, from = {0};
    struct addr source;
    socklen_t size = addr_to_sockaddr(address, 9, &to), got = sizeof(from);
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool own = connect(fd, (const struct sockaddr *)&to, size) == 0 &&
               getsockname(fd, (struct sockaddr *)&from, &got) == 0 &&
               addr_from_sockaddr(&source, (const struct sockaddr *)&from) &&
               memcmp(source.bytes, address->bytes, sizeof(source.bytes)) == 0;
    close(fd);
    return own;
}

/* When the network changes, nothing comes any more, and nobody says so. TCP goes on for a quarter
 * of an hour, and our pings learn it after three intervals. The kernel can be asked to give up
 * earlier (TCP_USER_TIMEOUT), but counts a peer that acknowledges and only takes nothing as lost,
 * too: the gateway does so while the desktop is behind. So it is told by what has been heard at
 * all. */
#include "client_line.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define ASK_AFTER (CLIENT_LINE_SECONDS / 2) /* seconds without a byte */
#define ASK_EACH 3
#define ASK_TIMES 20 /* then the kernel ends it; we do so much earlier, in better words */

void client_line_keep(int fd)
{
    int on = 1, after = ASK_AFTER, each = ASK_EACH, times = ASK_TIMES;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &after, sizeof(after));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &each, sizeof(each));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
}

bool client_line_is_silent(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
        return false;
    /* Sent again, or asked for a sign of life or for room, and without an answer so far. */
    bool waits = info.tcpi_retransmits || info.tcpi_probes;
    unsigned heard = info.tcpi_last_ack_recv < info.tcpi_last_data_recv ? info.tcpi_last_ack_recv
                                                                        : info.tcpi_last_data_recv;
    return waits && heard >= CLIENT_LINE_SECONDS * 1000;
}

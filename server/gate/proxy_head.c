#include "proxy_head.h"

#include <errno.h>
#include <sys/socket.h>

enum proxy2_result proxy_head_read(struct proxy_head *head, int fd, struct proxy2 *out)
{
    enum proxy2_result result;
    while ((result = proxy2_read(head->bytes, head->size, out)) == PROXY2_MORE) {
        ssize_t got = recv(fd, head->bytes + head->size, out->size - head->size, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return PROXY2_MORE;
        if (got <= 0)
            return PROXY2_BAD;
        head->size += (size_t)got;
    }
    return result;
}

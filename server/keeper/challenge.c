#include "challenge.h"

#include "fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_token(const char *token)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t size = strlen(token);
    return size > 0 && strspn(token, alphabet) == size;
}

void challenge_answer(const struct conf *conf, const char *token, struct ipc_challenge_body *answer)
{
    struct stat st;
    answer->status = IPC_NOT_FOUND;
    if (!conf->acme_folder[0] || !is_token(token))
        return;
    FD_AUTO int folder = open(conf->acme_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    FD_AUTO int fd = openat(folder, token, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        st.st_size > (off_t)sizeof(answer->body))
        return;
    ssize_t got = read(fd, answer->body, sizeof(answer->body));
    if (got < 0)
        return;
    answer->size = (uint16_t)got;
    answer->status = IPC_OK;
}

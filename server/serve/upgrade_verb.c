#include "upgrade_verb.h"

#include "cli.h"
#include "conf.h"
#include "fd.h"
#include "serve_desk.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define PATIENCE_MS 60000 /* for one answer; the gateway gives a successor half of it */

static int no_gateway(const char *state, int error)
{
    if (error == -ENOENT || error == -ECONNREFUSED)
        return cli_fail(EX_UNAVAILABLE,
                        "no gateway runs in %s; 'systemctl start deskgate' starts "
                        "the program that is installed",
                        state);
    return cli_fail(error == -EACCES || error == -EPERM ? EX_NOPERM : EX_UNAVAILABLE,
                    "the gateway in %s cannot be asked: %s", state, strerror(-error));
}

/* Until the last answer. An exit code. */
static int listen_to(int fd)
{
    char words[SERVE_DESK_WORDS];

    for (;;) {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        int ready = poll(&polled, 1, PATIENCE_MS);
        if (ready == 0)
            return cli_fail(EX_UNAVAILABLE, "the gateway does not answer");
        ssize_t got = ready > 0 ? recv(fd, words, sizeof(words) - 1, 0) : -1;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return cli_fail(EX_UNAVAILABLE, "the gateway ended; its log tells why");
        words[got] = '\0';
        if (words[0] == '-')
            return cli_fail(EX_UNAVAILABLE, "%s", words + 1);
        printf("%s\n", words + 1);
        if (words[0] == '+')
            return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
}

int upgrade_verb(struct cli *cli, int argc, char **argv)
{
    static const struct cli_option none[] = {{0}};
    static const struct cli_spec spec = {
        .verb = "upgrade",
        .summary =
            "Lets the program that is installed now take over from the one that runs, without\n"
            "dropping anybody: the new one gets the listening sockets and reads the\n"
            "configuration; when it serves, the old one accepts no more and goes on until\n"
            "its last tunnel has ended, for [server] drain_seconds at most. When the new\n"
            "one does not start, the old one stays as it is, and this says why.",
        .options = none,
    };
    struct conf conf;
    char why[2048];

    int code = cli_parse(&spec, NULL, argc, argv);
    if (code >= 0)
        return code;
    int error = conf_load(&conf, cli->state, why, sizeof(why));
    if (error)
        return cli_fail(error == -EACCES ? EX_NOPERM : EX_CONFIG, "%s; nothing has been changed",
                        why);
    FD_AUTO int fd = serve_desk_connect(conf.state);
    if (fd < 0)
        return no_gateway(conf.state, fd);
    if (send(fd, "upgrade", 7, MSG_NOSIGNAL) < 0)
        return no_gateway(conf.state, -errno);
    return listen_to(fd);
}

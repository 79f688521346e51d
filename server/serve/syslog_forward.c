#include "syslog_forward.h"

#include "audit_forward.h"
#include "audit_syslog.h"
#include "cage.h"
#include "cli.h"
#include "log.h"
#include "serve_child.h"
#include "syslog_wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sysexits.h>

#define AGAIN_FIRST 500 /* ms until connecting is tried again; doubles up to … */
#define AGAIN_MOST 30000
#define TAKEN_MS 20      /* between two looks whether the receiver has it */
#define TAKEN_MOST 30000 /* then it is as good as gone */

struct forward {
    const struct conf *conf;
    int channel;
    struct syslog_wire wire;
    int64_t sent, told; /* rows: given to the system, told to the keeper */
    int waited;         /* ms for the receiver to take what was sent */
};

/* The keeper has gone, or wants another one. */
static bool keeper_gone(const struct forward *forward, int ms)
{
    struct pollfd channel = {.fd = forward->channel, .events = 0};
    return poll(&channel, 1, ms) == 1 && (channel.revents & (POLLHUP | POLLERR));
}

/* Until there is a connection; each new reason is logged once. False: the keeper has gone. */
static bool connect_somehow(struct forward *forward)
{
    char said[sizeof(forward->wire.why)] = "";
    int again = AGAIN_FIRST;
    while (syslog_wire_open(&forward->wire, forward->conf) < 0) {
        syslog_wire_close(&forward->wire);
        if (strcmp(said, forward->wire.why) != 0)
            LOG_WARNING("audit.forward",
                        "the audit log cannot be forwarded; what is written meanwhile waits",
                        LOG_TEXT("why", forward->wire.why));
        memcpy(said, forward->wire.why, sizeof(said));
        if (keeper_gone(forward, again))
            return false;
        again = again * 2 < AGAIN_MOST ? again * 2 : AGAIN_MOST;
    }
    LOG_INFO("audit.forward", "the audit log is forwarded");
    return true;
}

static int lost(struct forward *forward)
{
    LOG_WARNING("audit.forward", "the receiver of the audit log was lost",
                LOG_TEXT("why", forward->wire.why));
    return EX_TEMPFAIL;
}

/* One message from the keeper to the receiver. -1: go on; else an exit code. */
static int pass_on(struct forward *forward)
{
    struct audit_forward_head head;
    char message[AUDIT_SYSLOG_SIZE];
    struct iovec parts[] = {{.iov_base = &head, .iov_len = sizeof(head)},
                            {.iov_base = message, .iov_len = sizeof(message)}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t got = recvmsg(forward->channel, &packet, 0);
    if (got <= (ssize_t)sizeof(head))
        return got < 0 && errno == EINTR ? -1 : EX_OK;
    if (syslog_wire_send(&forward->wire, message, (size_t)got - sizeof(head)) < 0)
        return lost(forward);
    forward->sent = head.id;
    forward->waited = 0;
    return -1;
}

static int tell_keeper(struct forward *forward)
{
    if (forward->sent == forward->told)
        return -1;
    if (!syslog_wire_taken(&forward->wire)) {
        forward->waited += TAKEN_MS;
        text_copy(forward->wire.why, sizeof(forward->wire.why), "it takes nothing any more");
        return forward->waited < TAKEN_MOST ? -1 : lost(forward);
    }
    forward->told = forward->sent;
    return send(forward->channel, &forward->told, sizeof(forward->told), MSG_NOSIGNAL) < 0 ? EX_OK
                                                                                           : -1;
}

static int run(struct forward *forward)
{
    int code = -1;
    if (!connect_somehow(forward))
        return EX_OK;
    while (code < 0) {
        struct pollfd polled[] = {{.fd = forward->channel, .events = POLLIN},
                                  {.fd = forward->wire.fd, .events = POLLIN}};
        if (poll(polled, 2, forward->sent == forward->told ? -1 : TAKEN_MS) < 0 && errno != EINTR)
            return EX_OSERR;
        if (polled[1].revents && syslog_wire_read(&forward->wire) < 0)
            return lost(forward);
        if (polled[0].revents)
            code = pass_on(forward);
        if (code < 0)
            code = tell_keeper(forward);
    }
    return code;
}

int syslog_forward_verb(struct cli *cli, int argc, char **argv)
{
    struct forward forward = {.wire = {.fd = -1}};
    struct cage_report report = {0};
    (void)cli;
    if (argc != 3 || !serve_child_take(argv[1], argv[2], &forward.conf, &forward.channel))
        return cli_fail(EX_USAGE, "'%s' is started by 'deskgate serve', not by hand", argv[0]);
    prctl(PR_SET_NAME, "deskgate-syslog");
    log_init("syslog", LOG_LEVEL_INFO);
    cage_keeper(&report); /* it connects and opens files, and no more than the keeper */
    int code = run(&forward);
    syslog_wire_close(&forward.wire);
    return code;
}

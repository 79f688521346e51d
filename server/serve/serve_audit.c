#include "serve_audit.h"

#include "control.h"
#include "day.h"
#include "fd.h"
#include "ipc.h"
#include "log.h"
#include "serve_child.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#define FORWARD_AGAIN_MS 1000
#define EXPIRE_FIRST_MS 5000 /* not while everything starts */
#define EXPIRE_EVERY_MS DAY_MS
#define EXPIRE_MOST_MS (3600 * 1000ULL) /* it may be ended at any moment without harm */

static bool forwards(const struct serve_audit *audit)
{
    return audit->conf->audit_syslog != CONF_SYSLOG_NONE;
}

static bool expires(const struct serve_audit *audit)
{
    return audit->conf->audit_keep_days != 0;
}

void serve_audit_init(struct serve_audit *audit, const struct conf *conf, const int *conf_fd,
                      const sigset_t *mask, uint64_t now)
{
    *audit = (struct serve_audit){.conf = conf,
                                  .conf_fd = conf_fd,
                                  .mask = mask,
                                  .forward_ms = now,
                                  .expire_ms = now + EXPIRE_FIRST_MS};
}

/* The keeper gets one end, the new process the other. */
static void start_forwarder(struct serve_audit *audit, int keeper, uint64_t now)
{
    int ends[2];
    int result = ipc_pair(ends);
    audit->forward_ms = now + FORWARD_AGAIN_MS;
    if (result == 0) {
        result = control_send(keeper, CONTROL_FORWARD, &ends[0], 1);
        if (result == 0)
            result =
                serve_child_forwarder(audit->conf->state, *audit->conf_fd, ends[1], audit->mask);
        fd_close(&ends[0]);
        fd_close(&ends[1]);
    }
    if (result > 0)
        audit->forwarder = result;
    else
        LOG_ERROR("audit.forward", "cannot be started; trying again",
                  LOG_TEXT("error", strerror(-result)));
}

static void start_expirer(struct serve_audit *audit, uint64_t now)
{
    audit->expire_ms = now + EXPIRE_EVERY_MS;
    pid_t pid = serve_child_expire(audit->conf->state, audit->mask);
    if (pid > 0) {
        audit->expirer = pid;
        audit->kill_ms = now + EXPIRE_MOST_MS;
    } else {
        LOG_ERROR("audit.expire", "old rows of the audit log could not be archived",
                  LOG_TEXT("error", strerror((int)-pid)));
    }
}

void serve_audit_turn(struct serve_audit *audit, int keeper, uint64_t now)
{
    if (forwards(audit) && !audit->forwarder && keeper >= 0 && now >= audit->forward_ms)
        start_forwarder(audit, keeper, now);
    if (expires(audit) && !audit->expirer && now >= audit->expire_ms)
        start_expirer(audit, now);
    if (audit->expirer && now >= audit->kill_ms) {
        kill(audit->expirer, SIGKILL);
        audit->kill_ms = now + EXPIRE_MOST_MS; /* its end is noticed by SIGCHLD */
    }
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a && a < b ? a : b;
}

uint64_t serve_audit_due(const struct serve_audit *audit)
{
    uint64_t due = 0;
    if (forwards(audit) && !audit->forwarder)
        due = audit->forward_ms;
    if (expires(audit))
        due = sooner(due, audit->expirer ? audit->kill_ms : audit->expire_ms);
    return due;
}

bool serve_audit_ended(struct serve_audit *audit, pid_t pid, int status, uint64_t now)
{
    if (pid == audit->forwarder) {
        audit->forwarder = 0;
        audit->forward_ms = now + FORWARD_AGAIN_MS;
        return true;
    }
    if (pid != audit->expirer)
        return false;
    audit->expirer = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        LOG_ERROR(
            "audit.expire",
            "old rows of the audit log could not be archived; 'deskgate audit expire' tells why",
            LOG_NUMBER("code", WIFEXITED(status) ? WEXITSTATUS(status) : -1));
    return true;
}

void serve_audit_stop(struct serve_audit *audit)
{
    if (audit->forwarder)
        kill(audit->forwarder, SIGKILL);
    if (audit->expirer)
        kill(audit->expirer, SIGKILL);
    audit->forwarder = audit->expirer = 0;
}

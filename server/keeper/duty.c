#include "duty.h"

#include "alert.h"
#include "audit_check.h"
#include "audit_forward.h"
#include "fd.h"
#include "keeper_state.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int begin(struct keeper *keeper)
{
    keeper->duty.ours = true;
    int error = alert_start(keeper);
    if (!error)
        error = audit_check_start(keeper);
    audit_forward_init(keeper);
    if (keeper->duty.forward >= 0)
        audit_forward_to(keeper, keeper->duty.forward);
    keeper->duty.forward = -1; /* handed over */
    return error;
}

/* False: another keeper has it. A file system without locks does without. */
static bool locked(const struct keeper *keeper)
{
    return keeper->duty.lock < 0 || flock(keeper->duty.lock, LOCK_EX | LOCK_NB) == 0 ||
           errno != EWOULDBLOCK;
}

int duty_start(struct keeper *keeper)
{
    char path[CONF_PATH_SIZE];

    keeper->duty.forward = keeper->forward.source.fd = -1;
    conf_path(keeper->conf, CONF_DUTY_LOCK, path);
    keeper->duty.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (keeper->duty.lock < 0)
        LOG_ERROR("duty", "the lock cannot be opened", LOG_TEXT("file", path),
                  LOG_TEXT("error", strerror(errno)));
    return locked(keeper) ? begin(keeper) : 0;
}

void duty_look(struct keeper *keeper)
{
    if (keeper->duty.ours || keeper->duty.retired || !locked(keeper))
        return;
    LOG_INFO("duty", "alerts, verification and forwarding are this keeper's now");
    if (begin(keeper) != 0)
        LOG_ERROR("duty", "out of memory: alerts and verification do not run");
}

static void end(struct keeper *keeper)
{
    if (keeper->duty.ours) {
        alert_stop(keeper);
        audit_check_stop(keeper);
        audit_forward_stop(keeper);
    }
    keeper->duty.ours = false;
    fd_close(&keeper->duty.forward);
    fd_close(&keeper->duty.lock);
}

void duty_retire(struct keeper *keeper)
{
    keeper->duty.retired = true;
    end(keeper);
}

void duty_stop(struct keeper *keeper)
{
    end(keeper);
}

void duty_forward_to(struct keeper *keeper, int fd)
{
    if (keeper->duty.ours) {
        audit_forward_to(keeper, fd);
        return;
    }
    fd_close(&keeper->duty.forward);
    if (keeper->duty.retired)
        close(fd);
    else
        keeper->duty.forward = fd;
}

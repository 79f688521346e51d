/* How the supervisor's children, its successors and it itself come to an end. */
#include "supervisor_state.h"

#include "control.h"
#include "log.h"
#include "serve_notify.h"

#include <sysexits.h>
#include <time.h>

uint64_t supervisor_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void supervisor_kill(const struct child *child)
{
    if (child->pid > 0)
        kill(child->pid, SIGKILL);
}

void supervisor_stop_keeper(struct supervisor *supervisor)
{
    supervisor->phase = supervisor->keeper.pid ? STOPPING : ENDED;
    if (supervisor->keeper.control < 0 ||
        control_send(supervisor->keeper.control, CONTROL_STOP, NULL, 0) < 0)
        supervisor_kill(&supervisor->keeper);
}

void supervisor_stop_pair(struct supervisor *supervisor)
{
    if (supervisor->phase >= DRAINING)
        return;
    supervisor->phase = DRAINING;
    supervisor->stop_ms = supervisor_now() + SUPERVISOR_STOP_MS;
    if (supervisor->gate.pid == 0)
        supervisor_stop_keeper(supervisor);
    else if (supervisor->gate.control < 0 ||
             control_send(supervisor->gate.control, CONTROL_DRAIN, NULL, 0) < 0)
        supervisor_kill(&supervisor->gate);
}

void supervisor_stop(struct supervisor *supervisor, int exit_code)
{
    if (supervisor->leaving)
        return;
    supervisor->exit_code = exit_code;
    supervisor->leaving = true;
    supervisor->leave_ms =
        supervisor_now() + SUPERVISOR_STOP_MS + (supervisor->heirs.count ? SUPERVISOR_HEIRS_MS : 0);
    if (supervisor->setup->link < 0)
        serve_notify("STOPPING=1");
    serve_listen_close(supervisor->setup->listeners);
    serve_heirs_tell(&supervisor->heirs, CONTROL_STOP);
    supervisor_stop_pair(supervisor);
}

static void kill_all(struct supervisor *supervisor)
{
    supervisor_kill(&supervisor->gate);
    supervisor_kill(&supervisor->keeper);
    serve_heirs_kill(&supervisor->heirs);
}

void supervisor_stop_signal(struct supervisor *supervisor)
{
    if (!supervisor->leaving) {
        LOG_INFO("stop", "stopping in an orderly way; a second signal stops at once");
        supervisor_stop(supervisor, EX_OK);
        return;
    }
    LOG_WARNING("stop", "stopping at once");
    supervisor->exit_code = EX_UNAVAILABLE;
    kill_all(supervisor);
}

bool supervisor_is_stopping(const struct supervisor *supervisor)
{
    return supervisor->phase == DRAINING || supervisor->phase == STOPPING;
}

bool supervisor_is_over(const struct supervisor *supervisor)
{
    return supervisor->phase == ENDED && supervisor->heirs.count == 0;
}

void supervisor_deadlines(struct supervisor *supervisor)
{
    uint64_t now = supervisor_now();
    struct serve_heir *starting = serve_heirs_at(&supervisor->heirs, SERVE_HEIR_STARTING);

    if (starting && now >= starting->ready_by_ms) {
        kill(starting->pid, SIGKILL);
        starting->ready_by_ms = now + SERVE_HEIR_READY_MS; /* its end is noticed by SIGCHLD */
        supervisor->heir_late = true;
    }
    if (supervisor->phase == RETIRING && now >= supervisor->retire_ms) {
        LOG_WARNING("retire", "[server] drain_seconds are over: ending what is left");
        supervisor_stop_pair(supervisor);
    }
    if (supervisor->killed ||
        !(supervisor->leaving ? now >= supervisor->leave_ms
                              : supervisor_is_stopping(supervisor) && now >= supervisor->stop_ms))
        return;
    LOG_WARNING("stop", "not ended in time; ending by force",
                LOG_TEXT("child", supervisor->gate.pid     ? "gate"
                                  : supervisor->keeper.pid ? "keeper"
                                                           : "successor"));
    supervisor_kill(&supervisor->gate);
    supervisor_kill(&supervisor->keeper);
    if (supervisor->leaving) {
        supervisor->killed = true;
        serve_heirs_kill(&supervisor->heirs);
    } else {
        supervisor->stop_ms = now + SUPERVISOR_STOP_MS;
    }
}

#include "supervisor.h"

#include "conf_memory.h"
#include "control.h"
#include "fd.h"
#include "ipc.h"
#include "log.h"
#include "serve_child.h"
#include "serve_notify.h"
#include "serve_reload.h"
#include "supervisor_state.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define STEADY_MS 1000   /* a child that lived this long is started again at once */
#define BACKOFF_FIRST 50 /* ms; doubles up to … */
#define BACKOFF_MOST 2000

/* ---- starting ---- */

/* The child's end of its control pair goes to `theirs`. */
static int control_pair(struct child *child, int *theirs)
{
    int ends[2];
    int error = ipc_pair(ends);
    if (error)
        return error;
    child->control = ends[0];
    *theirs = ends[1];
    return 0;
}

/* At once, unless it has just ended already. */
static void schedule(struct child *child)
{
    uint64_t now = supervisor_now();

    if (now - child->started_ms >= STEADY_MS)
        child->backoff_ms = 0;
    child->start_ms = now + child->backoff_ms;
    child->backoff_ms = child->backoff_ms ? child->backoff_ms * 2 : BACKOFF_FIRST;
    if (child->backoff_ms > BACKOFF_MOST)
        child->backoff_ms = BACKOFF_MOST;
}

static void started(struct child *child, pid_t pid)
{
    child->started_ms = supervisor_now();
    child->ready = false;
    if (pid > 0) {
        child->pid = pid;
        return;
    }
    LOG_ERROR("child.start", "cannot be started; trying again", LOG_TEXT("child", child->name),
              LOG_TEXT("error", strerror((int)-pid)));
    fd_close(&child->control);
    schedule(child);
}

static void start_keeper(struct supervisor *supervisor)
{
    FD_AUTO int theirs = -1;
    pid_t pid = control_pair(&supervisor->keeper, &theirs);
    if (pid == 0)
        pid = serve_child_keeper(supervisor->setup->conf->state, supervisor->conf, theirs,
                                 supervisor->company, &supervisor->mask);
    started(&supervisor->keeper, pid);
}

/* The records' other end waits in the keeper's control socket until it is ready for it. */
static void start_gate(struct supervisor *supervisor)
{
    const struct supervisor_setup *setup = supervisor->setup;
    struct child *gate = &supervisor->gate;
    FD_AUTO int theirs = -1;
    int records[2] = {-1, -1};
    pid_t pid = ipc_pair(records);

    if (pid == 0)
        pid = control_pair(gate, &theirs);
    if (pid == 0)
        pid = control_send(supervisor->keeper.control, CONTROL_GATE, &records[1], 1);
    if (pid == 0)
        pid = serve_pems_send(setup->pems, gate->control);
    if (pid == 0)
        pid = serve_child_gate(setup->conf->state, supervisor->conf, theirs, records[0],
                               setup->listeners, &supervisor->mask);
    fd_close(&records[0]);
    fd_close(&records[1]);
    started(gate, pid);
}

/* Not before its keeper serves: a gate accepts as soon as it runs, also what the gate of the
 * supervisor that we succeed would accept and could serve. Until then strangers are that one's, or
 * wait in the sockets' queue. */
static bool gate_awaits_keeper(const struct supervisor *supervisor)
{
    return supervisor->keeper.control < 0 || !supervisor->keeper.ready;
}

static void start_what_is_due(struct supervisor *supervisor)
{
    uint64_t now = supervisor_now();

    if (supervisor->phase > RUNNING)
        return;
    if (supervisor->keeper.pid == 0 && supervisor->keeper.start_ms <= now)
        start_keeper(supervisor);
    if (supervisor->gate.pid == 0 && !gate_awaits_keeper(supervisor) &&
        supervisor->gate.start_ms <= now)
        start_gate(supervisor);
}

/* ---- readiness ---- */

static void announce(struct supervisor *supervisor)
{
    const struct conf *conf = supervisor->setup->conf;
    char addresses[SERVE_ADDRESSES_SIZE], line[SERVE_ADDRESSES_SIZE + 1];
    int fd = supervisor->setup->ready_fd;

    serve_listen_text(conf, addresses);
    supervisor->phase = RUNNING;
    LOG_INFO("ready", "serving", LOG_TEXT("addresses", addresses), LOG_TEXT("name", conf->name),
             LOG_TEXT("state", conf->state));
    if (supervisor->setup->link >= 0)
        control_send(supervisor->setup->link, CONTROL_READY, NULL, 0);
    else
        serve_notify("READY=1");
    int size = snprintf(line, sizeof(line), "%s\n", addresses);
    if (fd >= 0 && write(fd, line, (size_t)size) < 0)
        LOG_WARNING("ready", "--ready-fd could not be written", LOG_TEXT("error", strerror(errno)));
    fd_close(&fd);
}

static void child_ready(struct supervisor *supervisor, struct child *child)
{
    child->ready = true;
    if (supervisor->phase == STARTING) {
        if (supervisor->keeper.ready && supervisor->gate.ready)
            announce(supervisor);
    } else {
        LOG_INFO("child.ready", "serving again", LOG_TEXT("child", child->name),
                 LOG_NUMBER("pid", child->pid));
    }
}

static void on_control(struct supervisor *supervisor, struct child *child)
{
    int fds[CONTROL_FDS_MAX];
    size_t count;
    int type = control_receive(child->control, fds, &count);

    if (type == CONTROL_ALERT && child == &supervisor->keeper && count == 1) {
        serve_alert_take(&supervisor->alerts, fds[0], supervisor_now());
        return;
    }
    while (count)
        fd_close(&fds[--count]);
    if (type == CONTROL_READY) {
        child_ready(supervisor, child);
    } else if (type != -EAGAIN) {
        /* It ends, or is not itself any more; its end is noticed by SIGCHLD. */
        fd_close(&child->control);
        supervisor_kill(child);
    }
}

/* ---- children that end ---- */

static void log_end(const struct child *child, int status, bool expected)
{
    bool by_signal = WIFSIGNALED(status);
    LOG_AT(expected ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "child.end",
           expected ? "ended" : "ended unexpectedly", LOG_TEXT("child", child->name),
           LOG_NUMBER("pid", child->pid),
           LOG_TEXT("signal", by_signal ? strsignal(WTERMSIG(status)) : "none"),
           LOG_NUMBER("code", by_signal ? -1 : WEXITSTATUS(status)));
}

static void ended(struct supervisor *supervisor, struct child *child, int status)
{
    bool gate = child == &supervisor->gate;
    bool with_keeper = gate && supervisor->phase == RUNNING && supervisor->keeper.pid == 0;

    log_end(child, status, supervisor->phase > RUNNING || with_keeper);
    child->pid = 0;
    fd_close(&child->control);
    /* A gate ends when its keeper does, and may be heard of first: why is the keeper's to say. */
    if (supervisor->not_started && !gate && WIFEXITED(status) && WEXITSTATUS(status))
        supervisor->exit_code = WEXITSTATUS(status);
    switch (supervisor->phase) {
    case STARTING:
        supervisor->not_started = true;
        supervisor_stop(supervisor, WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status)
                                                                             : EX_SOFTWARE);
        break;
    case RUNNING:
        schedule(child);
        if (!gate)
            supervisor_kill(&supervisor->gate);
        break;
    case RETIRING:
        if (gate) {
            supervisor->stop_ms = supervisor_now() + SUPERVISOR_STOP_MS;
            supervisor_stop_keeper(supervisor);
        } else {
            supervisor_stop_pair(supervisor);
        }
        break;
    case DRAINING:
        if (gate)
            supervisor_stop_keeper(supervisor);
        break;
    case STOPPING:
        supervisor->phase = supervisor->keeper.pid ? STOPPING : ENDED;
        break;
    case ENDED:
        break;
    }
    if (supervisor->phase == ENDED)
        supervisor_tell_alone(supervisor);
}

static void reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == supervisor->keeper.pid)
            ended(supervisor, &supervisor->keeper, status);
        else if (pid == supervisor->gate.pid)
            ended(supervisor, &supervisor->gate, status);
        else if (!supervisor_heir_ended(supervisor, pid, status) &&
                 !serve_audit_ended(&supervisor->audit, pid, status, supervisor_now()))
            serve_alert_ended(&supervisor->alerts, pid, status, supervisor_now());
    }
}

/* ---- signals and the loop ---- */

/* Whoever serves reads its files again, and who is about to: it may have read them already. */
static void on_reload(struct supervisor *supervisor)
{
    struct serve_heir *heir = serve_heirs_at(&supervisor->heirs, SERVE_HEIR_CURRENT);
    struct serve_heir *starting = serve_heirs_at(&supervisor->heirs, SERVE_HEIR_STARTING);

    if (starting)
        serve_heir_tell(starting, CONTROL_RELOAD);
    if (heir)
        serve_heir_tell(heir, CONTROL_RELOAD);
    else if (supervisor->phase <= RUNNING)
        serve_reload(&(struct serve_reload){.conf = supervisor->setup->conf,
                                            .pems = supervisor->setup->pems,
                                            .settings = supervisor->setup->settings,
                                            .conf_fd = &supervisor->conf,
                                            .gate = supervisor->gate.control,
                                            .keeper = supervisor->keeper.control});
}

/* From the supervisor that we succeeded. */
static void on_link(struct supervisor *supervisor)
{
    int fds[CONTROL_FDS_MAX];
    size_t count;
    int type = control_receive(supervisor->setup->link, fds, &count);

    while (count)
        fd_close(&fds[--count]);
    if (type == CONTROL_RETIRE)
        supervisor_retire(supervisor);
    else if (type == CONTROL_ALONE)
        supervisor_alone(supervisor);
    else if (type == CONTROL_RELOAD)
        on_reload(supervisor);
    else if (type == CONTROL_STOP || (type < 0 && type != -EAGAIN))
        supervisor_stop(supervisor, EX_OK);
}

static void on_signal(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;

    while (read(supervisor->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            reap(supervisor);
            break;
        case SIGHUP:
            on_reload(supervisor);
            break;
        default:
            supervisor_stop_signal(supervisor);
        }
    }
}

static int until(uint64_t at, uint64_t now, int wait)
{
    uint64_t left = at > now ? at - now : 0;
    return wait < 0 || left < (uint64_t)wait ? (int)left : wait;
}

/* How long poll() may wait: until a start is due or the deadline has come. */
static int patience(const struct supervisor *supervisor)
{
    uint64_t now = supervisor_now();
    int wait = -1;

    const struct serve_heir *starting = serve_heirs_look(&supervisor->heirs, SERVE_HEIR_STARTING);
    if (starting)
        wait = until(starting->ready_by_ms, now, wait);
    if (supervisor->leaving)
        return supervisor->killed ? -1 : until(supervisor->leave_ms, now, wait);
    if (supervisor_is_stopping(supervisor))
        wait = until(supervisor->stop_ms, now, wait);
    if (supervisor->phase == RETIRING)
        wait = until(supervisor->retire_ms, now, wait);
    if (serve_alert_due(&supervisor->alerts))
        wait = until(serve_alert_due(&supervisor->alerts), now, wait);
    if (supervisor->phase == RUNNING && supervisor->keeper.control >= 0 &&
        serve_audit_due(&supervisor->audit))
        wait = until(serve_audit_due(&supervisor->audit), now, wait);
    if (supervisor->phase > RUNNING)
        return wait;
    if (supervisor->keeper.pid == 0)
        wait = until(supervisor->keeper.start_ms, now, wait);
    else if (supervisor->gate.pid == 0 && !gate_awaits_keeper(supervisor))
        wait = until(supervisor->gate.start_ms, now, wait);
    return wait;
}

/* What is waited for; a descriptor of -1 is none to poll(). */
enum { AT_SIGNALS, AT_KEEPER, AT_GATE, AT_LINK, AT_DESK, AT_CLIENT, AT_HEIRS };
#define AT_MOST (AT_HEIRS + SERVE_HEIRS_MOST)

static size_t gather(const struct supervisor *supervisor, struct pollfd polled[AT_MOST])
{
    const struct serve_desk *desk = supervisor->setup->desk;
    const int fds[AT_HEIRS] = {
        [AT_SIGNALS] = supervisor->signals,
        [AT_KEEPER] = supervisor->keeper.control,
        [AT_GATE] = supervisor->gate.control,
        [AT_LINK] = supervisor->leaving ? -1 : supervisor->setup->link,
        [AT_DESK] = desk ? desk->socket : -1,
        [AT_CLIENT] = desk ? desk->client : -1,
    };
    for (size_t i = 0; i < AT_HEIRS; i++)
        polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    for (size_t i = 0; i < supervisor->heirs.count; i++)
        polled[AT_HEIRS + i] =
            (struct pollfd){.fd = supervisor->heirs.all[i].link, .events = POLLIN};
    return AT_HEIRS + supervisor->heirs.count;
}

static void turn(struct supervisor *supervisor)
{
    struct pollfd polled[AT_MOST];

    start_what_is_due(supervisor);
    serve_alert_turn(&supervisor->alerts, supervisor_now());
    if (supervisor->phase == RUNNING)
        serve_audit_turn(&supervisor->audit, supervisor->keeper.control, supervisor_now());
    size_t count = gather(supervisor, polled);
    if (poll(polled, count, patience(supervisor)) < 0)
        return; /* EINTR, or no memory for a moment */
    for (size_t i = AT_HEIRS; i < count; i++) {
        if (polled[i].revents)
            supervisor_hear_heir(supervisor, &supervisor->heirs.all[i - AT_HEIRS]);
    }
    if (polled[AT_KEEPER].revents)
        on_control(supervisor, &supervisor->keeper);
    if (polled[AT_GATE].revents)
        on_control(supervisor, &supervisor->gate);
    if (polled[AT_LINK].revents)
        on_link(supervisor);
    if (polled[AT_CLIENT].revents && serve_desk_hear(supervisor->setup->desk))
        supervisor_upgrade(supervisor);
    if (polled[AT_DESK].revents)
        serve_desk_accept(supervisor->setup->desk);
    if (polled[AT_SIGNALS].revents)
        on_signal(supervisor);
    supervisor_deadlines(supervisor);
}

int supervisor_run(const struct supervisor_setup *setup)
{
    struct supervisor supervisor = {
        .setup = setup,
        .keeper = {.name = "keeper", .control = -1},
        .gate = {.name = "gate", .control = -1},
        .company = setup->link >= 0,
    };
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, &supervisor.mask);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* ignored, as some parents leave it, children would vanish */
    supervisor.signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    supervisor.conf = conf_memory_new(setup->conf);
    serve_alert_init(&supervisor.alerts, setup->conf, &supervisor.mask);
    serve_audit_init(&supervisor.audit, setup->conf, &supervisor.conf, &supervisor.mask,
                     supervisor_now());
    if (supervisor.signals < 0 || supervisor.conf < 0) {
        LOG_ERROR("start", "out of descriptors or memory");
        return EX_OSERR;
    }
    while (!supervisor_is_over(&supervisor))
        turn(&supervisor);
    serve_alert_stop(&supervisor.alerts);
    serve_audit_stop(&supervisor.audit);
    close(supervisor.signals);
    close(supervisor.conf);
    if (supervisor.exit_code == EX_OK)
        LOG_INFO("stopped", "stopped");
    return supervisor.exit_code;
}

#include "supervisor.h"

#include "control.h"
#include "fd.h"
#include "ipc.h"
#include "log.h"
#include "serve_alert.h"
#include "serve_audit.h"
#include "serve_child.h"
#include "serve_notify.h"

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

#define STOP_MS 8000     /* from the order to stop until what still runs is killed */
#define STEADY_MS 1000   /* a child that lived this long is started again at once */
#define BACKOFF_FIRST 50 /* ms; doubles up to … */
#define BACKOFF_MOST 2000

enum phase { STARTING, RUNNING, DRAINING, STOPPING, ENDED };

struct child {
    const char *name;
    pid_t pid;   /* 0: not running */
    int control; /* -1: closed */
    bool ready;
    uint64_t started_ms;
    uint64_t start_ms; /* not before */
    uint64_t backoff_ms;
};

struct supervisor {
    const struct supervisor_setup *setup;
    enum phase phase;
    struct child keeper, gate;
    struct serve_alerts alerts;
    struct serve_audit audit;
    int conf;         /* for the children (serve_child_conf) */
    int signals;      /* signalfd */
    sigset_t mask;    /* as it was */
    uint64_t stop_ms; /* deadline while stopping */
    bool killed;      /* the deadline passed */
    int exit_code;
    bool not_started; /* one of them ended before both were ready */
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void child_kill(const struct child *child)
{
    if (child->pid > 0)
        kill(child->pid, SIGKILL);
}

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
    uint64_t now = now_ms();

    if (now - child->started_ms >= STEADY_MS)
        child->backoff_ms = 0;
    child->start_ms = now + child->backoff_ms;
    child->backoff_ms = child->backoff_ms ? child->backoff_ms * 2 : BACKOFF_FIRST;
    if (child->backoff_ms > BACKOFF_MOST)
        child->backoff_ms = BACKOFF_MOST;
}

static void started(struct child *child, pid_t pid)
{
    child->started_ms = now_ms();
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
                                 &supervisor->mask);
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

static void start_what_is_due(struct supervisor *supervisor)
{
    uint64_t now = now_ms();

    if (supervisor->phase > RUNNING)
        return;
    if (supervisor->keeper.pid == 0 && supervisor->keeper.start_ms <= now)
        start_keeper(supervisor);
    if (supervisor->keeper.control >= 0 && supervisor->gate.pid == 0 &&
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
        serve_alert_take(&supervisor->alerts, fds[0], now_ms());
        return;
    }
    while (count)
        fd_close(&fds[--count]);
    if (type == CONTROL_READY) {
        child_ready(supervisor, child);
    } else if (type != -EAGAIN) {
        /* It ends, or is not itself any more; its end is noticed by SIGCHLD. */
        fd_close(&child->control);
        child_kill(child);
    }
}

/* ---- stopping ---- */

static void stop_keeper(struct supervisor *supervisor)
{
    supervisor->phase = supervisor->keeper.pid ? STOPPING : ENDED;
    if (supervisor->keeper.control < 0 ||
        control_send(supervisor->keeper.control, CONTROL_STOP, NULL, 0) < 0)
        child_kill(&supervisor->keeper);
}

/* The gate first: its last records tell the keeper how the tunnels ended. */
static void stop(struct supervisor *supervisor, int exit_code)
{
    supervisor->exit_code = exit_code;
    supervisor->phase = DRAINING;
    supervisor->stop_ms = now_ms() + STOP_MS;
    serve_notify("STOPPING=1");
    serve_listen_close(supervisor->setup->listeners);
    if (supervisor->gate.pid == 0)
        stop_keeper(supervisor);
    else if (supervisor->gate.control < 0 ||
             control_send(supervisor->gate.control, CONTROL_DRAIN, NULL, 0) < 0)
        child_kill(&supervisor->gate);
}

static void on_stop_signal(struct supervisor *supervisor)
{
    if (supervisor->phase <= RUNNING) {
        LOG_INFO("stop", "stopping in an orderly way; a second signal stops at once");
        stop(supervisor, EX_OK);
        return;
    }
    LOG_WARNING("stop", "stopping at once");
    supervisor->exit_code = EX_UNAVAILABLE;
    child_kill(&supervisor->gate);
    child_kill(&supervisor->keeper);
}

static void on_deadline(struct supervisor *supervisor)
{
    LOG_WARNING("stop", "not ended in time; ending by force",
                LOG_TEXT("child", supervisor->gate.pid ? "gate" : "keeper"));
    supervisor->killed = true;
    child_kill(&supervisor->gate);
    child_kill(&supervisor->keeper);
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
        stop(supervisor,
             WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EX_SOFTWARE);
        break;
    case RUNNING:
        schedule(child);
        if (!gate)
            child_kill(&supervisor->gate);
        break;
    case DRAINING:
        if (gate)
            stop_keeper(supervisor);
        break;
    case STOPPING:
        supervisor->phase = supervisor->keeper.pid ? STOPPING : ENDED;
        break;
    case ENDED:
        break;
    }
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
        else if (!serve_audit_ended(&supervisor->audit, pid, status, now_ms()))
            serve_alert_ended(&supervisor->alerts, pid, status, now_ms());
    }
}

/* ---- signals and the loop ---- */

static void reload(struct supervisor *supervisor)
{
    const struct supervisor_setup *setup = supervisor->setup;
    char why[CONF_PATH_SIZE + 256];

    if (serve_pems_load(setup->pems, setup->conf, why, sizeof(why)) != 0) {
        LOG_ERROR("tls.reload", "the certificate files are not usable; the old ones stay in use",
                  LOG_TEXT("why", why));
        return;
    }
    int error = supervisor->gate.control < 0
                    ? 0 /* it gets them when it starts */
                    : serve_pems_send(setup->pems, supervisor->gate.control);
    if (error)
        LOG_ERROR("tls.reload", "the gate did not take the new certificates",
                  LOG_TEXT("error", strerror(-error)));
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
            if (supervisor->phase <= RUNNING)
                reload(supervisor);
            break;
        default:
            on_stop_signal(supervisor);
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
    uint64_t now = now_ms();
    int wait = -1;

    if (supervisor->phase > RUNNING)
        return supervisor->killed ? -1 : until(supervisor->stop_ms, now, wait);
    if (serve_alert_due(&supervisor->alerts))
        wait = until(serve_alert_due(&supervisor->alerts), now, wait);
    if (supervisor->phase == RUNNING && supervisor->keeper.control >= 0 &&
        serve_audit_due(&supervisor->audit))
        wait = until(serve_audit_due(&supervisor->audit), now, wait);
    if (supervisor->keeper.pid == 0)
        wait = until(supervisor->keeper.start_ms, now, wait);
    else if (supervisor->gate.pid == 0)
        wait = until(supervisor->gate.start_ms, now, wait);
    return wait;
}

static void turn(struct supervisor *supervisor)
{
    struct pollfd polled[] = {
        {.fd = supervisor->signals, .events = POLLIN},
        {.fd = supervisor->keeper.control, .events = POLLIN},
        {.fd = supervisor->gate.control, .events = POLLIN},
    };

    start_what_is_due(supervisor);
    serve_alert_turn(&supervisor->alerts, now_ms());
    if (supervisor->phase == RUNNING)
        serve_audit_turn(&supervisor->audit, supervisor->keeper.control, now_ms());
    polled[1].fd = supervisor->keeper.control;
    polled[2].fd = supervisor->gate.control;
    if (poll(polled, 3, patience(supervisor)) < 0)
        return; /* EINTR, or no memory for a moment */
    if (polled[1].revents)
        on_control(supervisor, &supervisor->keeper);
    if (polled[2].revents)
        on_control(supervisor, &supervisor->gate);
    if (polled[0].revents)
        on_signal(supervisor);
    if (supervisor->phase > RUNNING && supervisor->phase != ENDED && !supervisor->killed &&
        now_ms() >= supervisor->stop_ms)
        on_deadline(supervisor);
}

int supervisor_run(const struct supervisor_setup *setup)
{
    struct supervisor supervisor = {
        .setup = setup,
        .keeper = {.name = "keeper", .control = -1},
        .gate = {.name = "gate", .control = -1},
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
    supervisor.conf = serve_child_conf(setup->conf);
    serve_alert_init(&supervisor.alerts, setup->conf, &supervisor.mask);
    serve_audit_init(&supervisor.audit, setup->conf, supervisor.conf, &supervisor.mask, now_ms());
    if (supervisor.signals < 0 || supervisor.conf < 0) {
        LOG_ERROR("start", "out of descriptors or memory");
        return EX_OSERR;
    }
    while (supervisor.phase != ENDED)
        turn(&supervisor);
    serve_alert_stop(&supervisor.alerts);
    serve_audit_stop(&supervisor.audit);
    close(supervisor.signals);
    close(supervisor.conf);
    if (supervisor.exit_code == EX_OK)
        LOG_INFO("stopped", "stopped");
    return supervisor.exit_code;
}

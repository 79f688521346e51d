#include "serve_alert.h"

#include "alert_post.h"
#include "fd.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define RUN_MS 30000

static bool has_command(const struct serve_alerts *alerts)
{
    return alerts->conf->alert_command[0] != '\0';
}

void serve_alert_init(struct serve_alerts *alerts, const struct conf *conf, const sigset_t *mask)
{
    char why[CONF_PATH_SIZE + 256] = "";
    *alerts = (struct serve_alerts){.conf = conf, .mask = mask, .target = -1};
    for (size_t i = 0; i < SERVE_ALERT_RUNNING; i++)
        alerts->running[i].alert = -1;
    if (has_command(alerts) && access(conf->alert_command, X_OK) != 0)
        LOG_WARNING("alert.command", "the command for alerts cannot be run: check [alerts] command",
                    LOG_TEXT("command", conf->alert_command), LOG_TEXT("error", strerror(errno)));
    if (conf->alert_webhook[0]) {
        alerts->target = alert_post_target(conf, why, sizeof(why));
        if (alerts->target < 0)
            LOG_WARNING("alert.webhook", "alerts are not posted: check [alerts] webhook",
                        LOG_TEXT("why", why));
    }
}

void serve_alert_stop(struct serve_alerts *alerts)
{
    for (size_t i = 0; i < SERVE_ALERT_RUNNING; i++) {
        struct serve_alert_job *job = &alerts->running[i];
        if (job->pid > 0)
            kill(-job->pid, SIGKILL);
        job->pid = 0;
        fd_close(&job->alert);
    }
    while (alerts->waiting_count)
        fd_close(&alerts->waiting[--alerts->waiting_count].alert);
    fd_close(&alerts->target);
}

/* ---- running ---- */

/* Between fork and exec: system calls only. `standard` becomes standard input; standard output goes
 * where errors go. A process group of its own, so that the end of its time is that of its children,
 * too. */
static void become(const struct serve_alerts *alerts, const struct serve_alert_job *job,
                   int standard, pid_t parent)
{
    char *command[] = {(char *)(uintptr_t)alerts->conf->alert_command, NULL};
    char *post[] = {(char *)(uintptr_t) "deskgate", (char *)(uintptr_t) "alert-post", NULL};
    static const int signals[] = {SIGPIPE, SIGCHLD, SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
        signal(signals[i], SIG_DFL);
    setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
        dup2(standard, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        _exit(EX_OSERR);
    if (job->webhook && (dup2(alerts->target, ALERT_POST_TARGET_FD) < 0 ||
                         fd_cloexec(ALERT_POST_TARGET_FD, false) < 0))
        _exit(EX_OSERR);
    sigprocmask(SIG_SETMASK, alerts->mask, NULL);
    if (job->webhook)
        execv("/proc/self/exe", post);
    else
        execv(command[0], command);
    _exit(EX_UNAVAILABLE);
}

/* Command and webhook read the same alert, each from its beginning: another open file description.
 */
static int open_again(int fd)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY | O_CLOEXEC);
    return again < 0 ? -errno : again;
}

static void run(struct serve_alerts *alerts, struct serve_alert_job *job, uint64_t now)
{
    FD_AUTO int standard = open_again(job->alert);
    pid_t parent = getpid(), pid = standard < 0 ? standard : fork();
    if (pid == 0)
        become(alerts, job, standard, parent);
    if (pid < 0) {
        LOG_ERROR("alert.run", "an alert could not be delivered",
                  LOG_TEXT("error", strerror(standard < 0 ? -standard : errno)));
        fd_close(&job->alert);
        return;
    }
    setpgid(pid, pid); /* whoever is first */
    job->pid = pid;
    job->kill_ms = now + RUN_MS;
}

static void start_waiting(struct serve_alerts *alerts, uint64_t now)
{
    for (size_t i = 0; i < SERVE_ALERT_RUNNING && alerts->waiting_count; i++) {
        if (alerts->running[i].pid)
            continue;
        alerts->running[i] = alerts->waiting[0];
        memmove(alerts->waiting, alerts->waiting + 1,
                --alerts->waiting_count * sizeof(alerts->waiting[0]));
        run(alerts, &alerts->running[i], now);
    }
}

static void enqueue(struct serve_alerts *alerts, int alert, bool webhook)
{
    if (alerts->waiting_count < SERVE_ALERT_WAITING) {
        int copy = fcntl(alert, F_DUPFD_CLOEXEC, 0);
        if (copy >= 0) {
            alerts->waiting[alerts->waiting_count++] =
                (struct serve_alert_job){.alert = copy, .webhook = webhook};
            return;
        }
    }
    LOG_WARNING("alert.lost",
                "too many alerts wait for delivery: one is left out; 'deskgate alert "
                "list' has it",
                LOG_TEXT("for", webhook ? "webhook" : "command"));
}

void serve_alert_take(struct serve_alerts *alerts, int alert, uint64_t now)
{
    if (has_command(alerts))
        enqueue(alerts, alert, false);
    if (alerts->target >= 0)
        enqueue(alerts, alert, true);
    fd_close(&alert);
    start_waiting(alerts, now);
}

void serve_alert_ended(struct serve_alerts *alerts, pid_t pid, int status, uint64_t now)
{
    for (size_t i = 0; i < SERVE_ALERT_RUNNING; i++) {
        struct serve_alert_job *job = &alerts->running[i];
        if (job->pid != pid)
            continue;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            LOG_WARNING(
                "alert.failed", "an alert was not delivered",
                LOG_TEXT("by", job->webhook ? "webhook" : "command"),
                LOG_TEXT("signal", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "none"),
                LOG_NUMBER("code", WIFEXITED(status) ? WEXITSTATUS(status) : -1));
        job->pid = 0;
        fd_close(&job->alert);
    }
    start_waiting(alerts, now);
}

void serve_alert_turn(struct serve_alerts *alerts, uint64_t now)
{
    for (size_t i = 0; i < SERVE_ALERT_RUNNING; i++) {
        struct serve_alert_job *job = &alerts->running[i];
        if (job->pid > 0 && now >= job->kill_ms) {
            kill(-job->pid, SIGKILL);
            job->kill_ms = now + RUN_MS; /* its end is noticed by SIGCHLD */
        }
    }
}

uint64_t serve_alert_due(const struct serve_alerts *alerts)
{
    uint64_t due = 0;
    for (size_t i = 0; i < SERVE_ALERT_RUNNING; i++) {
        const struct serve_alert_job *job = &alerts->running[i];
        if (job->pid > 0 && (!due || job->kill_ms < due))
            due = job->kill_ms;
    }
    return due;
}

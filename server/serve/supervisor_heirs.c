/* The supervisor and its successors: see serve_heirs.h. */
#include "supervisor_state.h"

#include "control.h"
#include "log.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

void supervisor_retire(struct supervisor *supervisor)
{
    uint64_t seconds = supervisor->setup->conf->drain_seconds;

    if (supervisor->phase > RUNNING)
        return;
    LOG_INFO("retire", "another supervisor's gate serves now; this pair ends with its last tunnel",
             LOG_NUMBER("seconds_at_most", (int64_t)seconds));
    supervisor->phase = RETIRING;
    supervisor->company = true;
    supervisor->retire_ms = supervisor_now() + seconds * 1000;
    serve_audit_stop(&supervisor->audit);
    if (supervisor->keeper.control < 0 || supervisor->gate.control < 0 ||
        control_send(supervisor->keeper.control, CONTROL_RETIRE, NULL, 0) < 0 ||
        control_send(supervisor->gate.control, CONTROL_RETIRE, NULL, 0) < 0)
        supervisor_stop_pair(supervisor); /* one of them was just being started again */
}

void supervisor_alone(struct supervisor *supervisor)
{
    supervisor->company = false;
    if (supervisor->phase <= RUNNING && supervisor->keeper.control >= 0)
        control_send(supervisor->keeper.control, CONTROL_ALONE, NULL, 0);
}

void supervisor_tell_alone(struct supervisor *supervisor)
{
    struct serve_heir *heir = serve_heirs_at(&supervisor->heirs, SERVE_HEIR_CURRENT);
    if (supervisor->heirs.count == 1 && heir && supervisor->phase == ENDED)
        serve_heir_tell(heir, CONTROL_ALONE);
}

void supervisor_upgrade(struct supervisor *supervisor)
{
    const struct supervisor_setup *setup = supervisor->setup;
    char why[SERVE_DESK_WORDS / 2] = "the gateway has not started yet, or is stopping",
                                words[SERVE_DESK_WORDS];
    int code = EX_TEMPFAIL;

    if (!supervisor->leaving && supervisor->phase != STARTING)
        code = serve_heirs_start(&supervisor->heirs, setup->program, setup->conf->state,
                                 setup->listeners, &supervisor->mask, supervisor_now(), why,
                                 sizeof(why));
    if (code != EX_OK) {
        snprintf(words, sizeof(words), "%s; nothing has been changed", why);
        LOG_WARNING("upgrade", words);
        serve_desk_say(setup->desk, '-', words);
        return;
    }
    supervisor->heir_late = false;
    snprintf(words, sizeof(words), "%s starts", setup->program);
    LOG_INFO("upgrade", "a successor starts", LOG_TEXT("program", setup->program));
    serve_desk_say(setup->desk, '=', words);
}

void supervisor_hear_heir(struct supervisor *supervisor, struct serve_heir *heir)
{
    if (serve_heir_hear(heir) != CONTROL_READY || heir->stage != SERVE_HEIR_STARTING)
        return;
    struct serve_heir *before = serve_heirs_at(&supervisor->heirs, SERVE_HEIR_CURRENT);
    if (before) {
        before->stage = SERVE_HEIR_RETIRED;
        serve_heir_tell(before, CONTROL_RETIRE);
    }
    heir->stage = SERVE_HEIR_CURRENT;
    if (supervisor->phase <= RUNNING)
        supervisor_retire(supervisor);
    LOG_INFO("upgrade", "the successor serves", LOG_NUMBER("pid", heir->pid));
    serve_desk_say(supervisor->setup->desk, '+',
                   "the new program serves; the one before ends with its last tunnel");
}

static void say_failed(struct supervisor *supervisor, int status)
{
    char words[SERVE_DESK_WORDS];
    if (supervisor->heir_late)
        snprintf(words, sizeof(words), "the new program did not serve within %d seconds",
                 SERVE_HEIR_READY_MS / 1000);
    else if (WIFSIGNALED(status))
        snprintf(words, sizeof(words), "the new program was ended by a signal (%s)",
                 strsignal(WTERMSIG(status)));
    else
        snprintf(words, sizeof(words), "the new program ended with code %d%s", WEXITSTATUS(status),
                 WEXITSTATUS(status) == EX_CONFIG
                     ? ": configuration, certificate or database are not as it wants them"
                     : "");
    size_t size = strlen(words);
    snprintf(words + size, sizeof(words) - size,
             " (the log tells more); the old one goes on undisturbed");
    LOG_ERROR("upgrade", words);
    serve_desk_say(supervisor->setup->desk, '-', words);
}

bool supervisor_heir_ended(struct supervisor *supervisor, pid_t pid, int status)
{
    struct serve_heir *heir = serve_heirs_find(&supervisor->heirs, pid);
    if (!heir)
        return false;
    enum serve_heir_stage stage = heir->stage;
    serve_heirs_remove(&supervisor->heirs, heir);
    if (stage == SERVE_HEIR_STARTING && !supervisor->leaving) {
        say_failed(supervisor, status);
    } else if (stage == SERVE_HEIR_RETIRED || supervisor->leaving) {
        LOG_INFO("upgrade", "a supervisor has ended", LOG_NUMBER("pid", pid));
    } else {
        /* Nobody accepts any more: whoever started us is to start us again. */
        LOG_ERROR("upgrade", "the supervisor that serves has ended unexpectedly",
                  LOG_NUMBER("pid", pid));
        supervisor_stop(supervisor, WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status)
                                                                             : EX_SOFTWARE);
    }
    supervisor_tell_alone(supervisor);
    return true;
}

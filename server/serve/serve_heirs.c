#include "serve_heirs.h"

#include "control.h"
#include "fd.h"
#include "ipc.h"
#include "serve_child.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

int serve_heirs_start(struct serve_heirs *heirs, const char *program, const char *state,
                      const struct serve_listeners *listeners, const sigset_t *mask, uint64_t now,
                      char *why, size_t size)
{
    int ends[2];

    if (serve_heirs_at(heirs, SERVE_HEIR_STARTING)) {
        snprintf(why, size, "an upgrade is under way already");
        return EX_TEMPFAIL;
    }
    if (heirs->count == SERVE_HEIRS_MOST) {
        snprintf(
            why, size,
            "%d upgrades are not over yet: tunnels of before them still live ('deskgate tunnel "
            "list')",
            SERVE_HEIRS_MOST);
        return EX_TEMPFAIL;
    }
    if (access(program, X_OK) != 0) {
        snprintf(why, size, "%s cannot be run: %s", program, strerror(errno));
        return EX_UNAVAILABLE;
    }
    int error = ipc_pair(ends);
    pid_t pid = error ? error : serve_child_heir(program, state, ends[1], listeners, mask);
    if (!error)
        fd_close(&ends[1]);
    if (pid < 0) {
        if (!error)
            fd_close(&ends[0]);
        snprintf(why, size, "%s cannot be started: %s", program, strerror((int)-pid));
        return EX_OSERR;
    }
    heirs->all[heirs->count++] =
        (struct serve_heir){.pid = pid, .link = ends[0], .ready_by_ms = now + SERVE_HEIR_READY_MS};
    return EX_OK;
}

struct serve_heir *serve_heirs_find(struct serve_heirs *heirs, pid_t pid)
{
    for (size_t i = 0; i < heirs->count; i++) {
        if (heirs->all[i].pid == pid)
            return &heirs->all[i];
    }
    return NULL;
}

/* heirs->count: none is. */
static size_t place_of(const struct serve_heirs *heirs, enum serve_heir_stage stage)
{
    size_t i = 0;
    while (i < heirs->count && heirs->all[i].stage != stage)
        i++;
    return i;
}

struct serve_heir *serve_heirs_at(struct serve_heirs *heirs, enum serve_heir_stage stage)
{
    size_t i = place_of(heirs, stage);
    return i < heirs->count ? &heirs->all[i] : NULL;
}

const struct serve_heir *serve_heirs_look(const struct serve_heirs *heirs,
                                          enum serve_heir_stage stage)
{
    size_t i = place_of(heirs, stage);
    return i < heirs->count ? &heirs->all[i] : NULL;
}

void serve_heirs_remove(struct serve_heirs *heirs, struct serve_heir *heir)
{
    size_t at = (size_t)(heir - heirs->all);
    fd_close(&heir->link);
    memmove(heir, heir + 1, (--heirs->count - at) * sizeof(*heir));
}

void serve_heir_tell(struct serve_heir *heir, int type)
{
    if (heir->link < 0 || control_send(heir->link, (enum control_type)type, NULL, 0) < 0)
        kill(heir->pid, SIGKILL);
}

void serve_heirs_tell(struct serve_heirs *heirs, int type)
{
    for (size_t i = 0; i < heirs->count; i++)
        serve_heir_tell(&heirs->all[i], type);
}

void serve_heirs_kill(struct serve_heirs *heirs)
{
    for (size_t i = 0; i < heirs->count; i++)
        kill(heirs->all[i].pid, SIGKILL);
}

int serve_heir_hear(struct serve_heir *heir)
{
    int fds[CONTROL_FDS_MAX];
    size_t count;
    int type = control_receive(heir->link, fds, &count);

    while (count)
        fd_close(&fds[--count]);
    if (type == -EAGAIN)
        return 0;
    if (type < 0) {
        fd_close(&heir->link); /* it ends, or is not itself any more */
        kill(heir->pid, SIGKILL);
        return 0;
    }
    return type == CONTROL_READY ? type : 0;
}

/* Administration in the browser. A gate that was taken over may ask whatever it likes: who asks,
 * their role and their second factor are looked up here, by the session, before an act is begun and
 * again when its turn comes; what may be asked at all is the office's own table
 * (setup->administer).
 *
 * Acts run one after the other in a thread with a connection of its own to the store, so that
 * sign-ins and tunnels never wait for a long list, and so that the keeper notices what they change
 * as it notices the command line (store_changed() tells only of others' changes). What they print
 * goes into a sealed file without a name, whose descriptor the gate gets. */
#include "asked.h"
#include "fd.h"
#include "gate_link.h"
#include "keeper.h"
#include "may.h"
#include "owner.h"
#include "record_audit.h"
#include "sealed.h"
#include "session.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define BEGIN_MS 5000 /* an act that has waited longer is not begun: whoever asked has given up */

struct act_job {
    struct pool_job job;
    struct gate_link *gate;
    struct ipc_admin ask;
    struct store_session session;
    struct ipc_admin_done answer;
    int fd; /* what the answer carries */
    size_t room;
    char by[TEXT_NAME_SIZE + 4];
    char buffer[4096]; /* of the stream that is printed to: an invitation may be in it */
    char said[IPC_SAID_MOST];
};

/* Whether the session's person may administer now, from there. `store` is the calling thread's. */
static enum ipc_status judge(struct store *store, const struct conf *conf,
                             const struct store_session *session, const struct addr *address)
{
    struct decision decision = {0};
    struct store_user user;
    int64_t now = keeper_now();
    enum store_result result = store_user_by_id(store, session->user, &user);
    bool administrator = result == STORE_OK && user.administrator && !user.disabled;
    explicit_bzero(&user, sizeof(user));
    if (administrator)
        result = may_judge_person(store, session->user, address, now, &decision);
    if (result != STORE_OK)
        return result == STORE_FAILED ? IPC_FAILED : IPC_NO_SESSION;
    if (!administrator)
        return IPC_NOT_ADMINISTRATOR;
    if (decision.rule != DECISION_ALLOWED)
        return decision.rule == DECISION_ACCOUNT_DATES ? IPC_NOT_NOW : IPC_NOT_FROM_HERE;
    int64_t age = now - session->factor_at;
    return age < (int64_t)conf->admin_factor_seconds ? IPC_OK : IPC_STALE_FACTOR;
}

/* ---- in the thread ---- */

/* Others may have taken session or role away while the act waited. */
static enum ipc_status still(struct keeper *keeper, const struct act_job *act)
{
    struct store_session session;
    struct store *store = keeper->acts.store;
    enum store_result result = store_session_by_id(store, act->session.id, &session);
    if (result == STORE_FAILED)
        return IPC_FAILED;
    if (result != STORE_OK || session.ended_at || session.expires_at <= keeper_now())
        return IPC_NO_SESSION;
    return judge(store, keeper->conf, &session, &act->ask.origin.address);
}

static ssize_t put_printed(void *owner, const char *bytes, size_t size)
{
    struct act_job *act = owner;
    if (size > act->room || fd_write_all(act->fd, bytes, size) != 0) {
        errno = EFBIG;
        return 0;
    }
    act->room -= size;
    return (ssize_t)size;
}

/* Carries it out, with what it says in act->said. False: out of memory. */
static bool run(struct keeper *keeper, struct act_job *act)
{
    FILE *printed = fopencookie(act, "w", (cookie_io_functions_t){.write = put_printed});
    FILE *said = fmemopen(act->said, sizeof(act->said), "w");
    if (printed && said) {
        struct keeper_order order = {.conf = keeper->conf,
                                     .store = keeper->acts.store,
                                     .origin = &act->ask.origin,
                                     .by = act->by,
                                     .changes = act->ask.changes,
                                     .arguments = act->ask.arguments,
                                     .size = act->ask.size,
                                     .printed = printed,
                                     .said = said};
        setvbuf(printed, act->buffer, _IOFBF, sizeof(act->buffer));
        act->answer.code = keeper->acts.administer(&order);
        act->answer.json = order.json;
    }
    bool begun = printed && said;
    bool whole = printed && fclose(printed) == 0;
    if (said)
        fclose(said);
    act->said[sizeof(act->said) - 1] = '\0';
    if (begun && !whole && act->answer.code == EX_OK) {
        act->answer.code = EX_IOERR;
        text_copy(act->said, sizeof(act->said),
                  "the answer is too long for the browser; the command line gives it");
    }
    /* A verdict may be a bad one and still the answer; a mistake is told in words. */
    if (act->answer.code != EX_OK && (*act->said || act->room == IPC_PRINTED_MOST))
        act->answer.json = false;
    return begun;
}

static enum ipc_status carry_out(struct keeper *keeper, struct act_job *act)
{
    enum ipc_status status = still(keeper, act);
    if (status != IPC_OK)
        return status;
    act->fd = sealed_begin("deskgate-act");
    act->room = IPC_PRINTED_MOST;
    if (act->fd < 0 || !run(keeper, act))
        return IPC_FAILED;
    act->answer.printed_size = (uint32_t)(IPC_PRINTED_MOST - act->room);
    act->answer.said_size = (uint32_t)strlen(act->said);
    if (fd_write_all(act->fd, act->said, act->answer.said_size) != 0 || sealed_finish(act->fd) != 0)
        return IPC_FAILED;
    return IPC_OK;
}

static void work(struct pool_job *job)
{
    struct act_job *act = OWNER_OF(job, struct act_job, job);
    act->answer.status = (uint8_t)carry_out(act->gate->keeper, act);
}

/* ---- in the loop ---- */

static void act_free(struct act_job *act)
{
    gate_link_unref(act->gate);
    fd_close(&act->fd);
    sodium_memzero(act, sizeof(*act));
    free(act);
}

/* The verb and its sub-verb, for the audit log. */
static void name_act(const struct ipc_admin *ask, char to[64])
{
    const char *verb = ask->arguments, *sub = verb + strlen(verb) + 1;
    snprintf(to, 64, "%.30s%s%.30s", verb, sub < verb + ask->size && *sub ? " " : "",
             sub < verb + ask->size ? sub : "");
    for (char *c = to; *c; c++)
        *c = (*c >= 'a' && *c <= 'z') || *c == '-' || *c == ' ' ? *c : '?';
}

static const char *refused_for(enum ipc_status status, bool changes)
{
    switch (status) {
    case IPC_NOT_ADMINISTRATOR:
        return "no administrator";
    case IPC_NOT_FROM_HERE:
        return "not from this address";
    case IPC_NOT_NOW:
        return "the account is not valid now";
    case IPC_STALE_FACTOR: /* no news when somebody only looks */
        return changes ? "the second factor is too old" : NULL;
    default:
        return NULL;
    }
}

static void note_refusal(struct act_job *act)
{
    const char *why = refused_for(act->answer.status, act->ask.changes);
    char name[64], words[128];
    if (!why)
        return;
    name_act(&act->ask, name);
    snprintf(words, sizeof(words), "%s: %s", name, why);
    record_note(act->gate->keeper, &act->ask.origin, "admin-denied", "denied",
                act->session.user_name, words);
}

static void answer(struct act_job *act)
{
    bool carries = act->answer.status == IPC_OK;
    note_refusal(act);
    gate_link_send(act->gate, &act->answer.head, carries ? act->fd : -1);
    act_free(act);
}

static void on_finished(struct pool_job *job)
{
    struct act_job *act = OWNER_OF(job, struct act_job, job);
    struct keeper *keeper = act->gate->keeper;
    keeper->acts.under_way--;
    if (act->job.late)
        act->answer.status = IPC_BUSY;
    if (act->ask.changes) /* what it changed takes effect now */
        loop_timer_set(keeper->loop, &keeper->poll, 0);
    answer(act);
}

static enum ipc_status begin(struct keeper *keeper, struct act_job *act)
{
    enum ipc_status status =
        asked_status(keeper, session_find(keeper, act->ask.token, &act->session));
    if (status == IPC_OK)
        status = judge(keeper->store, keeper->conf, &act->session, &act->ask.origin.address);
    if (status != IPC_OK)
        return status;
    if (!keeper->acts.administer)
        return IPC_FAILED;
    snprintf(act->by, sizeof(act->by), "web:%s", act->session.user_name);
    return pool_submit(keeper->acts.pool, &act->job, BEGIN_MS) == 0 ? IPC_OK : IPC_BUSY;
}

int asked_admin(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_admin *ask = &record->admin;
    struct ipc_admin_done failed;
    if (!asked_origin_ok(&ask->origin) || ask->size == 0 || ask->size > sizeof(ask->arguments) ||
        ask->arguments[ask->size - 1] != '\0')
        return -EPROTO;
    struct act_job *act = calloc(1, sizeof(*act));
    if (!act) {
        IPC_INIT(&failed, ADMIN_DONE, ask->head.request);
        failed.status = IPC_FAILED;
        gate_link_send(link, &failed.head, -1);
        return 0;
    }
    act->ask = *ask;
    act->fd = -1;
    act->gate = gate_link_ref(link);
    act->job.work = work;
    act->job.finished = on_finished;
    IPC_INIT(&act->answer, ADMIN_DONE, ask->head.request);
    enum ipc_status status = begin(link->keeper, act);
    if (status == IPC_OK) {
        link->keeper->acts.under_way++;
        return 0; /* on_finished() goes on */
    }
    act->answer.status = (uint8_t)status;
    answer(act);
    return 0;
}

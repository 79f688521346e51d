#include "live.h"

#include "fd.h"
#include "gate_link.h"
#include "log.h"
#include "may.h"
#include "record_audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A gate gives the client 2 s to answer the close frame; twice that, and it does not obey. */
#define OBEY_MS 4000

void live_add(struct keeper *keeper, struct live *live)
{
    live->next = keeper->live;
    live->previous = NULL;
    if (live->next)
        live->next->previous = live;
    keeper->live = live;
    live_index_add(&keeper->living, live);
    keeper_meter_opened(keeper, live);
}

static int one_is_enough(void *owner, const char *desktop)
{
    (void)desktop;
    *(bool *)owner = true;
    return 1;
}

bool live_in_session(struct keeper *keeper, int64_t session)
{
    bool elsewhere = false;
    for (const struct live *live = keeper->live; live; live = live->next) {
        if (live->session == session)
            return true;
    }
    if (keeper->company)
        store_tunnel_desktops(keeper->store, session, one_is_enough, &elsewhere);
    return elsewhere;
}

static bool is_ours(const struct keeper *keeper, int64_t tunnel)
{
    if (live_index_tunnel(&keeper->living, tunnel))
        return true;
    for (const struct live *live = keeper->ended; live; live = live->next) {
        if (live->tunnel == tunnel)
            return true;
    }
    return false;
}

struct counting {
    const struct keeper *keeper;
    struct live_counted *counted;
    int64_t without;
};

static int count_elsewhere(void *owner, const struct store_tunnel_of *of)
{
    struct counting *counting = owner;
    if (of->id == counting->without || is_ours(counting->keeper, of->id))
        return 0;
    counting->counted->person += of->person;
    counting->counted->desktop += of->desktop;
    return 0;
}

void live_count_elsewhere(struct keeper *keeper, int64_t user, int64_t desktop, int64_t without,
                          struct live_counted *out)
{
    struct counting counting = {keeper, out, without};
    *out = (struct live_counted){0};
    if (store_tunnel_of(keeper->store, user, desktop, count_elsewhere, &counting) != STORE_OK)
        LOG_ERROR("store", "tunnels of another keeper could not be counted",
                  LOG_TEXT("error", store_error(keeper->store)));
}

struct live *live_find(const struct keeper *keeper, const struct gate_link *gate, int64_t tunnel)
{
    struct live *live = live_index_tunnel(&keeper->living, tunnel);
    return live && live->gate == gate ? live : NULL;
}

bool live_counts(struct keeper *keeper, struct gate_link *gate, int64_t tunnel, uint64_t up,
                 uint64_t down)
{
    struct live *live = live_find(keeper, gate, tunnel);
    if (!live || up > INT64_MAX || down > INT64_MAX)
        return false;
    live->up = up;
    live->down = down;
    live->told_at = keeper_now();
    live->unsaved = keeper->unsaved = true;
    return true;
}

/* Ends the connection to the desktop for whoever still holds a copy of it. What was sent before is
 * delivered. */
static void cut(struct live *live)
{
    if (live->socket >= 0)
        shutdown(live->socket, SHUT_RDWR);
    fd_close(&live->socket);
}

/* Moves one from the living to those whose end is yet to be written. */
static void end_one(struct keeper *keeper, struct live *live, enum ipc_end end)
{
    cut(live);
    if (live->previous)
        live->previous->next = live->next;
    else
        keeper->live = live->next;
    if (live->next)
        live->next->previous = live->previous;
    live_index_remove(live);
    live->ended_at = keeper_now();
    live->lasted = live->opened_ms ? (int64_t)(loop_now(keeper->loop) - live->opened_ms) / 1000
                   : live->ended_at > live->opened_at ? live->ended_at - live->opened_at
                                                      : 0;
    live->end = end;
    keeper_meter_ended(keeper, live);
    live->next = NULL;
    if (keeper->ended)
        keeper->ended_last->next = live;
    else
        keeper->ended = live;
    keeper->ended_last = live;
}

bool live_ended(struct keeper *keeper, struct gate_link *gate, int64_t tunnel, uint64_t up,
                uint64_t down, enum ipc_end end)
{
    struct live *live = live_find(keeper, gate, tunnel);
    if (!live || up > INT64_MAX || down > INT64_MAX)
        return false;
    live->up = up;
    live->down = down;
    end_one(keeper, live, end);
    return true;
}

void live_ending(struct keeper *keeper, const struct gate_link *gate, int64_t tunnel,
                 enum ipc_end end)
{
    struct live *live = live_find(keeper, gate, tunnel);
    if (!live || live->ending)
        return;
    live->ending = true;
    live->decided = end;
}

bool live_is_ending(const struct keeper *keeper, int64_t tunnel, enum ipc_end *end)
{
    const struct live *live = live_index_tunnel(&keeper->living, tunnel);
    if (!live || !(live->closing || live->ending))
        return false;
    *end = live->closing ? live->order : live->decided;
    return true;
}

/* ---- writing ---- */

static enum store_result write_counts(struct keeper *keeper, const struct live *live)
{
    enum store_result result =
        store_tunnel_counts(keeper->store, live->tunnel, live->up, live->down);
    if (result == STORE_OK)
        result = store_session_use(keeper->store, live->session, live->told_at);
    return result;
}

/* The row of its end and the audit's. */
static enum store_result write_end(struct keeper *keeper, const struct live *live)
{
    char detail[160];
    const char *end = ipc_end_name(live->end);
    enum store_result result = STORE_OK;
    if (live->unsaved)
        result = store_session_use(keeper->store, live->session, live->told_at);
    if (result == STORE_OK)
        result = store_tunnel_end(keeper->store, live->tunnel, live->ended_at, live->up, live->down,
                                  end);
    if (result != STORE_OK)
        return result == STORE_FAILED ? result : STORE_OK; /* over already: nothing to tell */
    snprintf(detail, sizeof(detail),
             "why=%s way=%s tunnel=%" PRId64 " up=%" PRIu64 " down=%" PRIu64 " seconds=%" PRId64,
             end, ipc_way_name(live->way), live->tunnel, live->up, live->down, live->lasted);
    return record_audit(keeper, &live->origin, "tunnel-close", "ok", live->user, live->desktop,
                        detail);
}

static enum store_result write_all(struct keeper *keeper)
{
    enum store_result result = store_begin(keeper->store);
    for (struct live *live = keeper->live; live && result == STORE_OK; live = live->next) {
        if (live->unsaved)
            result = write_counts(keeper, live);
    }
    for (struct live *live = keeper->ended; live && result == STORE_OK; live = live->next)
        result = write_end(keeper, live);
    return result == STORE_OK ? store_commit(keeper->store) : result;
}

enum store_result live_save(struct keeper *keeper)
{
    if (!keeper->unsaved && !keeper->ended)
        return STORE_OK;
    enum store_result result = write_all(keeper);
    if (result != STORE_OK) {
        LOG_ERROR("store", "tunnels' ends and counts could not be stored; trying again",
                  LOG_TEXT("error", store_error(keeper->store)));
        store_rollback(keeper->store);
        return result;
    }
    for (struct live *live = keeper->live; live; live = live->next)
        live->unsaved = false;
    keeper->unsaved = false;
    while (keeper->ended) {
        struct live *next = keeper->ended->next;
        free(keeper->ended);
        keeper->ended = next;
    }
    return result;
}

enum store_result live_save_ends(struct keeper *keeper)
{
    return keeper->ended ? live_save(keeper) : STORE_OK;
}

/* ---- the watch ---- */

static const enum ipc_end end_of[] = {
    [STORE_TUNNEL_REQUESTED] = IPC_END_TUNNEL_ENDED,
    [STORE_TUNNEL_SIGNED_OUT] = IPC_END_SIGNED_OUT,
    [STORE_TUNNEL_SESSION_ENDED] = IPC_END_SESSION_ENDED,
    [STORE_TUNNEL_USER_DISABLED] = IPC_END_USER_DISABLED,
    [STORE_TUNNEL_NO_GRANT] = IPC_END_GRANT_REMOVED,
};

static void order_close(struct keeper *keeper, struct live *live, enum ipc_end end)
{
    struct ipc_close_tunnel order;
    IPC_INIT(&order, CLOSE_TUNNEL, 0);
    order.tunnel = live->tunnel;
    order.end = (uint8_t)end;
    live->closing = true;
    live->again_at = 0;
    live->order = end;
    live->close_by_ms = loop_now(keeper->loop) + OBEY_MS;
    if (!keeper->enforce_ms)
        keeper->enforce_ms = live->close_by_ms;
    gate_link_send(live->gate, &order.head, -1);
}

void live_replace(struct keeper *keeper, int64_t tunnel)
{
    struct live *live = live_index_tunnel(&keeper->living, tunnel);
    if (live && !live->closing)
        order_close(keeper, live, IPC_END_CLIENT_LOST);
}

/* It is asked to end as an administrator would ask. */
void live_replace_elsewhere(struct keeper *keeper, int64_t tunnel)
{
    if (keeper->company && tunnel && !is_ours(keeper, tunnel) &&
        store_tunnel_request_end(keeper->store, tunnel) == STORE_FAILED)
        LOG_ERROR("store", "a tunnel that was replaced could not be ended",
                  LOG_TEXT("error", store_error(keeper->store)));
}

void live_say(struct keeper *keeper, int64_t tunnel, const char *words)
{
    struct ipc_say say;
    IPC_INIT(&say, SAY, 0);
    say.tunnel = tunnel;
    text_copy(say.words, sizeof(say.words), words);
    const struct live *live = live_index_tunnel(&keeper->living, tunnel);
    if (live && live->way == IPC_WAY_RDG && !live->closing)
        gate_link_send(live->gate, &say.head, -1);
}

/* Hours of a grant are counted from now on, as if no clock changed. Where one does, this look makes
 * it good. */
#define LOOK_SECONDS 900
#define RETRY_SECONDS 10 /* the store could not be asked */
/* Between two reviews that others' writing causes it rests so many times as long as the last one
 * took: 25 µs a tunnel, so with 5,000 an administrator's word still takes effect within a second.
 */
#define REVIEW_REST 4

static void look_at(struct keeper *keeper, struct live *live, int64_t at)
{
    live->again_at = at;
    if (at && (!keeper->review_at || at < keeper->review_at))
        keeper->review_at = at;
}

void live_judge_again(struct keeper *keeper, struct live *live, int64_t at)
{
    int64_t soon = keeper_now() + LOOK_SECONDS;
    look_at(keeper, live, at > soon ? soon : at);
}

/* The gate knows the limit of when it began; this one may be narrower by now. */
static void review_limit(struct keeper *keeper, struct live *live, uint32_t most)
{
    int64_t end = live->since + (int64_t)most;
    if (!most)
        return;
    if (end <= keeper_now())
        order_close(keeper, live, IPC_END_LIMIT);
    else if (!live->again_at || end < live->again_at)
        look_at(keeper, live, end);
}

/* The rules beyond grants. What the store cannot tell is asked again at the next look. */
static void review_policy(struct keeper *keeper, struct live *live)
{
    struct decision decision;
    if (may_live_on(keeper, live, &decision) != STORE_OK) {
        look_at(keeper, live, keeper_now() + RETRY_SECONDS);
        return;
    }
    live_judge_again(keeper, live, decision.again_at);
    if (decision.rule == DECISION_ALLOWED) {
        review_limit(keeper, live, decision.limits.absolute_seconds);
        return;
    }
    record_audit(keeper, &live->origin, "tunnel-policy", decision_rule_name(decision.rule),
                 live->user, live->desktop, decision.words);
    order_close(keeper, live, IPC_END_GRANT_REMOVED);
}

/* Asks the store about one, and orders its gate to close it when it may not live on. */
static void review(struct keeper *keeper, struct live *live)
{
    enum store_tunnel_verdict verdict = STORE_TUNNEL_MAY;
    if (live->closing)
        return;
    enum store_result result = store_tunnel_verdict(keeper->store, live->tunnel, &verdict);
    if (result == STORE_NONE) /* somebody removed the row by hand: nothing vouches for it */
        verdict = STORE_TUNNEL_SESSION_ENDED;
    if (result == STORE_FAILED) {
        LOG_ERROR("store", "a tunnel's right to live could not be looked up",
                  LOG_TEXT("error", store_error(keeper->store)));
        look_at(keeper, live, keeper_now() + RETRY_SECONDS);
    }
    if (verdict != STORE_TUNNEL_MAY)
        order_close(keeper, live, end_of[verdict]);
    else if (result == STORE_OK)
        review_policy(keeper, live);
}

void live_review_person(struct keeper *keeper, int64_t user)
{
    struct live *live = live_index_first(&keeper->living, LIVE_BY_PERSON, user);
    for (; live; live = live_index_next(live, LIVE_BY_PERSON))
        review(keeper, live);
}

void live_review_soon(struct keeper *keeper)
{
    keeper->review_soon = true;
}

void live_review_due(struct keeper *keeper)
{
    int64_t now = keeper_now();
    if (keeper->review_soon && loop_now(keeper->loop) >= keeper->review_from_ms) {
        live_review(keeper);
        return;
    }
    if (!keeper->review_at || now < keeper->review_at)
        return;
    keeper->review_at = 0;
    for (struct live *live = keeper->live; live; live = live->next) {
        if (live->again_at && live->again_at <= now)
            review(keeper, live);
        look_at(keeper, live, live->again_at);
    }
}

void live_review(struct keeper *keeper)
{
    uint64_t begun = loop_clock_ms();
    for (struct live *live = keeper->live; live; live = live->next)
        review(keeper, live);
    uint64_t ended = loop_clock_ms();
    keeper->review_soon = false;
    keeper->review_from_ms = ended + REVIEW_REST * (ended - begun);
}

void live_enforce(struct keeper *keeper)
{
    uint64_t now = loop_now(keeper->loop), next = 0;
    if (!keeper->enforce_ms || now < keeper->enforce_ms)
        return;
    for (struct live *live = keeper->live; live; live = live->next) {
        if (!live->closing || live->socket < 0)
            continue;
        if (now < live->close_by_ms) {
            if (!next || live->close_by_ms < next)
                next = live->close_by_ms;
            continue;
        }
        cut(live);
        record_audit(keeper, &live->origin, "tunnel-cut", "ok", live->user, live->desktop,
                     "the gate did not close it when it was told to");
    }
    keeper->enforce_ms = next;
}

static void lose(struct keeper *keeper, const struct gate_link *gate)
{
    for (struct live *live = keeper->live, *next; live; live = next) {
        next = live->next;
        if (live->gate == gate)
            end_one(keeper, live, IPC_END_GATE_LOST);
    }
}

void live_gate_lost(struct keeper *keeper, struct gate_link *gate)
{
    lose(keeper, gate);
    live_save_ends(keeper);
}

static int collect(void *owner, const struct store_tunnel *tunnel)
{
    struct keeper *keeper = owner;
    if (is_ours(keeper, tunnel->id))
        return 0;
    struct live *live = calloc(1, sizeof(*live));
    if (!live)
        return 1;
    live->socket = -1;
    live->tunnel = tunnel->id;
    live->session = tunnel->session;
    live->opened_at = tunnel->opened_at;
    live->up = tunnel->up;
    live->down = tunnel->down;
    live->origin.address = tunnel->address;
    live->way = ipc_way_find(tunnel->way);
    text_copy(live->origin.conn, sizeof(live->origin.conn), tunnel->conn);
    text_copy(live->user, sizeof(live->user), tunnel->user_name);
    text_copy(live->desktop, sizeof(live->desktop), tunnel->desktop_name);
    live_add(keeper, live);
    return 0;
}

enum store_result live_end_stale(struct keeper *keeper)
{
    enum store_result result = store_tunnel_list(keeper->store, true, collect, keeper);
    lose(keeper, NULL);
    return result == STORE_OK ? live_save_ends(keeper) : result;
}

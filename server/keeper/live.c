#include "live.h"

#include "gate_link.h"
#include "log.h"
#include "record_audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void live_add(struct keeper *keeper, struct live *live)
{
    live->next = keeper->live;
    keeper->live = live;
}

unsigned live_in_session(struct keeper *keeper, int64_t session)
{
    unsigned count = 0;
    for (const struct live *live = keeper->live; live; live = live->next)
        count += live->session == session;
    return count;
}

static struct live **find(struct keeper *keeper, const struct gate_link *gate, int64_t tunnel)
{
    struct live **at = &keeper->live;
    while (*at && !((*at)->tunnel == tunnel && (*at)->gate == gate))
        at = &(*at)->next;
    return at;
}

bool live_counts(struct keeper *keeper, struct gate_link *gate, int64_t tunnel, uint64_t up,
                 uint64_t down)
{
    const struct live *live = *find(keeper, gate, tunnel);
    if (!live || up > INT64_MAX || down > INT64_MAX)
        return false;
    store_tunnel_counts(keeper->store, tunnel, up, down);
    store_session_use(keeper->store, live->session, keeper_now());
    return true;
}

/* The row of its end and the audit's, together. */
static void write_end(struct keeper *keeper, const struct live *live, uint64_t up, uint64_t down,
                      enum ipc_end end)
{
    char detail[160];
    int64_t now = keeper_now();
    snprintf(detail, sizeof(detail),
             "why=%s tunnel=%" PRId64 " up=%" PRIu64 " down=%" PRIu64 " seconds=%" PRId64,
             ipc_end_name(end), live->tunnel, up, down, now - live->opened_at);
    enum store_result result = store_begin(keeper->store);
    if (result == STORE_OK)
        result = store_tunnel_end(keeper->store, live->tunnel, now, up, down, ipc_end_name(end));
    if (result == STORE_OK)
        result = record_audit(keeper, &live->origin, "tunnel-close", "ok", live->user,
                              live->desktop, detail);
    if (result == STORE_OK)
        result = store_commit(keeper->store);
    else
        store_rollback(keeper->store);
    if (result == STORE_FAILED)
        LOG_ERROR("tunnel.end", "a tunnel's end could not be stored",
                  LOG_NUMBER("tunnel", live->tunnel),
                  LOG_TEXT("error", store_error(keeper->store)));
}

bool live_ended(struct keeper *keeper, struct gate_link *gate, int64_t tunnel, uint64_t up,
                uint64_t down, enum ipc_end end)
{
    struct live **at = find(keeper, gate, tunnel), *live = *at;
    if (!live || up > INT64_MAX || down > INT64_MAX)
        return false;
    *at = live->next;
    write_end(keeper, live, up, down, end);
    free(live);
    return true;
}

static const enum ipc_end end_of[] = {
    [STORE_TUNNEL_REQUESTED] = IPC_END_TUNNEL_ENDED,
    [STORE_TUNNEL_SIGNED_OUT] = IPC_END_SIGNED_OUT,
    [STORE_TUNNEL_SESSION_ENDED] = IPC_END_SESSION_ENDED,
    [STORE_TUNNEL_USER_DISABLED] = IPC_END_USER_DISABLED,
    [STORE_TUNNEL_NO_GRANT] = IPC_END_GRANT_REMOVED,
};

void live_review(struct keeper *keeper)
{
    for (struct live *live = keeper->live; live; live = live->next) {
        enum store_tunnel_verdict verdict = STORE_TUNNEL_MAY;
        if (live->closing)
            continue;
        enum store_result result = store_tunnel_verdict(keeper->store, live->tunnel, &verdict);
        if (result == STORE_NONE) /* somebody removed the row by hand: nothing vouches for it */
            verdict = STORE_TUNNEL_SESSION_ENDED;
        if (verdict == STORE_TUNNEL_MAY)
            continue;
        struct ipc_close_tunnel order;
        IPC_INIT(&order, CLOSE_TUNNEL, 0);
        order.tunnel = live->tunnel;
        order.end = (uint8_t)end_of[verdict];
        live->closing = true;
        gate_link_send(live->gate, &order.head, -1);
    }
}

void live_gate_lost(struct keeper *keeper, struct gate_link *gate)
{
    struct live **at = &keeper->live;
    while (*at) {
        struct live *live = *at;
        if (live->gate != gate) {
            at = &live->next;
            continue;
        }
        *at = live->next;
        write_end(keeper, live, 0, 0, IPC_END_GATE_LOST);
        free(live);
    }
}

static int collect(void *owner, const struct store_tunnel *tunnel)
{
    struct keeper *keeper = owner;
    struct live *live = calloc(1, sizeof(*live));
    if (!live)
        return 1;
    live->tunnel = tunnel->id;
    live->session = tunnel->session;
    live->opened_at = tunnel->opened_at;
    live->origin.address = tunnel->address;
    text_copy(live->origin.conn, sizeof(live->origin.conn), tunnel->conn);
    text_copy(live->user, sizeof(live->user), tunnel->user_name);
    text_copy(live->desktop, sizeof(live->desktop), tunnel->desktop_name);
    live_add(keeper, live);
    return 0;
}

enum store_result live_end_stale(struct keeper *keeper)
{
    enum store_result result = store_tunnel_list(keeper->store, true, collect, keeper);
    live_gate_lost(keeper, NULL);
    return result;
}

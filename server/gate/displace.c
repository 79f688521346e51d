#include "displace.h"

#include "conn.h"
#include "worker.h"

#define WAITED_MS                                                                                  \
    1000             /* an honest handshake, or the way from there to a request, is over by then */
#define AGAIN_MS 100 /* when nobody was found: a flood must not make us look for each newcomer */

static bool may_go(const struct conn *conn, enum admit_answer full)
{
    switch (atomic_load(&conn->slot.stage)) {
    case ADMIT_HANDSHAKE:
        return true;
    case ADMIT_STRANGER:
        return full == ADMIT_FULL && (conn->state == CONN_QUIET || conn->state == CONN_HTTP) &&
               !atomic_load(&conn->busy) && !atomic_load(&conn->answering);
    default:
        return false;
    }
}

bool displace(struct worker *worker, enum admit_answer full)
{
    uint64_t now = loop_now(worker->loop);
    struct conn *longest = NULL;
    if (now < worker->displace_again)
        return false;
    for (struct conn *conn = worker->conns; conn; conn = conn->all.next) {
        if (may_go(conn, full) && now - conn->watch.since_ms >= WAITED_MS &&
            (!longest || conn->watch.since_ms <= longest->watch.since_ms))
            longest = conn;
    }
    if (!longest) {
        worker->displace_again = now + AGAIN_MS;
        return false;
    }
    gate_meter_add(&worker->meter, GATE_METER_DISPLACED, 1);
    conn_end(longest);
    return true;
}

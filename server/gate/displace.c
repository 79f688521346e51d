#include "displace.h"

#include "conn.h"
#include "worker.h"

/* An honest handshake, or the way from there to a request, is over by then … */
#define WAITED_MS 1000
#define AGE_MS 10000 /* … and so is the way to a sign-in, whatever is asked on it */
#define AGAIN_MS 100 /* when nobody was found: a flood must not make us look for each newcomer */

/* How long one has been waited for, in vain. 0: it may stay. */
static uint64_t waits(const struct conn *conn, enum admit_answer full, uint64_t now)
{
    uint64_t waited = now - conn->watch.since_ms;
    enum admit_stage stage = atomic_load(&conn->slot.stage);
    bool asks = conn->state == CONN_HTTP && atomic_load(&conn->answering);
    if (conn->state == CONN_LINGER || atomic_load(&conn->busy) ||
        (stage != ADMIT_HANDSHAKE && (stage != ADMIT_STRANGER || full != ADMIT_FULL)))
        return 0;
    return waited >= WAITED_MS && !asks ? waited : 0;
}

/* Whoever asks, and reads the answers or does not, is not waited for, but holds a place as well. */
static uint64_t stays(const struct conn *conn, enum admit_answer full, uint64_t now)
{
    uint64_t age = now - conn->watch.begun_ms;
    bool may = full == ADMIT_FULL && conn->state == CONN_HTTP && !atomic_load(&conn->busy) &&
               atomic_load(&conn->slot.stage) == ADMIT_STRANGER;
    return may && age >= AGE_MS ? age : 0;
}

static struct conn *longest(struct worker *worker, enum admit_answer full,
                            uint64_t (*measure)(const struct conn *, enum admit_answer, uint64_t))
{
    uint64_t now = loop_now(worker->loop), most = 0;
    struct conn *found = NULL;
    for (struct conn *conn = worker->conns; conn; conn = conn->all.next) {
        uint64_t measured = measure(conn, full, now);
        if (measured && measured >= most) {
            most = measured;
            found = conn;
        }
    }
    return found;
}

bool displace(struct worker *worker, enum admit_answer full)
{
    uint64_t now = loop_now(worker->loop);
    if (now < worker->displace_again)
        return false;
    struct conn *conn = longest(worker, full, waits);
    if (!conn)
        conn = longest(worker, full, stays);
    if (!conn) {
        worker->displace_again = now + AGAIN_MS;
        return false;
    }
    gate_meter_add(&worker->meter, GATE_METER_DISPLACED, 1);
    conn_end(conn);
    return true;
}

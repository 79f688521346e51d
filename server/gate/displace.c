#include "displace.h"

#include "conn.h"
#include "gate_state.h"
#include "guarded.h"
#include "neighbours.h"
#include "worker.h"

#include <sys/socket.h>

/* An honest handshake, or the way from there to a request, is over by then … */
#define WAITED_MS 1000
#define AGE_MS 10000 /* … and so is the way to a sign-in, whatever is asked on it */
#define LOOKS_MOST 4 /* at one who has just begun to say something, and then another one */
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

/* ---- among those of one address ---- */

/* It has had all its answers, and nothing of another request. */
static bool rests(const struct conn *conn)
{
    unsigned answered = atomic_load(&conn->completed);
    return conn->state == CONN_HTTP && !atomic_load(&conn->busy) &&
           !atomic_load(&conn->answering) && !atomic_load(&conn->upgraded) && answered &&
           answered == conn->watch.completed /* else it is not waited for yet */ &&
           http_guard_rests(&conn->guarded->guard, answered) && conn->relay &&
           !relay_holds(conn->relay);
}

/* Nor is anything on its way in here: what comes after this look meets a connection that was closed
 * between two requests, which every client has to reckon with. */
static bool silent(struct conn *conn)
{
    char byte;
    bool rest = conn->state == CONN_HTTP;
    return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0 &&
           !(rest && (recv(conn->far, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0 ||
                      stream_readable(&conn->outer.stream) || stream_flush(&conn->outer.stream)));
}

/* How long nothing has been asked on it. 0: it may stay. */
static uint64_t idles(const struct conn *conn, enum admit_answer full, uint64_t now)
{
    uint64_t waited = now - conn->watch.since_ms;
    bool handshake = conn->state == CONN_SNIFF || conn->state == CONN_HANDSHAKE;
    bool may = full == ADMIT_ADDRESS_HANDSHAKES_FULL
                   ? handshake
                   : handshake || conn->state == CONN_QUIET || rests(conn);
    return may && waited >= WAITED_MS ? waited : 0;
}

/* Of those on which nobody has signed in, and where there is none, of the others. */
static struct conn *longest_near(struct worker *worker, enum admit_answer full,
                                 const struct addr *prefix, bool spare_known)
{
    uint64_t now = loop_now(worker->loop), most[2] = {0};
    struct conn *found[2] = {NULL};
    for (struct conn *conn = neighbours_first(worker->neighbours, prefix); conn;
         conn = neighbours_next(conn)) {
        uint64_t idle = idles(conn, full, now);
        bool known = atomic_load(&conn->slot.stage) == ADMIT_KNOWN;
        if (idle && idle >= most[known]) {
            most[known] = idle;
            found[known] = conn;
        }
    }
    return found[false] || !spare_known ? found[false] : found[true];
}

bool displace_near(struct worker *worker, enum admit_answer full, const struct addr *address)
{
    struct addr prefix = addr_subscriber(address);
    uint64_t now = loop_now(worker->loop);
    struct conn *conn = NULL;
    if (!admit_worth_a_look(worker->gate->admit, address, now))
        return false;
    bool spare_known = admit_known_to_spare(worker->gate->admit, address);
    for (int i = 0; i < LOOKS_MOST; i++) {
        conn = longest_near(worker, full, &prefix, spare_known);
        if (!conn || silent(conn))
            break;
        conn->watch.since_ms = now; /* it is not waited for any more */
        conn = NULL;
    }
    if (!conn)
        return false;
    gate_meter_add(&worker->meter, GATE_METER_DISPLACED, 1);
    if (conn->state == CONN_HTTP || conn->state == CONN_QUIET)
        stream_end(&conn->outer.stream);
    conn_end(conn);
    return true;
}

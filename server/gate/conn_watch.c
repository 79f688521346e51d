#include "conn_watch.h"

#include "conn.h"
#include "gate_state.h"
#include "guarded.h"
#include "worker.h"

#define RETIRING_SECONDS 5  /* between requests */
#define PROXIED_SECONDS 600 /* likewise, of a reverse proxy's */

/* A request has come in part. By the bytes that came since the last look alone it could not be told
 * from the one before, when it begins at once. */
static bool has_begun(const struct conn *conn)
{
    const struct http_guard *guard = conn->guarded ? &conn->guarded->guard : NULL;
    return guard && !guard->unjudged ? !http_guard_rests(guard, conn->watch.completed)
                                     : conn->watch.partial;
}

/* It has had an answer and asks for nothing: it may, later. */
static bool between_requests(const struct conn *conn)
{
    return conn->watch.completed > 0 && !has_begun(conn);
}

/* A reverse proxy keeps its connections for whoever asks next, and has to be the one that closes
 * them: of a request that meets our end on the way it makes a 502. They are few, and nobody's. */
static bool is_kept(const struct conn *conn)
{
    return conn->proxied && (conn->state == CONN_QUIET || between_requests(conn));
}

/* How long the connection may go on as it is, in seconds. Where another gate has taken over, those
 * that only may ask again are not waited for so long. */
static uint32_t patience(const struct conn *conn)
{
    bool retiring = atomic_load(&conn->worker->gate->retiring);
    const struct conf *conf = conn->worker->gate->conf;
    if (atomic_load(&conn->answering))
        return conf->keepalive_seconds;
    if (is_kept(conn))
        return conf->keepalive_seconds > PROXIED_SECONDS ? conf->keepalive_seconds
                                                         : PROXIED_SECONDS;
    if (!between_requests(conn))
        return conf->request_seconds;
    return retiring && conf->keepalive_seconds > RETIRING_SECONDS ? RETIRING_SECONDS
                                                                  : conf->keepalive_seconds;
}

/* A client that does not read what it has asked for holds the connection no longer than one that
 * does not ask: of an answer, a relay's read must go out in that time. */
static bool overdue(struct conn *conn)
{
    uint64_t now = loop_now(conn->worker->loop), up = 0, down = 0;
    unsigned completed = atomic_load(&conn->completed);
    bool answering = atomic_load(&conn->answering);
    if (conn->relay)
        relay_counts(conn->relay, &up, &down);
    if (atomic_load(&conn->busy) || completed != conn->watch.completed ||
        (answering && down != conn->watch.down)) {
        conn->watch.completed = completed;
        conn->watch.up = up;
        conn->watch.down = down;
        conn->watch.since_ms = now;
        conn->watch.partial = false;
    } else if (up != conn->watch.up &&
               !conn->watch.partial) { /* also of what is answered already */
        conn->watch.partial = true;
        conn->watch.since_ms = now;
    }
    return now - conn->watch.since_ms >= patience(conn) * 1000ULL;
}

/* A session ends without a word to the connections on which it was shown, and a request that needs
 * none does not bring it out: whoever is to stay known shows one now and then. */
static void watch_known(struct conn *conn)
{
    const struct gate_state *gate = conn->worker->gate;
    uint64_t now = loop_now(conn->worker->loop);
    if (atomic_exchange(&conn->proved, false))
        conn->watch.proved_ms = now;
    else if (atomic_load(&conn->slot.stage) == ADMIT_KNOWN && !atomic_load(&conn->busy) &&
             now - conn->watch.proved_ms >= gate->conf->keepalive_seconds * 1000ULL)
        admit_stage(gate->admit, &conn->slot, ADMIT_STRANGER);
}

void conn_watch(struct conn *conn)
{
    bool works = atomic_load(&conn->busy) || atomic_load(&conn->answering);
    bool stopping = atomic_load(&conn->worker->gate->draining) && !works;
    if (conn->state == CONN_HTTP) {
        watch_known(conn);
        bool late = overdue(conn);
        if (stopping || (late && atomic_load(&conn->answering)))
            conn_end(conn);
        else if (late && between_requests(conn))
            conn_linger(conn); /* a word now would be taken for the answer to what crosses it */
        else if (late)
            conn_answer(conn, "408 Request Timeout"); /* RFC 9110 section 15.5.9 */
    } else if (conn->state == CONN_QUIET && (stopping || overdue(conn))) {
        conn_linger(conn);
    }
}

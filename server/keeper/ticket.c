#include "ticket.h"

#include "asked.h"
#include "gate_link.h"
#include "gate_password.h"
#include "live.h"
#include "may.h"
#include "opening.h"
#include "record_audit.h"
#include "session.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

static_assert((int)STORE_SETTINGS_SIZE == IPC_SETTINGS_SIZE, "what is stored can be told");

#define OUTCOME_SECONDS 5 /* after the longest dialling, an outcome is written */

/* ---- making ---- */

/* The page is sooner back than the gateway notices that its connection broke. Only what was of the
 * same session and desktop makes room. */
static void let_go(struct keeper *keeper, int64_t visit, int64_t session, int64_t desktop)
{
    struct store_ticket before;
    if (!visit || store_ticket_by_id(keeper->store, visit, &before) != STORE_OK ||
        before.session != session || before.desktop != desktop || !before.tunnel ||
        before.tunnel_ended_at || strcmp(before.way, ipc_way_name(IPC_WAY_CLEANPATH)) != 0)
        return;
    live_replace(keeper, before.tunnel);
    live_replace_elsewhere(keeper, before.tunnel);
}

static enum ipc_status make(struct keeper *keeper, const struct ipc_ticket *ask,
                            struct store_session *session, struct ipc_ticket_made *made)
{
    struct store_desktop desktop;
    unsigned waiting = 0, seconds = ask->way == IPC_WAY_RDG ? TICKET_FILE_SECONDS : TICKET_SECONDS;
    int64_t now = keeper_now();
    enum store_result result = session_find(keeper, ask->token, session);
    enum ipc_status status = asked_granted(keeper, result, ask->desktop, session, &desktop);
    if (status == IPC_OK) {
        let_go(keeper, ask->replaces, session->id, desktop.id);
        struct decision decision;
        struct may_ask may = {.desktop = desktop.id, .address = ask->origin.address};
        status = may_open(keeper, session, may, &decision);
    }
    if (status != IPC_OK && status != IPC_TOO_MANY) /* which is judged when it is used */
        return status;
    if (ask->with_password && !keeper->conf->rdg_passwords)
        return IPC_BUSY; /* the gate may not have heard of it yet */
    result = store_ticket_waiting(keeper->store, session->id, now, &waiting);
    if (result == STORE_OK && waiting >= TICKET_WAITING_MOST)
        return IPC_BUSY;
    struct store_ticket ticket = {.session = session->id,
                                  .desktop = desktop.id,
                                  .created_at = now,
                                  .expires_at = now + seconds,
                                  .address = ask->origin.address};
    randombytes_buf(made->ticket, sizeof(made->ticket));
    session_hash(made->ticket, ticket.hash);
    text_copy(ticket.way, sizeof(ticket.way), ipc_way_name(ask->way));
    if (ask->with_password) { /* which stands for it: the ticket itself is nobody's to know */
        gate_password_make(keeper, session->user_name, made->ticket, &ticket, made->password);
        sodium_memzero(made->ticket, sizeof(made->ticket));
    }
    if (result == STORE_OK)
        result = store_ticket_add(keeper->store, &ticket, &made->visit);
    if (result != STORE_OK)
        return asked_failed(keeper);
    made->seconds = seconds;
    made->same_credentials = desktop.same_credentials;
    made->forbidden = desktop.forbidden;
    if (ask->way == IPC_WAY_RDG)
        text_copy(made->settings, sizeof(made->settings), desktop.rdp_settings);
    text_copy(made->desktop, sizeof(made->desktop), desktop.name);
    text_copy(made->username, sizeof(made->username), session->user_name);
    return IPC_OK;
}

int asked_ticket(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_ticket *ask = &record->ticket;
    struct store_session session = {0};
    struct ipc_ticket_made made;
    if (!asked_origin_ok(&ask->origin) || !asked_desktop_ok(ask->desktop) ||
        (ask->way != IPC_WAY_CLEANPATH && ask->way != IPC_WAY_RDG) || ask->replaces < 0 ||
        (ask->replaces && ask->way != IPC_WAY_CLEANPATH) ||
        (ask->with_password && ask->way != IPC_WAY_RDG))
        return -EPROTO;
    IPC_INIT(&made, TICKET_MADE, ask->head.request);
    made.status = (uint8_t)make(link->keeper, ask, &session, &made);
    if (made.status == IPC_NO_DESKTOP || made.status == IPC_BUSY) /* of somebody who is known */
        record_note(link->keeper, &ask->origin, "ticket",
                    made.status == IPC_BUSY ? "busy" : "not-granted", session.user_name,
                    ask->desktop);
    gate_link_send(link, &made.head, -1);
    sodium_memzero(&made, sizeof(made));
    return 0;
}

/* ---- using ---- */

/* NULL when it fits; otherwise what is wrong with it, for the audit log. */
static const char *fault_of(const struct store_ticket *ticket, const struct ipc_open *ask,
                            const struct store_session *session, int64_t now)
{
    if (ticket->session != session->id)
        return ticket->user == session->user ? "of another session of the same person"
                                             : "of another person's session";
    if (strcasecmp(ticket->desktop_name, ask->desktop) != 0)
        return "made for another desktop";
    if (strcmp(ticket->way, ipc_way_name(ask->way)) != 0)
        return "made for another way in";
    if (ticket->used_at)
        return "used before";
    return ticket->expires_at <= now ? "expired" : NULL;
}

enum ipc_status ticket_use(struct keeper *keeper, const struct ipc_open *ask,
                           const struct store_session *session, int64_t *ticket)
{
    struct store_ticket found;
    uint8_t hash[32];
    int64_t now = keeper_now();
    session_hash(ask->ticket, hash);
    enum store_result result = store_ticket_by_hash(keeper->store, hash, &found);
    if (result == STORE_NONE) { /* rubbish costs nothing to send: written with a limit */
        record_note(keeper, &ask->origin, "ticket-refused", "denied", session->user_name,
                    "unknown");
        return IPC_BAD_TICKET;
    }
    if (result != STORE_OK)
        return asked_failed(keeper);
    const char *fault = fault_of(&found, ask, session, now);
    if (!fault) {
        result = store_ticket_use(keeper->store, found.id, now);
        if (result == STORE_FAILED)
            return asked_failed(keeper);
        if (result != STORE_OK)
            fault = "used before";
    }
    if (fault) {
        record_audit(keeper, &ask->origin, "ticket-refused", "denied", session->user_name,
                     found.desktop_name, fault);
        return IPC_BAD_TICKET;
    }
    *ticket = found.id;
    return IPC_OK;
}

/* ---- tickets in files ---- */

static bool is_among(const char *end, const enum ipc_end *ends, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(end, ipc_end_name(ends[i])) == 0)
            return true;
    }
    return false;
}

/* Still about its sign-in, for all that one can tell. */
static bool is_settling(const struct store_ticket *ticket, int64_t now)
{
    return now - ticket->used_at <= TICKET_AGAIN_SECONDS;
}

/* Whether a tunnel's end leaves its ticket alive: one that nobody wanted, or, for a while, that of
 * either side. */
static bool may_come_back(const struct store_ticket *ticket, const char *end, int64_t now)
{
    static const enum ipc_end drops[] = {IPC_END_CLIENT_LOST, IPC_END_DESKTOP_LOST,
                                         IPC_END_GATE_LOST, IPC_END_STOPPING, IPC_END_SETUP};
    static const enum ipc_end closes[] = {IPC_END_CLIENT, IPC_END_DESKTOP};
    return is_among(end, drops, sizeof(drops) / sizeof(*drops)) ||
           (is_settling(ticket, now) && is_among(end, closes, sizeof(closes) / sizeof(*closes)));
}

/* `from`: who presents it must be where it was made; NULL: may be anywhere. */
static const char *fault_of_file(const struct store_ticket *ticket, const char *desktop,
                                 const struct addr *from, int64_t now)
{
    if (strcmp(ticket->way, ipc_way_name(IPC_WAY_RDG)) != 0)
        return "made for another way in";
    if (desktop && strcasecmp(ticket->desktop_name, desktop) != 0)
        return "made for another desktop";
    if (from && !addr_equal(from, &ticket->address))
        return "of another address";
    if (!ticket->used_at)
        return ticket->expires_at <= now ? "expired" : NULL;
    if (!ticket->tunnel) /* nothing came of it: a desktop that sleeps may wake */
        return is_settling(ticket, now) ? NULL : "used before";
    if (!ticket->tunnel_ended_at)
        return NULL; /* see fault_of_living() */
    if (!may_come_back(ticket, ticket->tunnel_end, now))
        return "used before, and ended";
    return now - ticket->tunnel_ended_at <= TICKET_GRACE_SECONDS ? NULL : "back too late";
}

/* Of one whose tunnel lives: the client is sooner back than its drop is noticed, but not behind an
 * end that is decided and still being carried out. */
static const char *fault_of_living(struct keeper *keeper, const struct store_ticket *ticket)
{
    enum store_tunnel_verdict verdict = STORE_TUNNEL_MAY;
    enum ipc_end end;
    if (live_is_ending(keeper, ticket->tunnel, &end))
        return may_come_back(ticket, ipc_end_name(end), keeper_now()) ? NULL
                                                                      : "used before, and ended";
    if (store_tunnel_verdict(keeper->store, ticket->tunnel, &verdict) == STORE_OK &&
        verdict == STORE_TUNNEL_REQUESTED)
        return "used before, and ended";
    return NULL;
}

static enum ipc_status refuse_file(struct keeper *keeper, const struct ipc_origin *origin,
                                   const struct store_ticket *ticket, const char *fault)
{
    record_note(keeper, origin, "ticket-refused", "denied", ticket ? ticket->user_name : NULL,
                fault);
    return IPC_BAD_TICKET;
}

enum ipc_status ticket_look(struct keeper *keeper, const struct ipc_origin *origin,
                            const uint8_t ticket[IPC_TOKEN_SIZE], const char *desktop,
                            struct store_ticket *out, struct store_session *session)
{
    uint8_t hash[32];
    session_hash(ticket, hash);
    enum store_result result = store_ticket_by_hash(keeper->store, hash, out);
    if (result == STORE_NONE)
        return refuse_file(keeper, origin, NULL, "unknown");
    if (result != STORE_OK)
        return asked_failed(keeper);
    const struct addr *from = keeper->conf->rdg_bind_address ? &origin->address : NULL;
    const char *fault = fault_of_file(out, desktop, from, keeper_now());
    if (!fault && out->tunnel && !out->tunnel_ended_at)
        fault = fault_of_living(keeper, out);
    if (fault)
        return refuse_file(keeper, origin, out, fault);
    result = session_by_id(keeper, out->session, session);
    if (result == STORE_NONE)
        return refuse_file(keeper, origin, out, "its session is over");
    if (result == STORE_REFUSED)
        return refuse_file(keeper, origin, out, "a change of the password is due");
    return result == STORE_OK ? IPC_OK : asked_failed(keeper);
}

enum ipc_status ticket_use_again(struct keeper *keeper, const struct store_ticket *ticket)
{
    if (!ticket->used_at) {
        enum store_result result = store_ticket_use(keeper->store, ticket->id, keeper_now());
        return result == STORE_OK       ? IPC_OK
               : result == STORE_FAILED ? asked_failed(keeper)
                                        : IPC_BAD_TICKET;
    }
    if (ticket->tunnel && !ticket->tunnel_ended_at)
        live_replace(keeper, ticket->tunnel);
    return IPC_OK;
}

int asked_ticket_look(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_ticket_look *ask = &record->ticket_look;
    struct store_ticket ticket;
    struct store_session session;
    struct ipc_ticket_seen seen;
    if (!asked_origin_ok(&ask->origin))
        return -EPROTO;
    IPC_INIT(&seen, TICKET_SEEN, ask->head.request);
    seen.status =
        (uint8_t)ticket_look(link->keeper, &ask->origin, ask->ticket, NULL, &ticket, &session);
    if (seen.status == IPC_OK) {
        struct may_ask may = {.desktop = ticket.desktop, .address = ask->origin.address};
        struct decision decision = {0}; /* whether it may open, the opening is told */
        may_open(link->keeper, &session, may, &decision);
        seen.forbidden = ticket.forbidden;
        seen.idle_seconds = decision.limits.idle_seconds;
    }
    if (seen.status == IPC_OK && !ticket.tunnel_ended_at)
        seen.tunnel = ticket.tunnel;
    gate_link_send(link, &seen.head, -1);
    return 0;
}

/* ---- what became of it ---- */

static enum ipc_status tell(struct keeper *keeper, const struct ipc_visit *ask,
                            struct ipc_visited *visited)
{
    struct store_session session;
    struct store_ticket ticket;
    enum ipc_status status = asked_status(keeper, session_find(keeper, ask->token, &session));
    if (status == IPC_OK)
        status = asked_status_or(keeper, store_ticket_by_id(keeper->store, ask->visit, &ticket),
                                 IPC_NOT_FOUND);
    if (status != IPC_OK)
        return status;
    if (ticket.user != session.user)
        return IPC_NOT_FOUND;
    const char *reason = "";
    if (ticket.tunnel) {
        visited->state = ticket.tunnel_end[0] ? IPC_VISIT_ENDED : IPC_VISIT_OPEN;
        reason = ticket.tunnel_end;
    } else if (ticket.outcome[0]) {
        visited->state = IPC_VISIT_REFUSED;
        reason = ticket.outcome;
    } else if (!ticket.used_at && ticket.expires_at <= keeper_now()) {
        visited->state = IPC_VISIT_REFUSED;
        reason = ipc_status_name(IPC_BAD_TICKET);
    } else if (opening_wakes(keeper, ticket.id)) {
        visited->state = IPC_VISIT_WAKING;
    } else if (ticket.used_at && keeper_now() - ticket.used_at >
                                     (int64_t)keeper->conf->dial_seconds + OUTCOME_SECONDS) {
        visited->state = IPC_VISIT_REFUSED; /* a keeper died over it */
        reason = ipc_status_name(IPC_FAILED);
    } else {
        visited->state = IPC_VISIT_WAITING;
    }
    text_copy(visited->reason, sizeof(visited->reason), reason);
    return IPC_OK;
}

int asked_visit(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_visit *ask = &record->visit;
    struct ipc_visited visited;
    if (!asked_origin_ok(&ask->origin))
        return -EPROTO;
    IPC_INIT(&visited, VISITED, ask->head.request);
    visited.status = (uint8_t)tell(link->keeper, ask, &visited);
    gate_link_send(link, &visited.head, -1);
    return 0;
}

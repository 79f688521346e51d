/* Opening a desktop: whose session, is it granted, dial, ask again (dialling takes seconds), write
 * it down, hand the socket to the gate. */
#include "opening.h"

#include "asked.h"
#include "dial.h"
#include "fd.h"
#include "gate_link.h"
#include "live.h"
#include "log.h"
#include "may.h"
#include "record_audit.h"
#include "session.h"
#include "ticket.h"
#include "wake.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define DIALS_MOST 256       /* under way, for everybody */
#define DIALS_PERSON_MOST 16 /* … and for one person, who may have any number of sessions */
#define DIALS_SESSION_MOST 8 /* … and for one of them */

struct opening {
    struct opening *next;   /* of keeper->openings, while it dials */
    struct gate_link *gate; /* referenced */
    struct ipc_open ask;
    struct store_session session;
    struct store_desktop desktop;
    int64_t ticket;           /* used up for it; 0: none */
    int64_t since;            /* when it began: of a ticket that is used again, its first use */
    int64_t replaces;         /* the live tunnel that this ticket had; 0: none */
    bool waking;              /* the desktop */
    struct decision decision; /* the last one */
};

static void answer_no(struct gate_link *gate, uint32_t request, enum ipc_status status)
{
    struct ipc_opened opened;
    IPC_INIT(&opened, OPENED, request);
    opened.status = (uint8_t)status;
    gate_link_send(gate, &opened.head, -1);
}

static enum ipc_status judge_session(struct keeper *keeper, struct opening *opening)
{
    /* A file's ticket stands for the session that it was made in. */
    if (opening->ask.way == IPC_WAY_RDG)
        return asked_status(keeper, session_by_id(keeper, opening->session.id, &opening->session));
    return asked_status(keeper, session_find(keeper, opening->ask.token, &opening->session));
}

static enum ipc_status judge_grant(struct keeper *keeper, struct opening *opening)
{
    enum ipc_status status = asked_status_or(keeper,
                                             store_granted(keeper->store, opening->session.user,
                                                           opening->ask.desktop, &opening->desktop),
                                             IPC_NO_DESKTOP);
    struct may_ask may = {.desktop = opening->desktop.id,
                          .address = opening->ask.origin.address,
                          .replaces = opening->replaces,
                          .factor_judged = opening->ticket != 0};
    return status != IPC_OK ? status : may_open(keeper, &opening->session, may, &opening->decision);
}

static const char *outcome_of(enum ipc_status status)
{
    switch (status) {
    case IPC_NO_SESSION:
        return "no-session";
    case IPC_NO_DESKTOP:
        return "not-granted";
    case IPC_NOT_NOW:
        return "not-now";
    case IPC_NOT_FROM_HERE:
        return "not-from-here";
    case IPC_TOO_MANY:
        return "too-many";
    case IPC_STALE_FACTOR:
        return "stale-factor";
    case IPC_PASSWORD_DUE:
        return "password-due";
    case IPC_DESKTOP_ASLEEP:
        return "asleep";
    case IPC_DESKTOP_REFUSED:
        return "refused";
    case IPC_DESKTOP_NAME:
        return "no-such-host";
    case IPC_DESKTOP_ADDRESS:
        return "address-denied";
    case IPC_BUSY:
        return "busy";
    default:
        return "failed";
    }
}

/* A ticket that opened nothing. */
static void end_ticket(const struct opening *opening, enum ipc_status status)
{
    /* A file's may be used again. */
    if (opening->ticket &&
        opening->ask.way != IPC_WAY_RDG) /* lost: it is told to have failed, after a while */
        store_ticket_end(opening->gate->keeper->store, opening->ticket, 0, ipc_status_name(status));
}

static void refuse(struct opening *opening, enum ipc_status status)
{
    struct keeper *keeper = opening->gate->keeper;
    const char *who = opening->session.user_name;
    /* What may be caused without limit is written with one; all else is on record. */
    if (status == IPC_NO_SESSION || status == IPC_BUSY)
        record_note(keeper, &opening->ask.origin, "tunnel-open", outcome_of(status), who, NULL);
    else if (status != IPC_BAD_TICKET) /* which has its own row already */
        record_audit(keeper, &opening->ask.origin, "tunnel-open", outcome_of(status), who,
                     opening->ask.desktop,
                     opening->decision.rule == DECISION_ALLOWED ? NULL : opening->decision.words);
    end_ticket(opening, status);
    answer_no(opening->gate, opening->ask.head.request, status);
}

static void opening_free(struct opening *opening)
{
    gate_link_unref(opening->gate);
    sodium_memzero(opening, sizeof(*opening));
    free(opening);
}

/* Seconds until the connection ends at the latest. One that came back after a drop goes on where it
 * was: `since` is when it began. */
static uint32_t absolute_seconds(const struct opening *opening)
{
    int64_t now = keeper_now(), left = opening->session.expires_at - now;
    int64_t most = (int64_t)opening->decision.limits.absolute_seconds;
    if (most && left > opening->since + most - now)
        left = opening->since + most - now;
    return left > 0 ? left > UINT32_MAX ? UINT32_MAX : (uint32_t)left : 1;
}

/* The tunnel's row and the audit's; `*id` is its number. */
static enum store_result write_down(struct keeper *keeper, struct opening *opening, int64_t *id)
{
    struct store_tunnel tunnel = {.session = opening->session.id,
                                  .user = opening->session.user,
                                  .desktop = opening->desktop.id,
                                  .opened_at = keeper_now(),
                                  .address = opening->ask.origin.address};
    text_copy(tunnel.way, sizeof(tunnel.way), ipc_way_name(opening->ask.way));
    text_copy(tunnel.conn, sizeof(tunnel.conn), opening->ask.origin.conn);
    enum store_result result = store_begin(keeper->store);
    if (result == STORE_OK)
        result = store_tunnel_add(keeper->store, &tunnel, id);
    if (result == STORE_OK)
        result = record_audit(keeper, &opening->ask.origin, "tunnel-open", "ok",
                              opening->session.user_name, opening->desktop.name, tunnel.way);
    if (result == STORE_OK && opening->ticket)
        result = store_ticket_end(keeper->store, opening->ticket, *id, "");
    if (result == STORE_OK)
        return store_commit(keeper->store);
    store_rollback(keeper->store);
    return result;
}

static enum ipc_status hand_over(struct opening *opening, int fd)
{
    struct keeper *keeper = opening->gate->keeper;
    struct live *live = calloc(1, sizeof(*live));
    int copy = live ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (copy < 0 || write_down(keeper, opening, &live->tunnel) != STORE_OK) {
        LOG_ERROR("tunnel.open", "a tunnel could not be stored",
                  LOG_TEXT("error", copy < 0 ? strerror(errno) : store_error(keeper->store)));
        fd_close(&copy);
        free(live);
        return IPC_FAILED;
    }
    live_replace_elsewhere(keeper, opening->replaces);
    live->socket = copy;
    live->gate = opening->gate;
    live->way = (enum ipc_way)opening->ask.way;
    live->session = opening->session.id;
    live->user_id = opening->session.user;
    live->desktop_id = opening->desktop.id;
    live_judge_again(keeper, live, opening->decision.again_at);
    live->opened_at = keeper_now();
    live->opened_ms = loop_now(keeper->loop);
    live->since = opening->since;
    live->origin = opening->ask.origin;
    text_copy(live->user, sizeof(live->user), opening->session.user_name);
    text_copy(live->desktop, sizeof(live->desktop), opening->desktop.name);
    live_add(keeper, live);
    struct ipc_opened opened;
    IPC_INIT(&opened, OPENED, opening->ask.head.request);
    opened.status = IPC_OK;
    opened.tunnel = live->tunnel;
    opened.idle_seconds = opening->decision.limits.idle_seconds;
    opened.absolute_seconds = absolute_seconds(opening);
    if (opening->ask.way == IPC_WAY_CLEANPATH)
        text_copy(opened.host, sizeof(opened.host), opening->desktop.host);
    gate_link_send(opening->gate, &opened.head, fd);
    return IPC_OK;
}

/* ---- dialling ---- */

static void dials_add(struct keeper *keeper, struct opening *opening)
{
    opening->next = keeper->openings;
    keeper->openings = opening;
}

static void dials_remove(struct keeper *keeper, struct opening *opening)
{
    struct opening **at = &keeper->openings;
    while (*at && *at != opening)
        at = &(*at)->next;
    if (*at)
        *at = opening->next;
}

static bool dials_full(const struct keeper *keeper, const struct store_session *session)
{
    unsigned all = 0, persons = 0, own = 0;
    for (const struct opening *at = keeper->openings; at; at = at->next) {
        all++;
        persons += at->session.user == session->user;
        own += at->session.id == session->id;
    }
    return all >= DIALS_MOST || persons >= DIALS_PERSON_MOST || own >= DIALS_SESSION_MOST;
}

bool opening_wakes(const struct keeper *keeper, int64_t ticket)
{
    for (const struct opening *at = keeper->openings; at; at = at->next) {
        if (at->ticket == ticket && at->waking)
            return true;
    }
    return false;
}

static void on_waking(void *owner, size_t packets)
{
    struct opening *opening = owner;
    opening->waking = packets > 0;
    record_audit(opening->gate->keeper, &opening->ask.origin, "desktop-wake",
                 packets ? "ok" : "nowhere", opening->session.user_name, opening->desktop.name,
                 packets ? opening->desktop.mac
                         : "its network is not one of this machine's; see [dial] wake_broadcast");
}

/* Others may have come with the same ticket while it was dialled: one tunnel at a time, the newest.
 */
static enum ipc_status judge_ticket_again(struct keeper *keeper, struct opening *opening)
{
    const struct ipc_open *ask = &opening->ask;
    struct store_ticket ticket;
    struct store_session session;
    if (ask->way != IPC_WAY_RDG)
        return IPC_OK;
    enum ipc_status status =
        ticket_look(keeper, &ask->origin, ask->ticket, ask->desktop, &ticket, &session);
    if (status != IPC_OK)
        return status;
    opening->replaces = ticket.tunnel_ended_at ? 0 : ticket.tunnel;
    return ticket_use_again(keeper, &ticket);
}

static void on_dialled(void *owner, enum ipc_status status, int fd)
{
    struct opening *opening = owner;
    struct keeper *keeper = opening->gate->keeper;
    dials_remove(keeper, opening);
    if (opening->gate->gone) {
        end_ticket(opening, IPC_FAILED);
    } else {
        struct store_desktop dialled = opening->desktop;
        if (status == IPC_OK)
            status = judge_session(keeper, opening);
        if (status == IPC_OK)
            status = judge_ticket_again(keeper, opening);
        if (status == IPC_OK)
            status = judge_grant(keeper, opening);
        /* Moved while we dialled: what we hold is no longer that desktop. */
        if (status == IPC_OK && (opening->desktop.port != dialled.port ||
                                 strcmp(opening->desktop.host, dialled.host) != 0))
            status = IPC_NO_DESKTOP;
        if (status == IPC_OK)
            status = hand_over(opening, fd);
        if (status != IPC_OK)
            refuse(opening, status);
    }
    fd_close(&fd);
    opening_free(opening);
}

/* The ticket comes before all that may be refused for other reasons: whoever made it is told them.
 */
static enum ipc_status begin(struct keeper *keeper, struct opening *opening)
{
    const struct ipc_open *ask = &opening->ask;
    struct store_ticket ticket;
    enum ipc_status status = IPC_OK;
    if (ask->way == IPC_WAY_RDG) {
        status = ticket_look(keeper, &ask->origin, ask->ticket, ask->desktop, &ticket,
                             &opening->session);
        opening->ticket = status == IPC_OK ? ticket.id : 0;
        if (status == IPC_OK && ticket.used_at)
            opening->since = ticket.used_at;
        if (status == IPC_OK && !ticket.tunnel_ended_at)
            opening->replaces = ticket.tunnel;
    }
    if (status == IPC_OK)
        status = judge_session(keeper, opening);
    if (status == IPC_OK && ask->way == IPC_WAY_CLEANPATH)
        status = ticket_use(keeper, ask, &opening->session, &opening->ticket);
    if (status == IPC_OK && ask->way == IPC_WAY_RDG)
        status = ticket_use_again(keeper, &ticket);
    if (status == IPC_OK)
        status = judge_grant(keeper, opening);
    if (status == IPC_OK && dials_full(keeper, &opening->session))
        status = IPC_BUSY;
    if (status != IPC_OK)
        return status;
    uint8_t mac[WAKE_MAC_SIZE];
    struct dial_setup setup = {.loop = keeper->loop,
                               .resolvers = keeper->resolvers,
                               .conf = keeper->conf,
                               .host = opening->desktop.host,
                               .port = opening->desktop.port,
                               .done = on_dialled,
                               .owner = opening,
                               .meter = &keeper->meter.dials,
                               .mac = wake_mac(mac, opening->desktop.mac) ? mac : NULL,
                               .waking = on_waking};
    if (dial_start(&setup))
        return IPC_BUSY;
    dials_add(keeper, opening);
    return IPC_OK; /* on_dialled() goes on */
}

int asked_open(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_open *ask = &record->open;
    if (!asked_desktop_ok(ask->desktop) || !asked_origin_ok(&ask->origin) ||
        ask->way > IPC_WAY_CLEANPATH)
        return -EPROTO;
    struct opening *opening = calloc(1, sizeof(*opening));
    if (!opening) {
        answer_no(link, ask->head.request, IPC_FAILED);
        return 0;
    }
    opening->ask = *ask;
    opening->gate = gate_link_ref(link);
    opening->since = keeper_now();
    enum ipc_status status = begin(link->keeper, opening);
    if (status != IPC_OK) {
        refuse(opening, status);
        opening_free(opening);
    }
    return 0;
}

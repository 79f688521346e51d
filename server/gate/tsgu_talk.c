/* Carries out what tsgu_steps.h decides. The keeper is asked twice: whether the ticket is good, as
 * soon as it comes, so that a client can say something useful; and to open the desktop, where it is
 * used. */
#include "tsgu_talk.h"

#include "conn.h"
#include "gate_state.h"
#include "owner.h"
#include "rdg_auth.h"
#include "rdg_pair.h"
#include "refusal.h"
#include "request.h"
#include "talk_ask.h"
#include "tsgu_steps.h"
#include "tunnel.h"
#include "tunnel_order.h"
#include "tunnel_table.h"
#include "worker.h"

#include <stdlib.h>
#include <string.h>

#define STEP_MS 10000     /* for each of the client's packets */
#define CONSENT_MS 120000 /* … while a person reads what to agree to */
#define PATIENCE_MS 30000 /* for the keeper, who may be dialling; and for a desktop to wake */
#define READ_MS 500       /* a refused client reads what it was told before the connection goes */

struct tsgu_talk {
    struct talk talk;
    struct talk_ask ask;
    struct ipc_origin origin;
    struct tsgu_steps steps;
    int64_t renews; /* the ticket's own tunnel, where it is shown again */
};

static struct tsgu_talk *of(struct talk *talk)
{
    return OWNER_OF(talk, struct tsgu_talk, talk);
}

static struct tsgu_talk *of_ask(struct talk_ask *ask)
{
    return OWNER_OF(ask, struct tsgu_talk, ask);
}

static void release(struct talk_ask *ask)
{
    struct tsgu_talk *talk = of_ask(ask);
    explicit_bzero(talk, sizeof(*talk));
    free(talk);
}

static void gone(struct talk *base)
{
    talk_ask_gone(&of(base)->ask);
}

/* ---- carrying out ---- */

static uint32_t patience(const struct tsgu_talk *talk)
{
    bool reads = talk->steps.step == TSGU_STEP_AUTHORISE && talk->steps.consent &&
                 *talk->steps.consent && talk->steps.capabilities & TSGU_CAP_CONSENT;
    return reads ? CONSENT_MS : STEP_MS;
}

static void leave(struct tsgu_talk *talk, const struct tsgu_turn *turn)
{
    if (!turn->size || talk_say(&talk->talk, turn->packet, turn->size))
        talk_close(&talk->talk, turn->todo == TSGU_BREAK ? WS_PROTOCOL_ERROR : WS_NORMAL,
                   turn->todo == TSGU_BREAK ? turn->why : "");
}

static void refuse(struct tsgu_talk *talk, const struct tsgu_turn *turn)
{
    if (!talk->talk.paused)
        talk_pause(&talk->talk);
    if (talk_say(&talk->talk, turn->packet, turn->size))
        talk_wait(&talk->talk, READ_MS);
}

static bool ask_ticket(struct tsgu_talk *talk);
static bool ask_open(struct tsgu_talk *talk);
static void carry_out(struct tsgu_talk *talk, const struct tsgu_turn *turn);

static void ask(struct tsgu_talk *talk, bool open)
{
    struct tsgu_turn turn;
    talk_pause(&talk->talk);
    talk_wait_keeper(&talk->talk, PATIENCE_MS);
    if (open ? ask_open(talk) : ask_ticket(talk))
        return;
    if (open)
        tsgu_steps_opened(&talk->steps, IPC_BUSY, &turn);
    else
        tsgu_steps_seen(&talk->steps, &(struct tsgu_seen){.status = IPC_BUSY}, &turn);
    carry_out(talk, &turn);
}

/* Everything but TSGU_BEGIN, which comes with a desktop. The connection may be gone when it
 * returns. */
static void carry_out(struct tsgu_talk *talk, const struct tsgu_turn *turn)
{
    if (turn->why[0])
        REFUSAL_LOG("tsgu.ended", turn->why, LOG_TEXT("conn", talk->origin.conn));
    if (turn->todo == TSGU_RENEW)
        tunnel_order_renewed(talk->ask.gate, talk->renews);
    switch (turn->todo) {
    case TSGU_RENEW:
    case TSGU_GO_ON:
        if (turn->size && talk_say(&talk->talk, turn->packet, turn->size))
            talk_wait(&talk->talk, patience(talk));
        break;
    case TSGU_ASK_TICKET:
    case TSGU_ASK_OPEN:
        ask(talk, turn->todo == TSGU_ASK_OPEN);
        break;
    case TSGU_REFUSE:
        refuse(talk, turn);
        break;
    default:
        leave(talk, turn);
    }
}

/* ---- the keeper ---- */

/* Whoever has a good ticket is no stranger any more, and may take the time to read what is to be
 * agreed to. */
static void know(struct conn *conn)
{
    admit_stage(conn->worker->gate->admit, &conn->slot, ADMIT_KNOWN);
    if (conn->pair)
        rdg_pair_know(conn->pair);
}

static void on_seen(struct talk_ask *asked)
{
    struct tsgu_talk *talk = of_ask(asked);
    struct conn *conn = talk->talk.conn;
    const struct ipc_ticket_seen *told = &asked->answer->ticket_seen;
    struct tsgu_turn turn;
    struct tsgu_seen seen = {.status = IPC_BUSY};
    if (talk->steps.step != TSGU_STEP_LOOKING) /* too late: the client has had its answer */
        return;
    talk->renews = told->tunnel;
    if (told->head.type == IPC_TICKET_SEEN && told->status == IPC_OK)
        know(conn);
    if (told->head.type == IPC_TICKET_SEEN)
        seen = (struct tsgu_seen){
            told->status, told->forbidden, told->idle_seconds,
            talk->steps.again &&
                tunnel_table_renews(asked->gate->tunnels, told->tunnel, talk->steps.context)};
    tsgu_steps_seen(&talk->steps, &seen, &turn);
    conn_ref(conn); /* carrying out may end it */
    carry_out(talk, &turn);
    if (conn->talk == &talk->talk && turn.todo == TSGU_GO_ON)
        talk_resume(&talk->talk);
    conn_unref(conn);
}

static bool ask_ticket(struct tsgu_talk *talk)
{
    struct ipc_ticket_look look;
    IPC_INIT(&look, TICKET_LOOK, 0);
    look.origin = talk->origin;
    memcpy(look.ticket, talk->steps.ticket, IPC_TOKEN_SIZE);
    bool asked = talk_ask(&talk->ask, &look.head, IPC_TICKET_SEEN, on_seen);
    explicit_bzero(&look, sizeof(look));
    return asked;
}

static void greet(struct conn *conn, uint32_t capabilities)
{
    const struct conf *conf = conn->worker->gate->conf;
    if (!conn->tunnel)
        return;
    if (capabilities & TSGU_CAP_REAUTH)
        tunnel_renews(conn, conf->rdg_reauth_seconds);
    if (!(capabilities & TSGU_CAP_SERVICE_MESSAGE))
        return;
    tunnel_shows_words(conn);
    if (*conf->rdg_message)
        tunnel_tell(conn, conf->rdg_message);
}

static void begin_tunnel(struct tsgu_talk *talk)
{
    struct conn *conn = talk->talk.conn;
    uint8_t *rest = talk->talk.rest;
    size_t size = talk->talk.rest_size;
    bool bare = talk->talk.bare;
    uint32_t capabilities = talk->steps.capabilities;
    talk->talk.rest = NULL;
    conn_ref(conn);
    talk_forget(conn); /* frees `talk` */
    tunnel_begin(conn, bare ? RELAY_RDG : RELAY_RDG_WS, NULL, rest, size);
    greet(conn, capabilities);
    conn_unref(conn);
    free(rest);
}

static void on_opened(struct talk_ask *asked)
{
    struct tsgu_talk *talk = of_ask(asked);
    unsigned status =
        asked->answer->head.type == IPC_OPENED ? asked->answer->opened.status : IPC_BUSY;
    struct tunnel_grant grant;
    struct tsgu_turn turn;
    if (status == IPC_OK && !talk_ask_grant(asked, &grant))
        status = IPC_BUSY;
    if (talk->steps.step != TSGU_STEP_OPENING) { /* too late: the client has had its answer */
        if (status == IPC_OK)
            tunnel_abandon(asked->gate, &grant);
        return;
    }
    if (status == IPC_OK && !tunnel_take(talk->talk.conn, &grant))
        status = IPC_FAILED;
    tsgu_steps_opened(&talk->steps, status, &turn);
    if (turn.todo != TSGU_BEGIN)
        carry_out(talk, &turn);
    else if (talk_say(&talk->talk, turn.packet, turn.size))
        begin_tunnel(talk);
}

static bool ask_open(struct tsgu_talk *talk)
{
    struct ipc_open open;
    IPC_INIT(&open, OPEN, 0);
    open.origin = talk->origin;
    open.way = IPC_WAY_RDG;
    memcpy(open.ticket, talk->steps.ticket, IPC_TOKEN_SIZE);
    text_copy(open.desktop, sizeof(open.desktop), talk->steps.desktop);
    bool asked = talk_ask(&talk->ask, &open.head, IPC_OPENED, on_opened);
    explicit_bzero(&open, sizeof(open));
    return asked;
}

/* ---- the client ---- */

static void late(struct talk *base)
{
    struct tsgu_talk *talk = of(base);
    struct tsgu_turn turn;
    tunnel_fail(base->conn, IPC_END_SETUP);
    tsgu_steps_late(&talk->steps, &turn);
    carry_out(talk, &turn);
}

static void stop(struct talk *base, enum ipc_end end)
{
    uint16_t code;
    const char *words = tunnel_words(end, &code);
    talk_close(base, code, words);
}

static void break_off(struct tsgu_talk *talk, const char *why)
{
    struct tsgu_turn turn = {.todo = TSGU_BREAK, .why = why};
    carry_out(talk, &turn);
}

/* A relay can take over only between two packets and messages, and whoever has no channel yet has
 * nothing to send on it. */
static bool nothing_follows(const struct talk *talk, int size)
{
    return (size_t)size == talk->heard_size && talk_between(talk);
}

static void heard(struct talk *base)
{
    struct tsgu_talk *talk = of(base);
    struct conn *conn = base->conn;
    while (conn->talk == base && !base->paused) {
        struct tsgu_packet packet;
        struct tsgu_turn turn;
        int size = tsgu_packet_read(base->heard, base->heard_size, &packet);
        if (size == 0)
            return;
        if (size < 0) {
            break_off(talk, "not an RD Gateway packet");
            return;
        }
        tsgu_steps_packet(&talk->steps, &packet, &turn);
        if (turn.todo == TSGU_ASK_OPEN && !nothing_follows(base, size)) {
            break_off(talk, "bytes before the channel is there");
            return;
        }
        base->heard_size -= (size_t)size;
        memmove(base->heard, base->heard + size, base->heard_size);
        carry_out(talk, &turn);
    }
}

static void begin(struct talk *base)
{
    talk_wait(base, STEP_MS);
}

struct talk *tsgu_talk_new(const struct request *request, bool bare)
{
    static const struct talk_kind kind = {TSGU_PACKET_MOST, begin, heard, late, stop, gone};
    struct tsgu_talk *talk = calloc(1, sizeof(*talk));
    if (!talk || talk_ask_init(&talk->ask, request->gate, request->conn, release)) {
        free(talk);
        return NULL;
    }
    talk->talk.kind = &kind;
    talk->talk.bare = bare;
    talk->steps.consent = request->gate->conf->rdg_consent;
    talk->steps.renews = request->gate->conf->rdg_reauth_seconds > 0;
    request_origin(request, &talk->origin);
    const uint8_t *reference = rdg_auth_reference(request);
    talk->steps.passed = reference != NULL;
    if (reference)
        memcpy(talk->steps.ticket, reference, sizeof(talk->steps.ticket));
    return &talk->talk;
}

/* In order: handshake, tunnel (with the ticket), authorisation, channel (with the desktop's name).
 * The keeper is asked twice: whether the ticket is good, as soon as it comes, so that a client can
 * say something useful; and to open the desktop, where it is used. */
#include "tsgu_talk.h"

#include "conn.h"
#include "gate_state.h"
#include "log.h"
#include "owner.h"
#include "request.h"
#include "talk_ask.h"
#include "tsgu.h"
#include "tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MS 10000     /* for each of the client's packets */
#define PATIENCE_MS 30000 /* for the keeper, who may be dialling */
#define READ_MS 500       /* a refused client reads what it was told before the connection goes */

enum step { HANDSHAKE, CREATE, AUTHORISE, CHANNEL, OPENING, REFUSED };

struct tsgu_talk {
    struct talk talk;
    struct talk_ask ask;
    struct ipc_origin origin;
    enum step step;
    uint8_t ticket[IPC_TOKEN_SIZE];
    uint32_t idle_seconds;
    int64_t tunnel;
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

/* ---- saying ---- */

/* The client shows the words that belong to the code, once it has read our packet. */
static void refuse(struct tsgu_talk *talk, const uint8_t *packet, size_t size, const char *why)
{
    LOG_INFO("tsgu.refused", why, LOG_TEXT("conn", talk->origin.conn),
             LOG_NUMBER("tunnel", talk->tunnel));
    talk->step = REFUSED;
    if (!talk->talk.paused)
        talk_pause(&talk->talk);
    if (talk_say(&talk->talk, packet, size))
        talk_wait(&talk->talk, READ_MS);
}

static void refuse_tunnel(struct tsgu_talk *talk, uint32_t status, const char *why)
{
    uint8_t packet[TSGU_ANSWER_MOST];
    refuse(talk, packet, tsgu_write_tunnel(packet, status, 0, 0), why);
}

static void refuse_channel(struct tsgu_talk *talk, uint32_t status, const char *why)
{
    uint8_t packet[TSGU_ANSWER_MOST];
    refuse(talk, packet, tsgu_write_channel(packet, status, 0), why);
}

static void late(struct talk *base)
{
    struct tsgu_talk *talk = of(base);
    if (talk->step == REFUSED) {
        talk_close(base, WS_NORMAL, "");
    } else if (talk->step == OPENING) {
        tunnel_fail(base->conn, IPC_END_SETUP);
        refuse_channel(talk, TSGU_E_CONNECT_FAILED, "nobody answered in time");
    } else {
        talk_close(base, WS_GOING_AWAY, "the client said nothing in time");
    }
}

static void stop(struct talk *base, enum ipc_end end)
{
    uint16_t code;
    const char *words = tunnel_words(end, &code);
    talk_close(base, code, words);
}

static void foreign(struct tsgu_talk *talk, const char *why)
{
    LOG_INFO("tsgu.refused", why, LOG_TEXT("conn", talk->origin.conn));
    talk_close(&talk->talk, WS_PROTOCOL_ERROR, why);
}

/* ---- the steps ---- */

/* True: go on reading. False: paused, refused or gone. */
static bool answer(struct tsgu_talk *talk, const uint8_t *packet, size_t size, enum step next)
{
    talk->step = next;
    if (!talk_say(&talk->talk, packet, size))
        return false;
    talk_wait(&talk->talk, STEP_MS);
    return true;
}

static bool on_handshake(struct tsgu_talk *talk, const struct tsgu_packet *packet)
{
    uint8_t reply[TSGU_ANSWER_MOST];
    struct tsgu_handshake handshake;
    if (tsgu_handshake_read(packet, &handshake)) {
        foreign(talk, "not a handshake");
        return false;
    }
    if (!(handshake.extended_auth & TSGU_AUTH_PAA)) {
        refuse(talk, reply, tsgu_write_handshake(reply, TSGU_E_AUTH, TSGU_AUTH_PAA),
               "a client without a ticket");
        return false;
    }
    return answer(talk, reply, tsgu_write_handshake(reply, TSGU_OK, TSGU_AUTH_PAA), CREATE);
}

static void on_seen(struct talk_ask *asked)
{
    struct tsgu_talk *talk = of_ask(asked);
    const struct ipc_ticket_seen *seen = &asked->answer->ticket_seen;
    uint8_t reply[TSGU_ANSWER_MOST];
    if (asked->answer->head.type != IPC_TICKET_SEEN || seen->status == IPC_FAILED) {
        refuse_tunnel(talk, TSGU_E_INTERNAL, "the keeper could not say");
    } else if (seen->status != IPC_OK) {
        refuse_tunnel(talk, TSGU_E_COOKIE_DENIED, "the ticket is not good");
    } else {
        talk->idle_seconds = seen->idle_seconds;
        size_t size = tsgu_write_tunnel(reply, TSGU_OK, 1, TSGU_CAP_IDLE_TIMEOUT);
        if (answer(talk, reply, size, AUTHORISE))
            talk_resume(&talk->talk);
    }
}

static void on_create(struct tsgu_talk *talk, const struct tsgu_packet *packet)
{
    struct tsgu_tunnel_create create;
    struct ipc_ticket_look look;
    if (tsgu_tunnel_create_read(packet, &create)) {
        foreign(talk, "not a proper tunnel request");
        return;
    }
    if (!create.has_cookie || !text_base64url_decode(create.cookie, strlen(create.cookie),
                                                     talk->ticket, IPC_TOKEN_SIZE)) {
        refuse_tunnel(talk, create.has_cookie ? TSGU_E_COOKIE_DENIED : TSGU_E_BAD_COOKIE,
                      "no ticket of ours");
    } else {
        IPC_INIT(&look, TICKET_LOOK, 0);
        look.origin = talk->origin;
        memcpy(look.ticket, talk->ticket, IPC_TOKEN_SIZE);
        talk_pause(&talk->talk);
        talk_wait(&talk->talk, PATIENCE_MS);
        if (!talk_ask(&talk->ask, &look.head, IPC_TICKET_SEEN, on_seen))
            refuse_tunnel(talk, TSGU_E_INTERNAL, "the keeper is busy");
        explicit_bzero(&look, sizeof(look));
    }
    explicit_bzero(&create, sizeof(create));
}

static bool on_authorise(struct tsgu_talk *talk, const struct tsgu_packet *packet)
{
    uint8_t reply[TSGU_ANSWER_MOST];
    char name[TSGU_NAME_SIZE];
    if (tsgu_tunnel_auth_read(packet, name)) {
        foreign(talk, "not a proper authorisation request");
        return false;
    }
    LOG_DEBUG("tsgu.client", name, LOG_TEXT("conn", talk->origin.conn));
    uint32_t minutes = (talk->idle_seconds + 59) / 60;
    return answer(talk, reply, tsgu_write_tunnel_auth(reply, TSGU_OK, TSGU_REDIRECT_ALL, minutes),
                  CHANNEL);
}

static uint32_t code_of(unsigned status)
{
    switch (status) {
    case IPC_BAD_TICKET:
    case IPC_NO_SESSION:
        return TSGU_E_NAP_ACCESS_DENIED;
    case IPC_NO_DESKTOP:
    case IPC_DESKTOP_ADDRESS:
        return TSGU_E_RAP_ACCESS_DENIED;
    case IPC_DESKTOP_ASLEEP:
    case IPC_DESKTOP_REFUSED:
    case IPC_DESKTOP_NAME:
        return TSGU_E_CONNECT_FAILED;
    default:
        return TSGU_E_INTERNAL;
    }
}

static void on_opened(struct talk_ask *asked)
{
    struct tsgu_talk *talk = of_ask(asked);
    const struct ipc_opened *opened = &asked->answer->opened;
    struct conn *conn = talk->talk.conn;
    unsigned status = asked->answer->head.type == IPC_OPENED ? opened->status : IPC_BUSY;
    uint8_t reply[TSGU_ANSWER_MOST];
    struct tunnel_grant grant;
    if (status == IPC_OK && !talk_ask_grant(asked, &grant))
        status = IPC_BUSY;
    if (status == IPC_OK && !tunnel_take(conn, &grant))
        status = IPC_FAILED;
    if (status != IPC_OK) {
        refuse_channel(talk, code_of(status), ipc_status_name(status));
        return;
    }
    talk->tunnel = opened->tunnel;
    if (!talk_say(&talk->talk, reply, tsgu_write_channel(reply, TSGU_OK, 1)))
        return;
    uint8_t *rest = talk->talk.rest;
    size_t size = talk->talk.rest_size;
    talk->talk.rest = NULL;
    talk_forget(conn); /* frees `talk` */
    tunnel_begin(conn, RELAY_RDG_WS, NULL, rest, size);
    free(rest);
}

/* The first name that can be a desktop's; what the client dials is not ours to take from it. */
static bool find_desktop(const struct tsgu_channel_create *create, char to[TEXT_NAME_SIZE])
{
    for (unsigned i = 0; i < create->count; i++) {
        if (text_is_name(create->names[i]))
            return text_copy(to, TEXT_NAME_SIZE, create->names[i]);
    }
    return false;
}

static void on_channel(struct tsgu_talk *talk, const struct tsgu_packet *packet, bool last)
{
    struct tsgu_channel_create create;
    struct ipc_open open;
    IPC_INIT(&open, OPEN, 0);
    if (tsgu_channel_create_read(packet, &create)) {
        foreign(talk, "not a proper channel request");
    } else if (!last || !talk_between(&talk->talk)) {
        foreign(talk, "bytes before the channel is there");
    } else if (!find_desktop(&create, open.desktop)) {
        refuse_channel(talk, TSGU_E_RAP_ACCESS_DENIED, "no desktop's name");
    } else {
        open.origin = talk->origin;
        open.way = IPC_WAY_RDG;
        memcpy(open.ticket, talk->ticket, IPC_TOKEN_SIZE);
        talk->step = OPENING;
        talk_pause(&talk->talk);
        talk_wait(&talk->talk, PATIENCE_MS);
        if (!talk_ask(&talk->ask, &open.head, IPC_OPENED, on_opened))
            refuse_channel(talk, TSGU_E_INTERNAL, "the keeper is busy");
    }
    explicit_bzero(&open, sizeof(open));
}

/* One packet. True: go on with the next. */
static bool take_packet(struct tsgu_talk *talk, const struct tsgu_packet *packet, bool last)
{
    static const unsigned expected[] = {[HANDSHAKE] = TSGU_HANDSHAKE_REQUEST,
                                        [CREATE] = TSGU_TUNNEL_CREATE,
                                        [AUTHORISE] = TSGU_TUNNEL_AUTH,
                                        [CHANNEL] = TSGU_CHANNEL_CREATE};
    if (packet->type == TSGU_KEEPALIVE)
        return true;
    if (packet->type != expected[talk->step]) {
        foreign(talk, "not the packet that comes next");
        return false;
    }
    switch (talk->step) {
    case HANDSHAKE:
        return on_handshake(talk, packet);
    case AUTHORISE:
        return on_authorise(talk, packet);
    case CREATE:
        on_create(talk, packet);
        return false;
    default:
        on_channel(talk, packet, last);
        return false;
    }
}

static void heard(struct talk *base)
{
    struct tsgu_talk *talk = of(base);
    struct conn *conn = base->conn;
    for (;;) {
        struct tsgu_packet packet;
        int size = tsgu_packet_read(base->heard, base->heard_size, &packet);
        if (size == 0)
            return;
        if (size < 0) {
            foreign(talk, "not an RD Gateway packet");
            return;
        }
        bool more = take_packet(talk, &packet, (size_t)size == base->heard_size);
        if (conn->talk != base)
            return;
        base->heard_size -= (size_t)size;
        memmove(base->heard, base->heard + size, base->heard_size);
        if (!more)
            return;
    }
}

static void begin(struct talk *base)
{
    talk_wait(base, STEP_MS);
}

struct talk *tsgu_talk_new(const struct request *request)
{
    static const struct talk_kind kind = {TSGU_PACKET_MOST, begin, heard, late, stop, gone};
    struct tsgu_talk *talk = calloc(1, sizeof(*talk));
    if (!talk || talk_ask_init(&talk->ask, request->gate, request->conn, release)) {
        free(talk);
        return NULL;
    }
    talk->talk.kind = &kind;
    request_origin(request, &talk->origin);
    return &talk->talk;
}

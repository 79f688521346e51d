#include "tsgu_steps.h"

#include <string.h>

/* ---- what is to be done ---- */

static void go_on(struct tsgu_steps *steps, enum tsgu_step next, struct tsgu_turn *turn,
                  size_t size)
{
    steps->step = next;
    turn->todo = TSGU_GO_ON;
    turn->size = size;
}

static void ask(struct tsgu_steps *steps, enum tsgu_step next, enum tsgu_todo todo,
                struct tsgu_turn *turn)
{
    steps->step = next;
    turn->todo = todo;
}

/* The client shows the words that belong to the code, once it has read our packet. */
static void refuse(struct tsgu_steps *steps, struct tsgu_turn *turn, size_t size, const char *why)
{
    steps->step = TSGU_STEP_REFUSED;
    turn->todo = TSGU_REFUSE;
    turn->size = size;
    turn->why = why;
}

static void refuse_tunnel(struct tsgu_steps *steps, struct tsgu_turn *turn, uint32_t status,
                          const char *why)
{
    refuse(steps, turn, tsgu_write_tunnel(turn->packet, status, 0, 0), why);
}

static void refuse_channel(struct tsgu_steps *steps, struct tsgu_turn *turn, uint32_t status,
                           const char *why)
{
    refuse(steps, turn, tsgu_write_channel(turn->packet, status, 0), why);
}

static void break_off(struct tsgu_steps *steps, struct tsgu_turn *turn, const char *why)
{
    steps->step = TSGU_STEP_REFUSED;
    turn->todo = TSGU_BREAK;
    turn->why = why;
}

static void begin_turn(struct tsgu_turn *turn)
{
    turn->todo = TSGU_GO_ON;
    turn->why = "";
    turn->size = 0;
}

/* ---- the packets that come next ---- */

static void on_handshake(struct tsgu_steps *steps, const struct tsgu_packet *packet,
                         struct tsgu_turn *turn)
{
    struct tsgu_handshake handshake;
    if (tsgu_handshake_read(packet, &handshake)) {
        break_off(steps, turn, "not a proper handshake");
        return;
    }
    /* Who has proved a gateway password needs no cookie. */
    uint16_t offer = steps->passed ? 0 : TSGU_AUTH_PAA;
    if (!steps->passed && !(handshake.extended_auth & TSGU_AUTH_PAA))
        refuse(steps, turn, tsgu_write_handshake(turn->packet, TSGU_E_AUTH, offer),
               "a client without a ticket");
    else
        go_on(steps, TSGU_STEP_CREATE, turn, tsgu_write_handshake(turn->packet, TSGU_OK, offer));
}

static void on_create(struct tsgu_steps *steps, const struct tsgu_packet *packet,
                      struct tsgu_turn *turn)
{
    struct tsgu_tunnel_create create;
    if (tsgu_tunnel_create_read(packet, &create)) {
        break_off(steps, turn, "not a proper tunnel request");
        return;
    }
    steps->capabilities = create.capabilities;
    steps->again = create.has_reauth;
    steps->context = create.reauth;
    if (!steps->passed && !create.has_cookie)
        refuse_tunnel(steps, turn, TSGU_E_BAD_COOKIE, "no ticket");
    else if (!steps->passed && !text_base64url_decode(create.cookie, strlen(create.cookie),
                                                      steps->ticket, IPC_TOKEN_SIZE))
        refuse_tunnel(steps, turn, TSGU_E_COOKIE_DENIED, "no ticket of ours");
    else
        ask(steps, TSGU_STEP_LOOKING, TSGU_ASK_TICKET, turn);
    explicit_bzero(&create, sizeof(create));
}

static uint32_t redirection(uint8_t forbidden)
{
    if (forbidden == IPC_FORBID_ALL)
        return TSGU_REDIRECT_NONE;
    return forbidden ? forbidden : TSGU_REDIRECT_ALL;
}

static void on_authorise(struct tsgu_steps *steps, const struct tsgu_packet *packet,
                         struct tsgu_turn *turn)
{
    if (tsgu_tunnel_auth_read(packet, steps->machine)) {
        break_off(steps, turn, "not a proper authorisation request");
        return;
    }
    uint32_t idle = steps->seen.idle_seconds, minutes = idle / 60 + (idle % 60 != 0);
    go_on(
        steps, steps->again ? TSGU_STEP_RENEWED : TSGU_STEP_CHANNEL, turn,
        tsgu_write_tunnel_auth(turn->packet, TSGU_OK, redirection(steps->seen.forbidden), minutes));
    if (steps->again)
        turn->todo = TSGU_RENEW;
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

static void on_channel(struct tsgu_steps *steps, const struct tsgu_packet *packet,
                       struct tsgu_turn *turn)
{
    struct tsgu_channel_create create;
    if (tsgu_channel_create_read(packet, &create))
        break_off(steps, turn, "not a proper channel request");
    else if (!find_desktop(&create, steps->desktop))
        refuse_channel(steps, turn, TSGU_E_RAP_ACCESS_DENIED, "no desktop's name");
    else
        ask(steps, TSGU_STEP_OPENING, TSGU_ASK_OPEN, turn);
}

void tsgu_steps_packet(struct tsgu_steps *steps, const struct tsgu_packet *packet,
                       struct tsgu_turn *turn)
{
    static const struct {
        unsigned type;
        void (*take)(struct tsgu_steps *, const struct tsgu_packet *, struct tsgu_turn *);
    } next[TSGU_STEPS] = {
        [TSGU_STEP_HANDSHAKE] = {TSGU_HANDSHAKE_REQUEST, on_handshake},
        [TSGU_STEP_CREATE] = {TSGU_TUNNEL_CREATE, on_create},
        [TSGU_STEP_AUTHORISE] = {TSGU_TUNNEL_AUTH, on_authorise},
        [TSGU_STEP_CHANNEL] = {TSGU_CHANNEL_CREATE, on_channel},
    };
    begin_turn(turn);
    if (packet->type == TSGU_KEEPALIVE)
        return;
    if (packet->type == TSGU_CLOSE_CHANNEL) {
        steps->step = TSGU_STEP_REFUSED;
        turn->todo = TSGU_LEAVE;
        turn->size = tsgu_write_close(turn->packet, true, TSGU_OK);
        turn->why = "the client closed";
    } else if (next[steps->step].take && packet->type == next[steps->step].type) {
        next[steps->step].take(steps, packet, turn);
    } else {
        break_off(steps, turn, "not the packet that comes next");
    }
}

/* ---- the keeper's answers ---- */

/* What the client and we can do. */
static uint32_t common(const struct tsgu_steps *steps)
{
    uint32_t ours = TSGU_CAP_IDLE_TIMEOUT | TSGU_CAP_SERVICE_MESSAGE;
    if (steps->consent && *steps->consent)
        ours |= TSGU_CAP_CONSENT & steps->capabilities;
    if (steps->renews)
        ours |= TSGU_CAP_REAUTH;
    return ours;
}

void tsgu_steps_seen(struct tsgu_steps *steps, const struct tsgu_seen *seen, struct tsgu_turn *turn)
{
    begin_turn(turn);
    if (steps->step != TSGU_STEP_LOOKING) /* too late: the client has had its answer */
        return;
    if (seen->status == IPC_BAD_TICKET) {
        refuse_tunnel(steps, turn, TSGU_E_COOKIE_DENIED, "the ticket is not good");
        return;
    }
    if (seen->status != IPC_OK) {
        refuse_tunnel(steps, turn, TSGU_E_INTERNAL, "the keeper could not say");
        return;
    }
    if (steps->again && !seen->context_fits) {
        refuse_tunnel(steps, turn, TSGU_E_REAUTH, "the context of no tunnel of this ticket");
        return;
    }
    steps->seen = *seen;
    uint32_t ours = common(steps);
    bool asked = ours & TSGU_CAP_CONSENT && !steps->again;
    go_on(steps, TSGU_STEP_AUTHORISE, turn,
          asked ? tsgu_write_tunnel_consent(turn->packet, 1, ours, steps->consent)
                : tsgu_write_tunnel(turn->packet, TSGU_OK, 1, ours));
}

static uint32_t code_of(unsigned status)
{
    switch (status) {
    case IPC_BAD_TICKET:
    case IPC_NO_SESSION:
    case IPC_PASSWORD_DUE:
        return TSGU_E_NAP_ACCESS_DENIED;
    case IPC_NO_DESKTOP:
    case IPC_NOT_NOW:
    case IPC_NOT_FROM_HERE:
    case IPC_STALE_FACTOR:
    case IPC_DESKTOP_ADDRESS:
        return TSGU_E_RAP_ACCESS_DENIED;
    case IPC_TOO_MANY:
        return TSGU_E_MAX_CONNECTIONS;
    case IPC_DESKTOP_ASLEEP:
    case IPC_DESKTOP_REFUSED:
    case IPC_DESKTOP_NAME:
        return TSGU_E_CONNECT_FAILED;
    default:
        return TSGU_E_INTERNAL;
    }
}

void tsgu_steps_opened(struct tsgu_steps *steps, unsigned status, struct tsgu_turn *turn)
{
    begin_turn(turn);
    if (steps->step != TSGU_STEP_OPENING)
        return;
    if (status != IPC_OK) {
        refuse_channel(steps, turn, code_of(status), ipc_status_name(status));
        return;
    }
    steps->step = TSGU_STEP_OPEN;
    turn->todo = TSGU_BEGIN;
    turn->size = tsgu_write_channel(turn->packet, TSGU_OK, 1);
}

void tsgu_steps_late(struct tsgu_steps *steps, struct tsgu_turn *turn)
{
    begin_turn(turn);
    switch (steps->step) {
    case TSGU_STEP_LOOKING:
        refuse_tunnel(steps, turn, TSGU_E_INTERNAL, "the keeper did not say in time");
        break;
    case TSGU_STEP_OPENING:
        refuse_channel(steps, turn, TSGU_E_CONNECT_FAILED, "nobody answered in time");
        break;
    case TSGU_STEP_RENEWED:
    case TSGU_STEP_REFUSED:
        turn->todo = TSGU_LEAVE;
        break;
    default:
        break_off(steps, turn, "the client said nothing in time");
    }
}

/* In order: the client's one PDU (ticket, desktop, X.224 request); the keeper judges the ticket and
 * dials; X.224 and TLS with the desktop; the keeper judges its certificate; our answer; the tunnel.
 *
 * The client's own words name no host and decide nothing: the ticket does, and the desktop's name
 * must be the one that it was made for. */
#include "cleanpath_talk.h"

#include "cleanpath.h"
#include "conn.h"
#include "desktop_hello.h"
#include "desktop_tls.h"
#include "gate_state.h"
#include "owner.h"
#include "refusal.h"
#include "request.h"
#include "talk_ask.h"
#include "tunnel.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REQUEST_MS 10000  /* for the client's PDU */
#define HELLO_MS 10000    /* for the desktop's X.224 and TLS */
#define PATIENCE_MS 30000 /* for everything after the PDU but waking, should all else hang */
#define ANSWER_MOST 65536 /* our PDU: a chain of certificates; a longer one is refused */
#define CHAIN_MOST 8      /* certificates that the client gets */

struct cleanpath_talk {
    struct talk talk;
    struct talk_ask ask;
    uint8_t token[IPC_TOKEN_SIZE];
    struct ipc_origin origin;
    uint8_t x224[X224_REQUEST_MOST];
    size_t x224_size;
    char host[IPC_HOST_SIZE];
    int64_t tunnel; /* 0: none yet */
    struct desktop_hello hello;
};

static struct cleanpath_talk *of(struct talk *talk)
{
    return OWNER_OF(talk, struct cleanpath_talk, talk);
}

static struct cleanpath_talk *of_ask(struct talk_ask *ask)
{
    return OWNER_OF(ask, struct cleanpath_talk, ask);
}

static void release(struct talk_ask *ask)
{
    struct cleanpath_talk *talk = of_ask(ask);
    explicit_bzero(talk, sizeof(*talk));
    free(talk);
}

static void gone(struct talk *base)
{
    struct cleanpath_talk *talk = of(base);
    desktop_hello_stop(&talk->hello);
    talk_ask_gone(&talk->ask);
}

/* ---- refusing ---- */

/* What the browser's client can tell apart; the page asks our API for the rest. WSA codes and TLS
 * alerts are what it has words for. */
struct cleanpath_error cleanpath_talk_error(unsigned status)
{
    switch (status) {
    case IPC_NO_SESSION:
        return (struct cleanpath_error){.code = CLEANPATH_GENERAL, .http_status = 401};
    case IPC_PASSWORD_DUE:
    case IPC_NOT_NOW:
    case IPC_NOT_FROM_HERE:
    case IPC_TOO_MANY:
    case IPC_STALE_FACTOR:
    case IPC_BAD_TICKET:
    case IPC_DESKTOP_ADDRESS:
        return (struct cleanpath_error){.code = CLEANPATH_GENERAL, .http_status = 403};
    case IPC_NO_DESKTOP:
        return (struct cleanpath_error){.code = CLEANPATH_GENERAL, .http_status = 404};
    case IPC_BUSY:
    case IPC_THROTTLED:
        return (struct cleanpath_error){.code = CLEANPATH_GENERAL, .http_status = 503};
    case IPC_DESKTOP_ASLEEP:
        return (struct cleanpath_error){.code = CLEANPATH_GENERAL, .wsa = CLEANPATH_WSA_TIMED_OUT};
    case IPC_DESKTOP_REFUSED:
        return (struct cleanpath_error){.code = CLEANPATH_GENERAL, .wsa = CLEANPATH_WSA_REFUSED};
    case IPC_DESKTOP_NAME:
        return (struct cleanpath_error){.code = CLEANPATH_GENERAL,
                                        .wsa = CLEANPATH_WSA_HOST_NOT_FOUND};
    case IPC_CERTIFICATE_CHANGED:
        return (struct cleanpath_error){.code = CLEANPATH_GENERAL,
                                        .tls_alert = GNUTLS_A_CERTIFICATE_UNKNOWN};
    case IPC_CERTIFICATE_UNTRUSTED:
        return (struct cleanpath_error){.code = CLEANPATH_GENERAL,
                                        .tls_alert = GNUTLS_A_UNKNOWN_CA};
    default:
        return (struct cleanpath_error){.code = CLEANPATH_GENERAL, .http_status = 500};
    }
}

static const struct log_field nothing[2];

/* `why`: two fields more for the log; those without a key are none. */
static void refuse(struct cleanpath_talk *talk, const struct cleanpath_error *error,
                   struct cleanpath_view x224, const char *words, const struct log_field why[2])
{
    uint8_t pdu[CLEANPATH_ERROR_MOST];
    size_t size = cleanpath_write_error(pdu, sizeof(pdu), error, x224);
    REFUSAL_LOG("cleanpath.refused", words, LOG_TEXT("conn", talk->origin.conn),
                LOG_NUMBER("tunnel", talk->tunnel), why[0], why[1]);
    if (talk_say(&talk->talk, pdu, size))
        talk_close(&talk->talk, WS_NORMAL, words);
}

static void refuse_status(struct cleanpath_talk *talk, unsigned status)
{
    struct cleanpath_error error = cleanpath_talk_error(status);
    refuse(talk, &error, (struct cleanpath_view){0}, ipc_status_name(status), nothing);
}

static void late(struct talk *base)
{
    struct cleanpath_talk *talk = of(base);
    if (!base->paused) {
        talk_close(base, WS_GOING_AWAY, "the request did not come in time");
        return;
    }
    tunnel_fail(base->conn, IPC_END_SETUP);
    refuse_status(talk, IPC_DESKTOP_ASLEEP);
}

static void stop(struct talk *base, enum ipc_end end)
{
    uint16_t code;
    const char *words = tunnel_words(end, &code);
    talk_close(base, code, words);
}

static void ask(struct cleanpath_talk *talk, struct ipc_head *record, enum ipc_type expected,
                void (*answered)(struct talk_ask *ask))
{
    if (!talk_ask(&talk->ask, record, expected, answered))
        refuse_status(talk, IPC_BUSY);
}

/* ---- the answer ---- */

static size_t write_answer(const struct cleanpath_talk *talk, uint8_t *to)
{
    struct cleanpath_view chain[CHAIN_MOST];
    char address[ADDR_TEXT_SIZE] = "";
    struct sockaddr_storage name;
    socklen_t name_size = sizeof(name);
    struct addr desktop;
    unsigned count = 0;
    const gnutls_datum_t *peers = gnutls_certificate_get_peers(talk->hello.tls->session, &count);
    if (count > CHAIN_MOST)
        count = CHAIN_MOST;
    for (unsigned i = 0; i < count; i++)
        chain[i] = (struct cleanpath_view){peers[i].data, peers[i].size};
    if (getpeername(talk->hello.fd, (struct sockaddr *)&name, &name_size) == 0 &&
        addr_from_sockaddr(&desktop, (struct sockaddr *)&name))
        addr_text(&desktop, address);
    return cleanpath_write_answer(
        to, ANSWER_MOST, (struct cleanpath_view){talk->hello.confirm, talk->hello.confirm_size},
        chain, count, address);
}

/* Everything is as it should be: our PDU, and the tunnel has the connection. */
static void begin_tunnel(struct cleanpath_talk *talk)
{
    struct conn *conn = talk->talk.conn;
    uint8_t *pdu = malloc(ANSWER_MOST);
    size_t size = pdu ? write_answer(talk, pdu) : 0;
    bool said = size && talk_say(&talk->talk, pdu, size);
    free(pdu);
    if (!size) {
        tunnel_fail(conn, IPC_END_DESKTOP_TLS);
        refuse_status(talk, IPC_FAILED);
    }
    if (!said)
        return;
    struct stream_tls *tls = talk->hello.tls;
    uint8_t *rest = talk->talk.rest;
    size_t rest_size = talk->talk.rest_size;
    talk->hello.tls = NULL;
    talk->talk.rest = NULL;
    talk_forget(conn); /* frees `talk` */
    tunnel_begin(conn, RELAY_WS_SERVER, tls, rest, rest_size);
    free(rest);
}

static void on_judged(struct talk_ask *asked)
{
    struct cleanpath_talk *talk = of_ask(asked);
    unsigned status = asked->answer->head.type == IPC_CERTIFICATE_JUDGED
                          ? asked->answer->certificate_judged.status
                          : IPC_FAILED;
    if (status == IPC_OK) {
        begin_tunnel(talk);
        return;
    }
    tunnel_fail(talk->talk.conn, status == IPC_CERTIFICATE_CHANGED ? IPC_END_CERTIFICATE_CHANGED
                                 : status == IPC_CERTIFICATE_UNTRUSTED
                                     ? IPC_END_CERTIFICATE_UNTRUSTED
                                     : IPC_END_SETUP);
    refuse_status(talk, status);
}

/* ---- the desktop ---- */

static void ask_about_certificate(struct cleanpath_talk *talk)
{
    gnutls_session_t session = talk->hello.tls->session;
    struct ipc_certificate record;
    IPC_INIT(&record, CERTIFICATE, 0);
    record.tunnel = talk->tunnel;
    record.verified = desktop_tls_verified(talk->ask.gate->desktop_tls, session, talk->host);
    if (desktop_tls_fingerprint(session, record.fingerprint)) {
        ask(talk, &record.head, IPC_CERTIFICATE_JUDGED, on_judged);
        return;
    }
    tunnel_fail(talk->talk.conn, IPC_END_DESKTOP_TLS);
    refuse_status(talk, IPC_FAILED);
}

/* What the client and the log are told of a hello that failed. */
static void explain(const struct desktop_hello *hello, enum desktop_hello_end end,
                    struct cleanpath_error *error, struct log_field why[2])
{
    *error = (struct cleanpath_error){.code = CLEANPATH_GENERAL};
    if (end == DESKTOP_HELLO_REFUSED) {
        error->code = CLEANPATH_NEGOTIATION;
        why[0] = LOG_NUMBER("failure", hello->failure);
        return;
    }
    bool late = end == DESKTOP_HELLO_LATE;
    if (end == DESKTOP_HELLO_TLS) {
        late = hello->tls_code == GNUTLS_E_TIMEDOUT;
        why[0] = LOG_TEXT("tls", gnutls_strerror_name(hello->tls_code));
        if (hello->alert)
            why[1] = LOG_NUMBER("alert", hello->alert);
        error->tls_alert = hello->alert;
    }
    if (!error->tls_alert)
        error->wsa = late ? CLEANPATH_WSA_TIMED_OUT : CLEANPATH_WSA_RESET;
}

static void on_hello(struct desktop_hello *hello, enum desktop_hello_end end)
{
    static const struct {
        enum ipc_end end;
        const char *words;
    } table[] = {
        [DESKTOP_HELLO_LOST] = {IPC_END_DESKTOP_LOST, "the desktop closed the connection"},
        [DESKTOP_HELLO_LATE] = {IPC_END_SETUP, "the desktop does not answer"},
        [DESKTOP_HELLO_FOREIGN] = {IPC_END_NEGOTIATION, "what answers there is no RDP server"},
        [DESKTOP_HELLO_REFUSED] = {IPC_END_NEGOTIATION,
                                   "the desktop agrees on no protocol with TLS"},
        [DESKTOP_HELLO_TLS] = {IPC_END_DESKTOP_TLS, "TLS with the desktop failed"},
    };
    struct cleanpath_talk *talk = OWNER_OF(hello, struct cleanpath_talk, hello);
    struct cleanpath_error error;
    struct cleanpath_view x224 = {0};
    struct log_field why[2] = {0};
    if (end == DESKTOP_HELLO_OK) {
        ask_about_certificate(talk);
        return;
    }
    explain(hello, end, &error, why);
    if (end == DESKTOP_HELLO_REFUSED)
        x224 = (struct cleanpath_view){hello->confirm, hello->confirm_size};
    tunnel_fail(talk->talk.conn, table[end].end);
    refuse(talk, &error, x224, table[end].words, why);
}

static void on_opened(struct talk_ask *asked)
{
    struct cleanpath_talk *talk = of_ask(asked);
    const struct ipc_opened *opened = &asked->answer->opened;
    struct conn *conn = talk->talk.conn;
    unsigned status = asked->answer->head.type == IPC_OPENED ? opened->status : IPC_BUSY;
    struct tunnel_grant grant;
    if (status == IPC_OK && !talk_ask_grant(asked, &grant))
        status = IPC_BUSY;
    if (status == IPC_OK && !tunnel_take(conn, &grant))
        status = IPC_FAILED;
    if (status != IPC_OK) {
        refuse_status(talk, status);
        return;
    }
    talk->tunnel = opened->tunnel;
    text_copy(talk->host, sizeof(talk->host), opened->host);
    talk->hello = (struct desktop_hello){.done = on_hello,
                                         .loop = conn->worker->loop,
                                         .scratch = conn->worker->scratch,
                                         .desktop_tls = asked->gate->desktop_tls,
                                         .fd = conn->far,
                                         .host = talk->host};
    if (desktop_hello_begin(&talk->hello, talk->x224, talk->x224_size, HELLO_MS))
        on_hello(&talk->hello, DESKTOP_HELLO_LOST);
}

/* ---- the client's request ---- */

static bool read_request(struct cleanpath_talk *talk, struct ipc_open *record, size_t size)
{
    struct cleanpath_request request;
    if (cleanpath_request_read(talk->talk.heard, size, &request) ||
        !x224_request_ok(request.x224.data, request.x224.size))
        return false;
    memcpy(talk->x224, request.x224.data, request.x224.size);
    talk->x224_size = request.x224.size;
    if (request.destination.size >= sizeof(record->desktop))
        return false;
    memcpy(record->desktop, request.destination.data, request.destination.size);
    return text_is_name(record->desktop) &&
           text_base64url_decode((const char *)request.proxy_auth.data, request.proxy_auth.size,
                                 record->ticket, IPC_TOKEN_SIZE);
}

static void heard(struct talk *base)
{
    struct cleanpath_talk *talk = of(base);
    struct ipc_open record;
    int size = cleanpath_request_size(base->heard, base->heard_size);
    if (size == 0)
        return;
    IPC_INIT(&record, OPEN, 0);
    record.origin = talk->origin;
    record.way = IPC_WAY_CLEANPATH;
    memcpy(record.token, talk->token, IPC_TOKEN_SIZE);
    /* One PDU and no byte more: the client has nothing to say before our answer. */
    if (size < 0 || (size_t)size != base->heard_size || !talk_between(base) ||
        !read_request(talk, &record, (size_t)size)) {
        refuse(talk, &(struct cleanpath_error){.code = CLEANPATH_GENERAL, .http_status = 400},
               (struct cleanpath_view){0}, "not a proper RDCleanPath request", nothing);
    } else {
        talk_pause(base);
        talk_wait_keeper(base, PATIENCE_MS);
        ask(talk, &record.head, IPC_OPENED, on_opened);
    }
    explicit_bzero(&record, sizeof(record));
}

static void begin(struct talk *base)
{
    talk_wait(base, REQUEST_MS);
}

struct talk *cleanpath_talk_new(const struct request *request)
{
    static const struct talk_kind kind = {CLEANPATH_REQUEST_MOST, begin, heard, late, stop, gone};
    struct cleanpath_talk *talk = calloc(1, sizeof(*talk));
    if (!talk || talk_ask_init(&talk->ask, request->gate, request->conn, release)) {
        free(talk);
        return NULL;
    }
    talk->talk.kind = &kind;
    memcpy(talk->token, request->token, IPC_TOKEN_SIZE);
    request_origin(request, &talk->origin);
    return &talk->talk;
}

/* NTLM over HTTP, RFC 4559 section 4 without SPNEGO: a client says who it is in a message, is
 * challenged in a 401, and proves itself in a second message on the same connection. FreeRDP 3
 * does the same under the name of Negotiate. Basic shows the password itself.
 *
 * Both are for gateway passwords and nothing else: whoever shows the password that he signs in with
 * is denied, like anybody else. Where none are offered, NTLM is heard out and not judged: FreeRDP
 * says why it was turned away only when that comes in the conversation. */
#include "rdg_auth.h"

#include "answer.h"
#include "conn.h"
#include "gate_state.h"
#include "ntlm.h"
#include "rdg_proof.h"
#include "refusal.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DENIALS_MOST 3 /* then the connection goes, too */
#define CODED_MOST ((NTLM_MESSAGE_MOST + 2) / 3 * 4)

struct rdg_identity {
    bool challenged; /* and has not answered yet */
    bool passed;
    unsigned denials;
    uint8_t challenge[NTLM_SERVER_CHALLENGE_SIZE];
    uint8_t reference[IPC_TOKEN_SIZE];
};

enum scheme { NO_SCHEME, OTHER_SCHEME, BASIC, NTLM, NEGOTIATE };

static const char *const names[] = {
    [BASIC] = "Basic",
    [NTLM] = "NTLM",
    [NEGOTIATE] = "Negotiate",
};

static enum scheme scheme_of(const struct request *request, const char **rest)
{
    const char *text = request_header(request, "Authorization");
    if (!text)
        return NO_SCHEME;
    for (enum scheme i = BASIC; i <= NEGOTIATE; i++) {
        size_t length = strlen(names[i]);
        if (strncasecmp(text, names[i], length) != 0 || text[length] != ' ')
            continue;
        *rest = text + length + strspn(text + length, " ");
        return i;
    }
    return OTHER_SCHEME;
}

/* ---- 401 ---- */

static struct MHD_Response *unauthorized(const struct request *request, const char *words)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(words), (void *)(uintptr_t)words, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return NULL;
    MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
    answer_headers(request, response);
    return response;
}

static enum rdg_auth answered(enum MHD_Result *result, enum MHD_Result with)
{
    *result = with;
    return RDG_AUTH_ANSWERED;
}

/* What may be shown. Negotiate is not named: clients would take it for Kerberos. */
static enum rdg_auth ask_who(struct request *request, enum MHD_Result *result)
{
    struct MHD_Response *response = unauthorized(
        request,
        "Open an .rdp file of your portal, or sign in with a gateway password from there.\n");
    const struct rdg_identity *identity = request->conn->rdg;
    if (response) {
        if (!request->conn->proxied)
            MHD_add_response_header(response, "WWW-Authenticate", "NTLM");
        MHD_add_response_header(response, "WWW-Authenticate", "Basic realm=\"deskgate\"");
    }
    if (response && identity && identity->denials >= DENIALS_MOST)
        MHD_add_response_header(response, "Connection", "close");
    return answered(result, answer_queue(request, MHD_HTTP_UNAUTHORIZED, response));
}

static enum rdg_auth deny(struct request *request, const char *why, enum MHD_Result *result)
{
    request->conn->rdg->denials++;
    REFUSAL_LOG("rdg.denied", why, LOG_TEXT("conn", request->conn->id));
    return ask_who(request, result);
}

/* 100 ns since 1601, as NTLM counts. */
static uint64_t filetime(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_sec + 11644473600ULL) * 10000000ULL + (uint64_t)now.tv_nsec / 100;
}

static enum rdg_auth challenge(struct request *request, enum scheme scheme, uint32_t flags,
                               enum MHD_Result *result)
{
    struct rdg_identity *identity = request->conn->rdg;
    uint8_t message[NTLM_CHALLENGE_MOST];
    char text[16 + (NTLM_CHALLENGE_MOST + 2) / 3 * 4];
    if (gnutls_rnd(GNUTLS_RND_NONCE, identity->challenge, sizeof(identity->challenge)) < 0)
        return answered(result, answer_status(request, IPC_FAILED, 0));
    identity->challenged = true;
    size_t size = ntlm_challenge_write(message, flags, identity->challenge,
                                       request->gate->conf->name, filetime());
    int length = snprintf(text, sizeof(text), "%s ", names[scheme]);
    text_base64(text + length, message, size);
    struct MHD_Response *response = unauthorized(request, "");
    if (response)
        MHD_add_response_header(response, "WWW-Authenticate", text);
    return answered(result, answer_queue(request, MHD_HTTP_UNAUTHORIZED, response));
}

/* ---- what was shown ---- */

/* A challenge is good for one answer, and what was proved before is over. */
static void begin_anew(struct rdg_identity *identity)
{
    identity->passed = false;
    identity->challenged = false;
    explicit_bzero(identity->reference, sizeof(identity->reference));
}

/* NULL, or what is wrong. A client that does not say what it takes us for is not refused: older
 * ones do not. */
static const char *read_proof(struct request *request, struct ipc_pass *pass,
                              const gnutls_datum_t *message)
{
    const uint8_t *bindings = NULL;
    const char *wrong = rdg_proof_ntlm(pass, request->conn->rdg->challenge, message->data,
                                       message->size, &bindings);
    if (!wrong && bindings && !creds_bound(request->gate->creds, bindings))
        wrong = "the client sees another certificate than ours: somebody opens its TLS on the way";
    return wrong;
}

static enum rdg_auth ask_keeper(struct request *request, enum scheme scheme,
                                const gnutls_datum_t *message, enum MHD_Result *result)
{
    struct ipc_pass pass;
    IPC_INIT(&pass, PASS, 0);
    request_origin(request, &pass.origin);
    const char *wrong = scheme == BASIC ? rdg_proof_basic(&pass, message->data, message->size)
                                        : read_proof(request, &pass, message);
    enum rdg_auth verdict = wrong ? deny(request, wrong, result)
                                  : answered(result, request_ask(request, &pass.head, IPC_PASSED));
    explicit_bzero(&pass, sizeof(pass));
    return verdict;
}

static enum rdg_auth show(struct request *request, enum scheme scheme,
                          const gnutls_datum_t *message, enum MHD_Result *result)
{
    bool challenged = request->conn->rdg->challenged;
    uint32_t flags;
    begin_anew(request->conn->rdg);
    if (scheme == BASIC)
        return ask_keeper(request, scheme, message, result);
    switch (ntlm_type(message->data, message->size)) {
    case NTLM_NEGOTIATE:
        return ntlm_negotiate_read(message->data, message->size, &flags)
                   ? challenge(request, scheme, flags, result)
                   : deny(request, "no proper NTLM message", result);
    case NTLM_AUTHENTICATE:
        if (!request->gate->conf->rdg_passwords)
            return RDG_AUTH_OPEN;
        if (request->conn->proxied)
            return deny(request, "NTLM through a reverse proxy, whose connection is many people's",
                        result);
        return challenged ? ask_keeper(request, scheme, message, result)
                          : deny(request, "an answer to no challenge", result);
    default:
        return deny(request, "not NTLM", result);
    }
}

static enum rdg_auth read_shown(struct request *request, enum scheme scheme, const char *text,
                                enum MHD_Result *result)
{
    gnutls_datum_t coded = {(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)}; /* read */
    gnutls_datum_t message;
    if (coded.size > CODED_MOST || gnutls_base64_decode2(&coded, &message) < 0)
        return deny(request, "not base64", result);
    enum rdg_auth verdict = show(request, scheme, &message, result);
    explicit_bzero(message.data, message.size);
    gnutls_free(message.data);
    return verdict;
}

/* The keeper has answered. */
static enum rdg_auth settle(struct request *request, enum MHD_Result *result)
{
    struct rdg_identity *identity = request->conn->rdg;
    const struct ipc_passed *answer = &request->answer->passed;
    unsigned status = answer->head.type == IPC_PASSED ? answer->status : IPC_BUSY;
    if (status == IPC_DENIED)
        return deny(request, "not a gateway password", result);
    if (status != IPC_OK)
        return answered(result, answer_status(request, status, 1));
    memcpy(identity->reference, answer->ticket, sizeof(identity->reference));
    identity->passed = true;
    return RDG_AUTH_PASSED;
}

/* ---- in order ---- */

static bool brings_ticket(const struct request *request)
{
    const char *scheme = request_header(request, "RDG-Auth-Scheme");
    return scheme && strcasecmp(scheme, "PAA") == 0;
}

enum rdg_auth rdg_auth(struct request *request, enum MHD_Result *result)
{
    struct conn *conn = request->conn;
    const char *text = NULL;
    if (request->stage == REQUEST_TOLD)
        return settle(request, result);
    if (conn->proxied && conn->rdg) /* the last request may have been somebody else's */
        begin_anew(conn->rdg);
    /* Its body is on the way: nobody can be asked while it comes. The connection has proved itself
     * before, or has not; some clients say so again with every request. */
    if (request->streams && conn->rdg && conn->rdg->passed && !brings_ticket(request))
        return RDG_AUTH_PASSED;
    enum scheme scheme = request->streams ? NO_SCHEME : scheme_of(request, &text);
    bool hear = request->gate->conf->rdg_passwords || scheme == NTLM || scheme == NEGOTIATE;
    if (!hear || brings_ticket(request)) {
        if (conn->rdg)
            begin_anew(conn->rdg);
        return RDG_AUTH_OPEN;
    }
    if (!conn->rdg)
        conn->rdg = calloc(1, sizeof(*conn->rdg));
    if (!conn->rdg)
        return answered(result, answer_status(request, IPC_FAILED, 0));
    if (scheme == NO_SCHEME)
        return conn->rdg->passed ? RDG_AUTH_PASSED : ask_who(request, result);
    if (scheme == OTHER_SCHEME)
        return deny(request, "another scheme than NTLM and Basic", result);
    return read_shown(request, scheme, text, result);
}

const uint8_t *rdg_auth_reference(const struct request *request)
{
    const struct rdg_identity *identity = request->conn->rdg;
    return identity && identity->passed ? identity->reference : NULL;
}

void rdg_auth_forget(struct rdg_identity *identity)
{
    if (identity)
        explicit_bzero(identity, sizeof(*identity));
    free(identity);
}

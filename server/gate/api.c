#include "api.h"

#include "answer.h"
#include "credential.h"
#include "fd.h"
#include "gate_state.h"
#include "login_json.h"
#include "tunnel.h"
#include "upgrade.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* RFC 3339 in UTC, for people and scripts alike. `to` holds 21. */
static void stamp(char to[32], int64_t seconds)
{
    time_t time = (time_t)seconds;
    struct tm utc;
    if (!gmtime_r(&time, &utc) || strftime(to, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        to[0] = '\0';
}

/* True when the keeper's answer is there and of this type; otherwise the request is answered. */
static bool told(struct request *request, enum ipc_type type, enum MHD_Result *result)
{
    if (request->answer->head.type == type)
        return true;
    *result = answer_retry(request, MHD_HTTP_SERVICE_UNAVAILABLE, "busy",
                           "The gateway is busy. Try again in a moment.", 1);
    return false;
}

enum MHD_Result api_health(struct request *request)
{
    if (atomic_load(&request->gate->draining))
        return answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping",
                            "The gateway is stopping.");
    return answer_json(request, MHD_HTTP_OK, json_pack("{s:s}", "status", "ok"), NULL);
}

/* ---- sign-in and out ---- */

enum MHD_Result api_login(struct request *request)
{
    const char *why = NULL;
    struct ipc_sign_in record;
    IPC_INIT(&record, SIGN_IN, 0);
    if (!login_json_read(request->body, request->body_size, &record, &why)) {
        explicit_bzero(&record, sizeof(record));
        return answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request", why);
    }
    request_origin(request, &record.origin);
    enum MHD_Result result = request_ask(request, &record.head, IPC_SIGNED_IN);
    explicit_bzero(&record, sizeof(record));
    return result;
}

enum MHD_Result api_login_told(struct request *request)
{
    struct ipc_signed_in *answer = &request->answer->signed_in;
    enum MHD_Result result;
    if (!told(request, IPC_SIGNED_IN, &result))
        return result;
    if (answer->status != IPC_OK)
        return answer_status(request, answer->status, answer->retry_seconds);
    char token[text_base64url_size(IPC_TOKEN_SIZE)], expires[32];
    char cookie[CREDENTIAL_SET_COOKIE_SIZE];
    text_base64url(token, answer->token, IPC_TOKEN_SIZE);
    stamp(expires, answer->expires);
    credential_set_cookie(cookie, token);
    result = answer_json(request, MHD_HTTP_OK,
                         json_pack("{s:s, s:s, s:s}", "token", token, "expires", expires,
                                   "username", answer->username),
                         cookie);
    explicit_bzero(token, sizeof(token));
    explicit_bzero(cookie, sizeof(cookie));
    return result;
}

enum MHD_Result api_logout(struct request *request)
{
    struct ipc_sign_out record;
    IPC_INIT(&record, SIGN_OUT, 0);
    request_origin(request, &record.origin);
    memcpy(record.token, request->token, IPC_TOKEN_SIZE);
    return request_ask(request, &record.head, IPC_SIGNED_OUT);
}

enum MHD_Result api_logout_told(struct request *request)
{
    enum MHD_Result result;
    if (!told(request, IPC_SIGNED_OUT, &result))
        return result;
    if (request->answer->signed_out.status != IPC_OK)
        return answer_status(request, request->answer->signed_out.status, 0);
    char cookie[CREDENTIAL_SET_COOKIE_SIZE];
    credential_set_cookie(cookie, NULL);
    return answer_json(request, MHD_HTTP_OK, json_pack("{s:s}", "status", "signed_out"), cookie);
}

enum MHD_Result api_session(struct request *request)
{
    struct ipc_who record;
    IPC_INIT(&record, WHO, 0);
    request_origin(request, &record.origin);
    memcpy(record.token, request->token, IPC_TOKEN_SIZE);
    return request_ask(request, &record.head, IPC_WHO_IS);
}

enum MHD_Result api_session_told(struct request *request)
{
    const struct ipc_who_is *answer = &request->answer->who_is;
    enum MHD_Result result;
    if (!told(request, IPC_WHO_IS, &result))
        return result;
    if (answer->status != IPC_OK)
        return answer_status(request, answer->status, 0);
    char expires[32];
    stamp(expires, answer->expires);
    return answer_json(request, MHD_HTTP_OK,
                       json_pack("{s:s, s:s, s:I}", "username", answer->username, "expires",
                                 expires, "idle_seconds", (json_int_t)answer->idle_seconds),
                       NULL);
}

/* ---- desktops: gathered page by page ---- */

static enum MHD_Result ask_page(struct request *request, const char *after)
{
    struct ipc_desktops record;
    IPC_INIT(&record, DESKTOPS, 0);
    request_origin(request, &record.origin);
    memcpy(record.token, request->token, IPC_TOKEN_SIZE);
    text_copy(record.after, sizeof(record.after), after);
    return request_ask(request, &record.head, IPC_DESKTOP_PAGE);
}

enum MHD_Result api_desktops(struct request *request)
{
    request->list = json_array();
    return ask_page(request, "");
}

enum MHD_Result api_desktops_told(struct request *request)
{
    const struct ipc_desktop_page *page = &request->answer->desktop_page;
    enum MHD_Result result;
    if (!told(request, IPC_DESKTOP_PAGE, &result))
        return result;
    if (page->status != IPC_OK)
        return answer_status(request, page->status, 0);
    size_t count = page->count <= IPC_PAGE ? page->count : IPC_PAGE;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(request->list, json_pack("{s:s, s:s}", "name", page->items[i].name,
                                                       "description", page->items[i].description));
    if (page->more && count) {
        char after[TEXT_NAME_SIZE];
        text_copy(after, sizeof(after), page->items[count - 1].name);
        return ask_page(request, after);
    }
    json_t *list = request->list;
    request->list = NULL; /* consumed */
    return answer_json(request, MHD_HTTP_OK, json_pack("{s:o}", "desktops", list), NULL);
}

/* ---- the tunnel ---- */

enum MHD_Result api_tunnel(struct request *request)
{
    unsigned status;
    const char *refusal = upgrade_refusal(request, &status);
    if (refusal)
        return answer_error(request, status, "not_a_tunnel_request", refusal);
    if (!text_is_name(request->name))
        return answer_status(request, IPC_NO_DESKTOP, 0);
    struct ipc_open record;
    IPC_INIT(&record, OPEN, 0);
    request_origin(request, &record.origin);
    memcpy(record.token, request->token, IPC_TOKEN_SIZE);
    record.way = IPC_WAY_TUNNEL;
    text_copy(record.desktop, sizeof(record.desktop), request->name);
    return request_ask(request, &record.head, IPC_OPENED);
}

enum MHD_Result api_tunnel_told(struct request *request)
{
    enum MHD_Result result;
    if (!told(request, IPC_OPENED, &result))
        return result;
    if (request->answer->opened.status != IPC_OK)
        return answer_status(request, request->answer->opened.status, 0);
    if (request->listing_failed || request->fd < 0)
        return answer_status(request, IPC_BUSY, 5);
    return upgrade_accept(request);
}

/* ---- ACME, on the plain port ---- */

enum MHD_Result api_challenge(struct request *request)
{
    struct ipc_challenge record;
    IPC_INIT(&record, CHALLENGE, 0);
    text_copy(record.token, sizeof(record.token), request->name);
    return request_ask(request, &record.head, IPC_CHALLENGE_BODY);
}

enum MHD_Result api_challenge_told(struct request *request)
{
    const struct ipc_challenge_body *answer = &request->answer->challenge_body;
    enum MHD_Result result;
    if (!told(request, IPC_CHALLENGE_BODY, &result))
        return result;
    if (answer->status != IPC_OK || answer->size > sizeof(answer->body))
        return answer_status(request, IPC_NOT_FOUND, 0);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->size, (void *)(uintptr_t)answer->body, MHD_RESPMEM_MUST_COPY);
    if (response) {
        MHD_add_response_header(response, "Content-Type", "application/octet-stream");
        answer_headers(request, response);
    }
    return answer_queue(request, MHD_HTTP_OK, response);
}

#include "answer.h"

#include "conn.h"
#include "gate_state.h"
#include "refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a document of each kind may do in a browser; the rest of an answer's headers is the same. */
static const char *const policies[] = {
    [ANSWER_DATA] = "default-src 'none'; frame-ancestors 'none'",
    [ANSWER_PAGE] = "default-src 'none'; script-src 'self'; style-src 'self'; "
                    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
                    "form-action 'none'; frame-ancestors 'none'",
    /* Compiles WebAssembly, which is not a way in for text as eval() is; shows pointers and
     * pictures that it made itself. */
    [ANSWER_VIEWER] = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
                      "style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
                      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

void answer_headers_of(const struct request *request, struct MHD_Response *response,
                       enum answer_kind kind)
{
    static const char *const always[][2] = {
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy",
         "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), "
         "geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), "
         "payment=(), serial=(), usb=(), xr-spatial-tracking=(), "
         "clipboard-read=(self), clipboard-write=(self), fullscreen=(self), keyboard-map=(self)"},
    };
    for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
        MHD_add_response_header(response, always[i][0], always[i][1]);
    MHD_add_response_header(response, "Content-Security-Policy", policies[kind]);
    if (request->conn->tls) /* RFC 6797 section 7.2: never over plain HTTP; two years */
        MHD_add_response_header(response, "Strict-Transport-Security", "max-age=63072000");
}

void answer_headers(const struct request *request, struct MHD_Response *response)
{
    answer_headers_of(request, response, ANSWER_DATA);
    MHD_add_response_header(response, "Cache-Control", "no-store");
}

enum MHD_Result answer_queue(struct request *request, unsigned status,
                             struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    request->stage = REQUEST_ANSWERED;
    request->upgraded = status == MHD_HTTP_SWITCHING_PROTOCOLS;
    if (request->upgraded)
        atomic_store(&request->conn->upgraded, true);
    atomic_store(&request->conn->answering, true); /* from here on the client has to do its part */
    atomic_store(&request->conn->busy, false);
    /* The client's next request is for the gate that accepts now. */
    if (atomic_load(&request->gate->retiring) && status != MHD_HTTP_SWITCHING_PROTOCOLS &&
        status != MHD_HTTP_UNAUTHORIZED) /* NTLM goes on in the same connection */
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (status == MHD_HTTP_UPGRADE_REQUIRED) /* RFC 9110 section 15.5.22 */
        MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, "websocket");
    if (!request->conn->metrics)
        gate_meter_answer(&request->gate->http_meter, status);
    enum MHD_Result result = MHD_queue_response(request->mhd, status, response);
    MHD_destroy_response(response);
    return result;
}

/* jansson's texts are wiped as they are freed (codec/wiped_json.h): they hold tokens and seeds. */
static void release(void *text)
{
    json_free_t release_text;
    json_get_alloc_funcs(NULL, &release_text);
    release_text(text);
}

void answer_release(char *text)
{
    if (text)
        release(text);
}

static void wipe(void *text)
{
    explicit_bzero(text, strlen(text));
    free(text);
}

static struct MHD_Response *text_response(const struct request *request, char *text,
                                          MHD_ContentReaderFreeCallback freed)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(strlen(text), text, freed);
    if (!response) {
        freed(text);
        return NULL;
    }
    MHD_add_response_header(response, "Content-Type", "application/json");
    answer_headers(request, response);
    return response;
}

enum MHD_Result answer_json_text(struct request *request, unsigned status, char *text)
{
    return answer_queue(request, status, text_response(request, text, wipe));
}

static struct MHD_Response *json_response(const struct request *request, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text ? text_response(request, text, release) : NULL;
}

enum MHD_Result answer_json(struct request *request, unsigned status, json_t *json,
                            const char *cookie)
{
    return answer_json_cookies(request, status, json, cookie ? cookie : "", "");
}

enum MHD_Result answer_json_cookies(struct request *request, unsigned status, json_t *json,
                                    const char *cookie, const char *other)
{
    struct MHD_Response *response = json ? json_response(request, json) : NULL;
    if (response && *cookie)
        MHD_add_response_header(response, "Set-Cookie", cookie);
    if (response && *other)
        MHD_add_response_header(response, "Set-Cookie", other);
    return answer_queue(request, status, response);
}

static struct MHD_Response *error_response(struct request *request, unsigned status,
                                           const char *code, const char *message)
{
    REFUSAL_LOG("http.refused", code, LOG_TEXT("conn", request->conn->id),
                LOG_NUMBER("status", status));
    json_t *json =
        json_pack("{s:s, s:s, s:s}", "error", code, "message", message, "id", request->conn->id);
    struct MHD_Response *response = json ? json_response(request, json) : NULL;
    if (response && status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer realm=\"deskgate\"");
    return response;
}

enum MHD_Result answer_error(struct request *request, unsigned status, const char *code,
                             const char *message)
{
    return answer_queue(request, status, error_response(request, status, code, message));
}

static enum MHD_Result answer_retry(struct request *request, unsigned status, const char *code,
                                    const char *message, unsigned seconds)
{
    struct MHD_Response *response = error_response(request, status, code, message);
    char text[16];
    snprintf(text, sizeof(text), "%u", seconds ? seconds : 1);
    if (response)
        MHD_add_response_header(response, "Retry-After", text);
    return answer_queue(request, status, response);
}

enum MHD_Result answer_method(struct request *request, const char *allow)
{
    struct MHD_Response *response =
        error_response(request, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
                       "This address is there, but not for this method; see Allow.");
    if (response)
        MHD_add_response_header(response, "Allow", allow);
    return answer_queue(request, MHD_HTTP_METHOD_NOT_ALLOWED, response);
}

static const struct {
    unsigned status;
    const char *message;
} statuses[] = {
    [IPC_DENIED] = {401,
                    "The user name, password or code is not right. A code works once; wait for "
                    "the next one and try again."},
    [IPC_THROTTLED] = {429, "Too many failed attempts. Wait as long as Retry-After says."},
    [IPC_BUSY] = {503, "The gateway is busy. Try again in a moment."},
    [IPC_PASSWORD_DUE] = {403,
                          "Choose a new password first: sign in to the gateway's page, which asks "
                          "for it."},
    [IPC_NO_SESSION] = {401, "Sign in first: there is no session, or it is over."},
    [IPC_NO_DESKTOP] = {404, "There is no such desktop for you. Check the name; if "
                             "it is right, ask your administrator for access."},
    [IPC_DESKTOP_ASLEEP] = {504, "The desktop does not answer. It may be switched off or asleep."},
    [IPC_DESKTOP_REFUSED] = {502, "The desktop's machine is there, but refuses remote desktop "
                                  "connections. Is remote desktop switched on?"},
    [IPC_DESKTOP_NAME] = {502, "The desktop's host name is not known to the gateway. Tell your "
                               "administrator."},
    [IPC_DESKTOP_ADDRESS] = {502,
                             "The gateway's configuration forbids this desktop's address. Tell "
                             "your administrator."},
    [IPC_NOT_NOW] = {403, "You may use this desktop at other days or hours. Ask your administrator "
                          "which."},
    [IPC_NOT_FROM_HERE] = {403, "You may not use this desktop from where you are. Ask your "
                                "administrator."},
    [IPC_TOO_MANY] = {403, "You, or this desktop, have as many connections as are allowed. Close "
                           "one first."},
    [IPC_STALE_FACTOR] = {403, "This wants a second factor that was shown lately. Enter a new code "
                               "(POST /api/factor) and try again."},
    [IPC_NOT_ADMINISTRATOR] = {403,
                               "This is for administrators. Another one, or 'deskgate user role' "
                               "at the gateway, can make you one."},
    [IPC_NOT_FOUND] = {404, "There is nothing here."},
    [IPC_BAD_TICKET] = {403, "This ticket is used, expired or for something else. Open the desktop "
                             "again from the list."},
    [IPC_BAD_INVITATION] = {404, "This invitation is used, expired or not known. Ask your "
                                 "administrator for a new one."},
    [IPC_WRONG_PASSWORD] = {403, "The present password is not right."},
    [IPC_WRONG_CODE] = {403, "The code is not right. A code works once; wait for the next one "
                             "and try again."},
    [IPC_OFFER_GONE] = {409,
                        "This key is not on offer any more: too much time has passed, or another "
                        "one was asked for. Ask for a new one."},
    [IPC_WEAK_PASSWORD] = {400, "Choose another password."},
    [IPC_CERTIFICATE_CHANGED] = {502, "The desktop shows another certificate than before. Tell "
                                      "your administrator."},
    [IPC_CERTIFICATE_UNTRUSTED] = {502, "The desktop's certificate is not one that the gateway "
                                        "was told to trust. Tell your administrator."},
    [IPC_FAILED] = {500, "The gateway could not do this. Its log says why; the administrator finds "
                         "it by this id."},
};

static unsigned known(unsigned status)
{
    return status == IPC_OK || status >= sizeof(statuses) / sizeof(*statuses) ? IPC_FAILED : status;
}

const char *answer_words(unsigned status)
{
    return statuses[known(status)].message;
}

enum MHD_Result answer_status(struct request *request, unsigned status, unsigned retry_seconds)
{
    status = known(status);
    const char *code = ipc_status_name(status);
    if (status == IPC_THROTTLED || status == IPC_BUSY)
        return answer_retry(request, statuses[status].status, code, statuses[status].message,
                            retry_seconds);
    return answer_error(request, statuses[status].status, code, statuses[status].message);
}

enum MHD_Result answer_moved(struct request *request, const char *location)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (response) {
        MHD_add_response_header(response, "Location", location);
        answer_headers(request, response);
    }
    return answer_queue(request, MHD_HTTP_MOVED_PERMANENTLY, response);
}

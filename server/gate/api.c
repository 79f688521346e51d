#include "api.h"

#include "answer.h"
#include "api_kit.h"
#include "credential.h"
#include "gate_state.h"

#include <string.h>

enum MHD_Result api_health(struct request *request)
{
    if (atomic_load(&request->gate->draining) || atomic_load(&request->gate->retiring))
        return answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping",
                            "The gateway is stopping.");
    return answer_json(request, MHD_HTTP_OK, json_pack("{s:s}", "status", "ok"), NULL);
}

/* ---- sign-in and out ---- */

enum MHD_Result api_login(struct request *request)
{
    struct ipc_sign_in record;
    IPC_INIT(&record, SIGN_IN, 0);
    const struct json_field fields[] = {JSON_BODY_TEXT("username", record.username),
                                        JSON_BODY_TEXT("password", record.password),
                                        JSON_BODY_CODE("code", record.code)};
    request_origin(request, &record.origin);
    record.in_browser = credential_in_browser(request);
    credential_browser(request, record.browser);
    return api_kit_ask(request, fields, 3, &record.head, IPC_SIGNED_IN);
}

enum MHD_Result api_login_told(struct request *request)
{
    const struct ipc_signed_in *answer = &request->answer->signed_in;
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_SIGNED_IN, &result))
        return result;
    if (answer->status != IPC_OK)
        return answer_status(request, answer->status, answer->retry_seconds);
    return api_kit_welcome(request, answer->token, answer->browser, answer->expires,
                           answer->username, NULL);
}

enum MHD_Result api_logout(struct request *request)
{
    struct ipc_sign_out record;
    IPC_INIT(&record, SIGN_OUT, 0);
    request_session(request, &record.origin, record.token);
    return request_ask(request, &record.head, IPC_SIGNED_OUT);
}

enum MHD_Result api_signed_out(struct request *request)
{
    enum MHD_Result result;
    char cookie[CREDENTIAL_SET_COOKIE_SIZE];
    if (!api_kit_told(request, IPC_SIGNED_OUT, &result))
        return result;
    if (request->answer->signed_out.status != IPC_OK)
        return answer_status(request, request->answer->signed_out.status, 0);
    credential_set_cookie(cookie, NULL);
    return answer_json(request, MHD_HTTP_OK, json_pack("{s:s}", "status", "signed_out"), cookie);
}

enum MHD_Result api_session(struct request *request)
{
    struct ipc_who record;
    IPC_INIT(&record, WHO, 0);
    request_session(request, &record.origin, record.token);
    return request_ask(request, &record.head, IPC_WHO_IS);
}

enum MHD_Result api_session_told(struct request *request)
{
    const struct ipc_who_is *answer = &request->answer->who_is;
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_WHO_IS, &result))
        return result;
    if (answer->status != IPC_OK)
        return answer_status(request, answer->status, 0);
    char expires[32], factor[32];
    api_kit_stamp(expires, answer->expires);
    api_kit_stamp(factor, answer->factor_at);
    return answer_json(
        request, MHD_HTTP_OK,
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:i, s:b, s:i, s:i}", "username", answer->username,
                  "role", answer->administrator ? "administrator" : "user", "expires", expires,
                  "factor", factor, "idle_seconds", (json_int_t)answer->idle_seconds,
                  "recovery_codes_left", answer->recovery_codes, "password_due",
                  answer->password_due, "vouched_seconds", answer->vouched, "password_days_left",
                  answer->password_days),
        NULL);
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
    if (!api_kit_told(request, IPC_CHALLENGE_BODY, &result))
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

#include "answer.h"
#include "api.h"
#include "api_kit.h"
#include "conn.h"
#include "qr_matrix.h"

#include <string.h>

#define QR_WIDTH_MOST 177 /* modules a side of version 40, the largest (ISO/IEC 18004) */

/* ---- factors ---- */

enum MHD_Result api_password(struct request *request)
{
    struct ipc_password record;
    IPC_INIT(&record, PASSWORD, 0);
    const struct json_field fields[] = {JSON_BODY_TEXT("password", record.password),
                                        JSON_BODY_TEXT("new_password", record.new_password),
                                        JSON_BODY_CODE("code", record.code)};
    request_session(request, &record.origin, record.token);
    return api_kit_ask(request, fields, 3, &record.head, IPC_ENROLLED);
}

enum MHD_Result api_totp(struct request *request)
{
    struct ipc_enrol_begin record;
    IPC_INIT(&record, ENROL_BEGIN, 0);
    const struct json_field fields[] = {JSON_BODY_TEXT("password", record.password)};
    request_session(request, &record.origin, record.token);
    record.kind = IPC_ENROL_NEW_DEVICE;
    return api_kit_ask(request, fields, 1, &record.head, IPC_ENROL_OFFER);
}

enum MHD_Result api_totp_confirm(struct request *request)
{
    struct ipc_enrol_finish record;
    IPC_INIT(&record, ENROL_FINISH, 0);
    const struct json_field fields[] = {JSON_BODY_CODE("code", record.code)};
    request_session(request, &record.origin, record.token);
    record.kind = IPC_ENROL_NEW_DEVICE;
    return api_kit_ask(request, fields, 1, &record.head, IPC_ENROLLED);
}

/* The second factor again, for what wants it fresh. */
enum MHD_Result api_factor(struct request *request)
{
    struct ipc_factor record;
    IPC_INIT(&record, FACTOR, 0);
    const struct json_field fields[] = {JSON_BODY_CODE("code", record.code)};
    request_session(request, &record.origin, record.token);
    return api_kit_ask(request, fields, 1, &record.head, IPC_FACTOR_SHOWN);
}

enum MHD_Result api_factor_shown(struct request *request)
{
    const struct ipc_factor_shown *answer = &request->answer->factor_shown;
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_FACTOR_SHOWN, &result))
        return result;
    if (answer->status != IPC_OK)
        return answer_status(request, answer->status, answer->retry_seconds);
    return answer_json(request, MHD_HTTP_OK, json_pack("{s:b}", "shown", 1), NULL);
}

/* ---- the first sign-in: who holds the invitation ---- */

#define INVITATION_SIZE text_base64url_size(IPC_TOKEN_SIZE)

/* The first text is the invitation; one that cannot be any is answered like an unknown one. */
static enum MHD_Result ask_by_invitation(struct request *request, const struct json_field *fields,
                                         size_t count, struct ipc_head *record,
                                         uint8_t token[IPC_TOKEN_SIZE], enum ipc_type expected)
{
    char *text = fields[0].to;
    enum MHD_Result result;
    if (api_kit_body(request, fields, count, &result)) {
        bool good = text_base64url_decode(text, strlen(text), token, IPC_TOKEN_SIZE);
        result = good ? request_ask(request, record, expected)
                      : answer_status(request, IPC_BAD_INVITATION, 0);
    }
    explicit_bzero(text, fields[0].size);
    explicit_bzero(record, record->size);
    return result;
}

enum MHD_Result api_setup(struct request *request)
{
    char invitation[INVITATION_SIZE];
    struct ipc_enrol_begin record;
    IPC_INIT(&record, ENROL_BEGIN, 0);
    const struct json_field fields[] = {JSON_BODY_TEXT("invitation", invitation)};
    request_origin(request, &record.origin);
    record.kind = IPC_ENROL_INVITATION;
    return ask_by_invitation(request, fields, 1, &record.head, record.token, IPC_ENROL_OFFER);
}

enum MHD_Result api_setup_finish(struct request *request)
{
    char invitation[INVITATION_SIZE];
    struct ipc_enrol_finish record;
    IPC_INIT(&record, ENROL_FINISH, 0);
    const struct json_field fields[] = {JSON_BODY_TEXT("invitation", invitation),
                                        JSON_BODY_TEXT("password", record.password),
                                        JSON_BODY_CODE("code", record.code)};
    request_origin(request, &record.origin);
    record.kind = IPC_ENROL_INVITATION;
    return ask_by_invitation(request, fields, 3, &record.head, record.token, IPC_ENROLLED);
}

/* ---- what the keeper says to these ---- */

/* A text of '0' and '1' for each row, or NULL. The quiet zone is the page's to leave. */
static json_t *qr_json(const char *uri)
{
    struct qr_matrix matrix;
    char row[QR_WIDTH_MOST + 1];
    if (qr_matrix_new(&matrix, uri))
        return NULL;
    json_t *rows = matrix.width <= QR_WIDTH_MOST ? json_array() : NULL;
    for (int y = 0; rows && y < matrix.width; y++) {
        for (int x = 0; x < matrix.width; x++)
            row[x] = qr_matrix_dark(&matrix, x, y) ? '1' : '0';
        json_array_append_new(rows, json_stringn(row, (size_t)matrix.width));
    }
    explicit_bzero(row, sizeof(row));
    qr_matrix_free(&matrix);
    return rows;
}

/* An invitation from where, or when, its person is not let in is about no desktop. */
static enum MHD_Result refused(struct request *request, unsigned status, unsigned retry)
{
    if (status == IPC_NOT_FROM_HERE || status == IPC_NOT_NOW)
        return answer_error(request, MHD_HTTP_FORBIDDEN, "not_let_in",
                            "Your account, or the address you come from, is not let in now. Ask "
                            "your administrator.");
    return answer_status(request, status, retry);
}

enum MHD_Result api_enrol_offer(struct request *request)
{
    const struct ipc_enrol_offer *answer = &request->answer->enrol_offer;
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_ENROL_OFFER, &result))
        return result;
    if (answer->status != IPC_OK)
        return refused(request, answer->status, answer->retry_seconds);
    json_t *rows = qr_json(answer->uri);
    if (!rows)
        return answer_status(request, IPC_FAILED, 0);
    return answer_json(request, MHD_HTTP_OK,
                       json_pack("{s:s, s:s, s:s, s:o}", "username", answer->username, "secret",
                                 answer->secret, "otpauth", answer->uri, "qr", rows),
                       NULL);
}

enum MHD_Result api_enrolled(struct request *request)
{
    const struct ipc_enrolled *answer = &request->answer->enrolled;
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_ENROLLED, &result))
        return result;
    if (answer->status == IPC_WEAK_PASSWORD && answer->words[0])
        return answer_json(request, MHD_HTTP_BAD_REQUEST,
                           json_pack("{s:s, s:s, s:s, s:s}", "error",
                                     ipc_status_name(IPC_WEAK_PASSWORD), "message", answer->words,
                                     "reason", answer->reason, "id", request->conn->id),
                           NULL);
    if (answer->status != IPC_OK)
        return refused(request, answer->status, answer->retry_seconds);
    json_t *codes = answer->recovery_count ? json_array() : NULL;
    for (size_t i = 0; i < answer->recovery_count && i < IPC_RECOVERY_CODES; i++)
        json_array_append_new(codes, json_string(answer->recovery[i]));
    return api_kit_welcome(request, answer->token, NULL, answer->expires, answer->username, codes);
}

/* ---- my sessions: gathered page by page ---- */

static enum MHD_Result ask_page(struct request *request, int64_t after)
{
    struct ipc_sessions record;
    IPC_INIT(&record, SESSIONS, 0);
    request_session(request, &record.origin, record.token);
    record.after = after;
    return request_ask(request, &record.head, IPC_SESSION_LIST);
}

enum MHD_Result api_sessions(struct request *request)
{
    request->list = json_array();
    return ask_page(request, 0);
}

static json_t *session_json(const struct ipc_session_item *item)
{
    char created[32], used[32], expires[32], address[ADDR_TEXT_SIZE];
    json_t *desktops = json_array();
    for (size_t i = 0; i < item->desktop_count && i < IPC_SESSION_DESKTOPS; i++)
        json_array_append_new(desktops, json_string(item->desktops[i]));
    api_kit_stamp(created, item->created_at);
    api_kit_stamp(used, item->used_at);
    api_kit_stamp(expires, item->expires_at);
    addr_text(&item->address, address);
    return json_pack("{s:b, s:s, s:s, s:s, s:s, s:s, s:o}", "current", item->current, "created",
                     created, "used", used, "expires", expires, "address", address, "agent",
                     item->agent, "desktops", desktops);
}

enum MHD_Result api_sessions_told(struct request *request)
{
    const struct ipc_session_list *page = &request->answer->session_list;
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_SESSION_LIST, &result))
        return result;
    if (page->status != IPC_OK)
        return answer_status(request, page->status, 0);
    size_t count = page->count <= IPC_SESSION_PAGE ? page->count : IPC_SESSION_PAGE;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(request->list, session_json(&page->items[i]));
    if (page->more && count)
        return ask_page(request, page->items[count - 1].id);
    json_t *list = request->list;
    request->list = NULL; /* consumed */
    return answer_json(request, MHD_HTTP_OK, json_pack("{s:o}", "sessions", list), NULL);
}

enum MHD_Result api_sessions_end(struct request *request)
{
    enum MHD_Result result;
    if (!api_kit_body(request, NULL, 0, &result))
        return result;
    struct ipc_end_sessions record;
    IPC_INIT(&record, END_SESSIONS, 0);
    request_session(request, &record.origin, record.token);
    return request_ask(request, &record.head, IPC_SIGNED_OUT);
}

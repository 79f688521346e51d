#include "answer.h"
#include "api.h"
#include "api_kit.h"
#include "cleanpath_talk.h"
#include "gate_state.h"
#include "rdp_sign.h"
#include "rdpfile.h"
#include "reason.h"
#include "upgrade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list: gathered page by page ---- */

static enum MHD_Result ask_page(struct request *request, const char *after)
{
    struct ipc_desktops record;
    IPC_INIT(&record, DESKTOPS, 0);
    request_session(request, &record.origin, record.token);
    text_copy(record.after, sizeof(record.after), after);
    return request_ask(request, &record.head, IPC_DESKTOP_PAGE);
}

static json_t *desktop_json(const struct ipc_desktop_item *item)
{
    char stamp[32];
    api_kit_stamp(stamp, item->last_used);
    return json_pack("{s:s, s:s, s:s?, s:b, s:b}", "name", item->name, "description",
                     item->description, "last_used", item->last_used ? stamp : NULL, "in_use",
                     item->in_use, "same_credentials", item->same_credentials);
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
    if (!api_kit_told(request, IPC_DESKTOP_PAGE, &result))
        return result;
    if (page->status != IPC_OK)
        return answer_status(request, page->status, 0);
    size_t count = page->count <= IPC_PAGE ? page->count : IPC_PAGE;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(request->list, desktop_json(&page->items[i]));
    if (page->more && count) {
        char after[TEXT_NAME_SIZE];
        text_copy(after, sizeof(after), page->items[count - 1].name);
        return ask_page(request, after);
    }
    json_t *list = request->list;
    request->list = NULL; /* consumed */
    return answer_json(request, MHD_HTTP_OK,
                       json_pack("{s:o, s:b}", "desktops", list, "gateway_passwords",
                                 request->gate->conf->rdg_passwords),
                       NULL);
}

/* ---- one desktop ---- */

enum MHD_Result api_state(struct request *request)
{
    if (!text_is_name(request->name))
        return answer_status(request, IPC_NO_DESKTOP, 0);
    struct ipc_probe record;
    IPC_INIT(&record, PROBE, 0);
    request_session(request, &record.origin, record.token);
    text_copy(record.desktop, sizeof(record.desktop), request->name);
    return request_ask(request, &record.head, IPC_PROBED);
}

enum MHD_Result api_state_told(struct request *request)
{
    static const char *const states[] = {
        [IPC_OK] = "reachable",
        [IPC_DESKTOP_ASLEEP] = "asleep",
        [IPC_DESKTOP_REFUSED] = "refused",
        [IPC_DESKTOP_NAME] = "unknown_host",
        [IPC_DESKTOP_ADDRESS] = "forbidden",
        [IPC_BUSY] = "unknown", /* too many questions at once; a list asks again by itself */
    };
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_PROBED, &result))
        return result;
    unsigned status = request->answer->probed.status;
    if (status >= sizeof(states) / sizeof(*states) || !states[status])
        return answer_status(request, status, 0);
    return answer_json(request, MHD_HTTP_OK, json_pack("{s:s}", "state", states[status]), NULL);
}

/* ---- tickets, and what became of them ---- */

static enum MHD_Result ask_ticket(struct request *request, enum ipc_way way, uint64_t replaces)
{
    if (!text_is_name(request->name))
        return answer_status(request, IPC_NO_DESKTOP, 0);
    struct ipc_ticket record;
    IPC_INIT(&record, TICKET, 0);
    request_session(request, &record.origin, record.token);
    record.way = (uint8_t)way;
    record.replaces = (int64_t)replaces;
    text_copy(record.desktop, sizeof(record.desktop), request->name);
    return request_ask(request, &record.head, IPC_TICKET_MADE);
}

/* Nothing, or {"replaces": "12"}: the visit that broke, in whose place the new one comes. */
enum MHD_Result api_ticket(struct request *request)
{
    enum MHD_Result result;
    uint64_t replaces = 0;
    char visit[24];
    const struct json_field field = JSON_BODY_TEXT("replaces", visit);
    if ((!json_body_read(request->body, request->body_size, &field, 1) ||
         !text_number(visit, INT64_MAX, &replaces)) &&
        !api_kit_body(request, NULL, 0, &result))
        return result;
    return ask_ticket(request, IPC_WAY_CLEANPATH, replaces);
}

enum MHD_Result api_ticket_told(struct request *request)
{
    const struct ipc_ticket_made *answer = &request->answer->ticket_made;
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_TICKET_MADE, &result))
        return result;
    if (answer->status != IPC_OK)
        return answer_status(request, answer->status, 0);
    char ticket[text_base64url_size(IPC_TOKEN_SIZE)];
    text_base64url(ticket, answer->ticket, IPC_TOKEN_SIZE);
    result = answer_json(request, MHD_HTTP_OK,
                         json_pack("{s:s, s:I, s:I, s:s, s:b, s:b}", "ticket", ticket, "visit",
                                   (json_int_t)answer->visit, "expires_seconds",
                                   (json_int_t)answer->seconds, "desktop", answer->desktop,
                                   "same_credentials", answer->same_credentials, "clipboard",
                                   !(answer->forbidden & IPC_FORBID_CLIPBOARD)),
                         NULL);
    explicit_bzero(ticket, sizeof(ticket));
    return result;
}

/* For a client that is not a browser: the file carries a ticket of its own, so nobody gets a look
 * at its head alone. */
enum MHD_Result api_rdp(struct request *request)
{
    if (strcmp(request->method, "HEAD") == 0)
        return answer_method(request, "GET");
    return ask_ticket(request, IPC_WAY_RDG, 0);
}

static struct MHD_Response *rdp_response(const struct request *request, const char *desktop,
                                         const void *file, size_t size)
{
    char disposition[TEXT_NAME_SIZE + 40];
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)file, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return NULL;
    /* Such a name needs no escape between quotes (RFC 6266 section 4.1). */
    snprintf(disposition, sizeof(disposition), "attachment; filename=\"%s.rdp\"", desktop);
    MHD_add_response_header(response, "Content-Type", "application/x-rdp");
    MHD_add_response_header(response, "Content-Disposition", disposition);
    answer_headers(request, response);
    return response;
}

#define RDP_ROOM (RDPFILE_MOST + RDP_SIGN_ROOM)

/* Text, signature, encoding. The size in `to`, or 0. */
static size_t make_rdp(const struct request *request, const struct ipc_ticket_made *made,
                       char text[RDP_ROOM + 1], uint8_t *to)
{
    char ticket[text_base64url_size(IPC_TOKEN_SIZE)];
    text_base64url(ticket, made->ticket, IPC_TOKEN_SIZE);
    const struct rdpfile_way way = {
        .desktop = made->desktop,
        .gateway = request->gate->conf->name,
        .port = request->gate->conf->public_port,
        .ticket = ticket,
        .username = made->same_credentials ? made->username : NULL,
        .forbidden = made->forbidden,
        .settings = made->settings,
    };
    size_t size = text_is_name(made->desktop) ? rdpfile_write(&way, text) : 0;
    explicit_bzero(ticket, sizeof(ticket));
    if (!size || !rdp_sign_text(request->gate->rdp_sign, text, &size, RDP_ROOM))
        return 0;
    text[size] = '\0';
    return rdpfile_encode(text, size, to);
}

enum MHD_Result api_rdp_told(struct request *request)
{
    const struct ipc_ticket_made *answer = &request->answer->ticket_made;
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_TICKET_MADE, &result))
        return result;
    if (answer->status != IPC_OK)
        return answer_status(request, answer->status, 0);
    const size_t most = RDP_ROOM + 1 + RDPFILE_ENCODED_MOST(RDP_ROOM);
    char *text = malloc(most);
    size_t size = text && ipc_text_ok(answer->settings, sizeof(answer->settings))
                      ? make_rdp(request, answer, text, (uint8_t *)text + RDP_ROOM + 1)
                      : 0;
    result = size ? answer_queue(request, MHD_HTTP_OK,
                                 rdp_response(request, answer->desktop, text + RDP_ROOM + 1, size))
                  : answer_status(request, IPC_FAILED, 0);
    if (text)
        explicit_bzero(text, most);
    free(text);
    return result;
}

enum MHD_Result api_visit(struct request *request)
{
    uint64_t visit;
    if (!text_number(request->name, INT64_MAX, &visit))
        return answer_status(request, IPC_NOT_FOUND, 0);
    struct ipc_visit record;
    IPC_INIT(&record, VISIT, 0);
    request_session(request, &record.origin, record.token);
    record.visit = (int64_t)visit;
    return request_ask(request, &record.head, IPC_VISITED);
}

enum MHD_Result api_visit_told(struct request *request)
{
    static const char *const states[] = {
        [IPC_VISIT_WAITING] = "waiting", [IPC_VISIT_OPEN] = "open",     [IPC_VISIT_ENDED] = "ended",
        [IPC_VISIT_REFUSED] = "refused", [IPC_VISIT_WAKING] = "waking",
    };
    const struct ipc_visited *answer = &request->answer->visited;
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_VISITED, &result))
        return result;
    if (answer->status != IPC_OK || answer->state >= sizeof(states) / sizeof(*states))
        return answer_status(request, answer->status, 0);
    return answer_json(request, MHD_HTTP_OK,
                       json_pack("{s:s, s:s, s:s}", "state", states[answer->state], "reason",
                                 answer->reason, "message", reason_words(answer->reason)),
                       NULL);
}

/* ---- tunnels ---- */

/* True when the request can be upgraded; otherwise it is answered. */
static bool is_upgrade(struct request *request, enum MHD_Result *result)
{
    unsigned status;
    const char *refusal = upgrade_refusal(request, &status);
    if (refusal)
        *result = answer_error(request, status, "not_a_tunnel_request", refusal);
    return !refusal;
}

enum MHD_Result api_tunnel(struct request *request)
{
    enum MHD_Result result;
    if (!is_upgrade(request, &result))
        return result;
    if (!text_is_name(request->name))
        return answer_status(request, IPC_NO_DESKTOP, 0);
    struct ipc_open record;
    IPC_INIT(&record, OPEN, 0);
    request_session(request, &record.origin, record.token);
    record.way = IPC_WAY_TUNNEL;
    text_copy(record.desktop, sizeof(record.desktop), request->name);
    return request_ask(request, &record.head, IPC_OPENED);
}

enum MHD_Result api_tunnel_told(struct request *request)
{
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_OPENED, &result))
        return result;
    if (request->answer->opened.status != IPC_OK)
        return answer_status(request, request->answer->opened.status, 0);
    if (request->listing_failed || request->fd < 0)
        return answer_status(request, IPC_BUSY, ANSWER_BUSY_SECONDS);
    return upgrade_accept(request);
}

/* The desktop and the ticket come in the conversation; a stranger does not get as far. */
enum MHD_Result api_cleanpath(struct request *request)
{
    enum MHD_Result result;
    if (!is_upgrade(request, &result))
        return result;
    struct ipc_who record;
    IPC_INIT(&record, WHO, 0);
    request_session(request, &record.origin, record.token);
    return request_ask(request, &record.head, IPC_WHO_IS);
}

enum MHD_Result api_cleanpath_told(struct request *request)
{
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_WHO_IS, &result))
        return result;
    if (request->answer->who_is.status != IPC_OK)
        return answer_status(request, request->answer->who_is.status, 0);
    static const struct upgrade_talk kind = {cleanpath_talk_new};
    return upgrade_accept_talk(request, &kind);
}

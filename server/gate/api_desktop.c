#include "answer.h"
#include "api.h"
#include "api_kit.h"
#include "upgrade.h"

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
        return answer_status(request, IPC_BUSY, 5);
    return upgrade_accept(request);
}

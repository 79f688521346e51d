/* What a person asks about the own sessions. */
#include "asked.h"
#include "gate_link.h"
#include "live.h"
#include "record_audit.h"
#include "session.h"

#include <errno.h>

struct gathering {
    struct keeper *keeper;
    struct ipc_session_list *list;
    int64_t current;
};

static int put_desktop(void *owner, const char *desktop)
{
    struct ipc_session_item *item = owner;
    if (item->desktop_count < IPC_SESSION_DESKTOPS)
        text_copy(item->desktops[item->desktop_count], TEXT_NAME_SIZE, desktop);
    item->desktop_count++;
    return item->desktop_count == UINT8_MAX;
}

static int put_session(void *owner, const struct store_session *session)
{
    struct gathering *gathering = owner;
    struct ipc_session_list *list = gathering->list;
    if (list->count == IPC_SESSION_PAGE) {
        list->more = 1;
        return 1;
    }
    struct ipc_session_item *item = &list->items[list->count++];
    item->id = session->id;
    item->created_at = session->created_at;
    item->used_at = session->used_at;
    item->expires_at = session->expires_at;
    item->address = session->address;
    item->current = session->id == gathering->current;
    text_copy(item->agent, sizeof(item->agent), session->agent);
    return 0;
}

static enum store_result gather(struct keeper *keeper, const struct ipc_sessions *ask,
                                struct ipc_session_list *list)
{
    struct store_session session;
    enum store_result result = session_find(keeper, ask->token, &session);
    if (result != STORE_OK)
        return result;
    struct gathering gathering = {keeper, list, session.id};
    result = store_session_list_user(keeper->store, session.user, ask->after, IPC_SESSION_PAGE + 1,
                                     put_session, &gathering);
    for (size_t i = 0; i < list->count && result == STORE_OK; i++)
        result =
            store_tunnel_desktops(keeper->store, list->items[i].id, put_desktop, &list->items[i]);
    return result;
}

int asked_sessions(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_sessions *ask = &record->sessions;
    struct ipc_session_list list;
    if (!asked_origin_ok(&ask->origin))
        return -EPROTO;
    IPC_INIT(&list, SESSION_LIST, ask->head.request);
    list.status = (uint8_t)asked_status(link->keeper, gather(link->keeper, ask, &list));
    gate_link_send(link, &list.head, -1);
    return 0;
}

int asked_end_sessions(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_end_sessions *ask = &record->end_sessions;
    struct keeper *keeper = link->keeper;
    struct store_session session;
    struct ipc_signed_out answer;
    if (!asked_origin_ok(&ask->origin))
        return -EPROTO;
    IPC_INIT(&answer, SIGNED_OUT, ask->head.request);
    enum store_result result = session_find_due(keeper, ask->token, &session);
    if (result == STORE_OK)
        result = store_session_end_user(keeper->store, session.user, keeper_now(), "signed-out");
    if (result == STORE_OK)
        record_audit(keeper, &ask->origin, "sign-out-everywhere", "ok", session.user_name, NULL,
                     NULL);
    answer.status = (uint8_t)asked_status(keeper, result);
    gate_link_send(link, &answer.head, -1);
    if (result == STORE_OK)
        live_review_person(keeper, session.user);
    return 0;
}

#include "upgrade.h"

#include "answer.h"
#include "conn.h"
#include "gate_state.h"
#include "handover.h"
#include "refusal.h"
#include "tunnel.h"
#include "ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEY_MOST 64 /* of clients that do not keep to RFC 6455 */

/* A token in a comma-separated list, without case (RFC 9110 section 5.6.1). */
static bool lists(const char *list, const char *token)
{
    size_t length = strlen(token);
    while (list && *list) {
        list += strspn(list, " \t,");
        size_t item = strcspn(list, ",");
        size_t end = item;
        while (end && (list[end - 1] == ' ' || list[end - 1] == '\t'))
            end--;
        if (end == length && strncasecmp(list, token, length) == 0)
            return true;
        list += item;
    }
    return false;
}

/* 16 bytes in base64: 22 characters and two pads, the last with zero in its low bits. */
static bool is_key(const char *key)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return key && strlen(key) == 24 && strspn(key, alphabet) == 22 && strchr("AQgw", key[21]) &&
           key[22] == '=' && key[23] == '=';
}

/* RFC 9110 section 7.8: Upgrade in HTTP/1.0 is to be ignored. It comes from a proxy that speaks 1.0
 * on its way to us, as nginx does unless told otherwise. */
const char *upgrade_refusal_old(const struct request *request)
{
    if (!request->old)
        return NULL;
    REFUSAL_LOG("upgrade.old",
                "a WebSocket in HTTP/1.0: a proxy on the way has to speak 1.1 (nginx: "
                "proxy_http_version 1.1)",
                LOG_TEXT("conn", request->conn->id));
    return "WebSocket needs HTTP/1.1; a proxy on the way speaks 1.0 (nginx: proxy_http_version "
           "1.1).";
}

bool upgrade_wanted(const struct request *request)
{
    const char *key = request_header(request, "Sec-WebSocket-Key");
    return lists(request_header(request, "Upgrade"), "websocket") &&
           lists(request_header(request, "Connection"), "upgrade") && key && *key &&
           strlen(key) < KEY_MOST;
}

const char *upgrade_refusal(const struct request *request, unsigned *status)
{
    *status = MHD_HTTP_UPGRADE_REQUIRED;
    if (request->old)
        return upgrade_refusal_old(request);
    if (!lists(request_header(request, "Upgrade"), "websocket") ||
        !lists(request_header(request, "Connection"), "upgrade"))
        return "This address opens a tunnel: use a WebSocket client, such as deskgate connect.";
    const char *version = request_header(request, "Sec-WebSocket-Version");
    if (!version || strcmp(version, "13") != 0)
        return "Only version 13 of the WebSocket protocol is spoken here.";
    *status = MHD_HTTP_BAD_REQUEST;
    if (!is_key(request_header(request, "Sec-WebSocket-Key")))
        return "Sec-WebSocket-Key must be 16 bytes in base64.";
    return NULL;
}

/* libmicrohttpd calls this when the 101 is out. */
static void on_upgraded(void *cls, struct MHD_Connection *connection, void *con_cls,
                        const char *extra, size_t extra_size, MHD_socket socket,
                        struct MHD_UpgradeResponseHandle *handle)
{
    struct request *request = con_cls;
    (void)cls;
    (void)connection;
    struct tunnel_grant grant = {
        .tunnel = request->answer->opened.tunnel,
        .desktop = request->fd,
        .idle_seconds = request->answer->opened.idle_seconds,
        .absolute_seconds = request->answer->opened.absolute_seconds,
    };
    request->fd = -1; /* the tunnel's now */
    request->handed_over = true;
    tunnel_hand_over(request->conn, &grant, extra, extra_size, socket, handle);
}

static void on_talk_upgraded(void *cls, struct MHD_Connection *connection, void *con_cls,
                             const char *extra, size_t extra_size, MHD_socket socket,
                             struct MHD_UpgradeResponseHandle *handle)
{
    const struct upgrade_talk *kind = cls;
    struct request *request = con_cls;
    struct handover_heir heir = talk_heir;
    (void)connection;
    heir.owner = kind->begin(request);
    if (heir.owner)
        handover_post(request->conn, &heir, extra, extra_size, socket, handle);
    else
        MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

static enum MHD_Result accept_with(struct request *request, MHD_UpgradeHandler upgraded, void *cls)
{
    char accept[WS_ACCEPT_SIZE];
    const char *key = request_header(request, "Sec-WebSocket-Key");
    struct MHD_Response *response = MHD_create_response_for_upgrade(upgraded, cls);
    if (!response || !key)
        return MHD_NO;
    ws_accept_key(accept, key);
    MHD_add_response_header(response, "Upgrade", "websocket");
    MHD_add_response_header(response, "Sec-WebSocket-Accept", accept);
    /* RDP clients for phones and those that follow noVNC offer it, and some insist on an answer. */
    if (lists(request_header(request, "Sec-WebSocket-Protocol"), "binary"))
        MHD_add_response_header(response, "Sec-WebSocket-Protocol", "binary");
    return answer_queue(request, MHD_HTTP_SWITCHING_PROTOCOLS, response);
}

enum MHD_Result upgrade_accept(struct request *request)
{
    return accept_with(request, on_upgraded, NULL);
}

enum MHD_Result upgrade_accept_talk(struct request *request, const struct upgrade_talk *kind)
{
    return accept_with(request, on_talk_upgraded, (void *)(uintptr_t)kind); /* only read */
}

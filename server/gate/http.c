/* libmicrohttpd with an epoll thread of its own, no listening socket and no TLS: connections are
 * handed to it one by one as ends of socketpairs. A request that needs the keeper is suspended and
 * resumed, so the thread never waits.
 *
 * libmicrohttpd has no room for our pointer in MHD_add_connection(), so a table by descriptor
 * number carries it to the notification that a connection has started: the entry is set before the
 * descriptor is handed over, and its number cannot be used again before libmicrohttpd closes it. */
#include "http.h"

#include "answer.h"
#include "conn.h"
#include "credential.h"
#include "fd.h"
#include "gate_state.h"
#include "http_target.h"
#include "log.h"
#include "proxied.h"
#include "rdg_channel.h"
#include "route.h"
#include "tunnel.h"
#include "wiped_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define POOL_BYTES (32 * 1024) /* a request's head; longer ones get 431 */
#define FDS_MOST (1U << 20)

static struct {
    _Atomic(struct conn *) *slots;
    size_t count;
} by_fd;

/* ---- one request ---- */

static struct request *request_new(struct gate_state *gate, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct request *request = info && info->socket_context ? calloc(1, sizeof(*request)) : NULL;
    if (!request)
        return NULL;
    request->gate = gate;
    request->mhd = mhd;
    request->conn = conn_ref(info->socket_context);
    request->address = proxied_client(request);
    request->fd = -1;
    return request;
}

static void request_free(struct request *request)
{
    if (request->answer && request->answer->head.type == IPC_OPENED &&
        request->answer->opened.status == IPC_OK && !request->handed_over) {
        struct tunnel_grant grant = {.tunnel = request->answer->opened.tunnel,
                                     .desktop = request->fd};
        tunnel_abandon(request->gate, &grant);
    } else if (!request->handed_over) {
        fd_close(&request->fd);
    }
    if (request->body)
        explicit_bzero(request->body, request->body_size);
    if (request->answer)
        explicit_bzero(request->answer, sizeof(*request->answer));
    free(request->body);
    free(request->answer);
    json_decref(request->list);
    rdg_channel_forget(request);
    conn_unref(request->conn);
    explicit_bzero(request, sizeof(*request));
    free(request);
}

static bool is_json(const struct request *request)
{
    const char *type = request_header(request, "Content-Type");
    if (!type || strncasecmp(type, "application/json", 16) != 0)
        return false;
    return type[16] == '\0' || type[16] == ';' || type[16] == ' ';
}

static void note_foreign_origin(struct request *request)
{
    struct ipc_note note;
    IPC_INIT(&note, NOTE, 0);
    note.kind = IPC_NOTE_ORIGIN;
    request_origin(request, &note.origin);
    keeper_link_tell(request->gate->keeper, &note.head);
}

/* What the route's needs forbid is answered here; IPC of any kind comes later. */
static bool refuse_by_needs(struct request *request, enum MHD_Result *result)
{
    unsigned needs = request->route->needs;
    if (needs & ROUTE_JSON && !is_json(request)) {
        *result = answer_error(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "not_json",
                               "Send the body as Content-Type: application/json.");
        return true;
    }
    if (needs & ROUTE_SESSION) {
        credential_read(request);
        if (request->credential == REQUEST_NO_CREDENTIAL) {
            *result = answer_status(request, IPC_NO_SESSION, 0);
            return true;
        }
    }
    /* Browsers send Origin with every WebSocket and every POST. */
    if (needs & (ROUTE_SAME_ORIGIN | ROUTE_OUR_PAGES) &&
        !credential_same_origin(request, needs & ROUTE_SAME_ORIGIN)) {
        note_foreign_origin(request);
        *result = answer_error(request, MHD_HTTP_FORBIDDEN, "foreign_origin",
                               "This request comes from a page of another site.");
        return true;
    }
    return false;
}

static bool is_chunked(const struct request *request)
{
    const char *coding = request_header(request, "Transfer-Encoding");
    return coding && strcasecmp(coding, "chunked") == 0;
}

static enum route_table table_of(const struct conn *conn)
{
    if (conn->metrics)
        return ROUTE_TABLE_METRICS;
    return conn->tls ? ROUTE_TABLE_TLS : ROUTE_TABLE_PLAIN;
}

/* The head is here. */
static enum MHD_Result on_head(struct gate_state *gate, struct MHD_Connection *mhd,
                               const char *method, const char *path, bool old, void **state)
{
    struct request *request = request_new(gate, mhd);
    if (!request)
        return MHD_NO;
    *state = request;
    const char *allow;
    enum MHD_Result result;
    request->method = method;
    request->old = old;
    path = http_target_path(path, request->conn->tls ? "https" : "http",
                            request_header(request, "Host"));
    if (!proxied_begin(request))
        return answer_status(request, IPC_BUSY, ANSWER_BUSY_SECONDS);
    if (!path)
        return answer_error(request, MHD_HTTP_MISDIRECTED_REQUEST, "misdirected",
                            "The request's target and its Host field name different servers.");
    request->route = route_find(request, table_of(request->conn), method, path, &allow);
    LOG_DEBUG("http.request", path, LOG_TEXT("conn", request->conn->id),
              LOG_TEXT("method", method));
    if (!request->route)
        return allow ? answer_method(request, allow) : answer_status(request, IPC_NOT_FOUND, 0);
    if (refuse_by_needs(request, &result))
        return result;
    request->streams = request->route->needs & ROUTE_STREAM && is_chunked(request);
    return request->streams ? request->route->begin(request) : MHD_YES;
}

static enum MHD_Result on_body(struct request *request, const char *data, size_t size)
{
    if (request->too_large || size > REQUEST_BODY_MOST - request->body_size) {
        request->too_large = true;
        return MHD_YES;
    }
    /* In one piece from the start: realloc() would leave copies of a password behind. */
    if (!request->body)
        request->body = malloc(REQUEST_BODY_MOST);
    if (!request->body)
        return MHD_NO;
    memcpy(request->body + request->body_size, data, size);
    request->body_size += size;
    return MHD_YES;
}

static enum MHD_Result on_complete(struct request *request)
{
    atomic_store(&request->conn->busy, true);
    if (request->too_large)
        return answer_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "too_large",
                            "The request's body is too large.");
    return request->route->begin(request);
}

/* Whoever has signed in is no stranger any more, and whoever signs out, or shows a session that is
 * over, is one again. */
static void note_session(const struct request *request)
{
    const union ipc_record *told = request->answer;
    struct conn *conn = request->conn;
    bool out = told->head.type == IPC_SIGNED_OUT, in = told->head.type == IPC_SIGNED_IN;
    bool session = request->route->needs & ROUTE_SESSION;
    if (told->head.type == IPC_NONE)
        return;
    if (told->answer.status == IPC_OK && !out && (session || in)) {
        atomic_store(&conn->proved, true);
        admit_stage(request->gate->admit, &conn->slot, ADMIT_KNOWN);
    } else if (session &&
               (told->answer.status == IPC_NO_SESSION || (told->answer.status == IPC_OK && out))) {
        admit_stage(request->gate->admit, &conn->slot, ADMIT_STRANGER);
    }
}

static enum MHD_Result on_told(struct request *request)
{
    note_session(request);
    return request->route->told(request);
}

static enum MHD_Result on_request(void *owner, struct MHD_Connection *mhd, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct request *request = *state;
    if (!request)
        return on_head(owner, mhd, method, path, strcmp(version, MHD_HTTP_VERSION_1_0) == 0, state);
    if (request->stage == REQUEST_TOLD)
        return on_told(request);
    if (request->stage != REQUEST_READING)
        return MHD_YES;
    if (*size == 0)
        return on_complete(request);
    enum MHD_Result result = on_body(request, data, *size);
    *size = 0;
    return result;
}

static void on_completed(void *owner, struct MHD_Connection *mhd, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct request *request = *state;
    (void)owner;
    (void)mhd;
    (void)code;
    if (!request)
        return;
    *state = NULL;
    proxied_end(request);
    atomic_store(&request->conn->busy, false);
    atomic_store(&request->conn->answering, false);
    atomic_fetch_add(&request->conn->completed, 1);
    request_free(request);
}

/* ---- connections ---- */

static void on_connection(void *owner, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    (void)owner;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            conn_unref(*context);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info && info->connect_fd >= 0 && (size_t)info->connect_fd < by_fd.count)
        *context = atomic_exchange(&by_fd.slots[info->connect_fd], NULL);
}

int http_attach(struct gate_state *gate, struct conn *conn)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    if ((size_t)ends[1] >= by_fd.count) {
        close(ends[0]);
        close(ends[1]);
        return -EMFILE;
    }
    struct sockaddr_storage address;
    socklen_t size = addr_to_sockaddr(&conn->address, 0, &address);
    struct conn *left = atomic_exchange(&by_fd.slots[ends[1]], conn_ref(conn));
    if (left) /* of a connection that libmicrohttpd gave up without a word */
        conn_unref(left);
    /* Closes the descriptor when it fails. */
    if (MHD_add_connection(gate->http, ends[1], (struct sockaddr *)&address, size) != MHD_YES) {
        struct conn *own = conn; /* the number may be another worker's by now */
        if (atomic_compare_exchange_strong(&by_fd.slots[ends[1]], &own, NULL))
            conn_unref(conn);
        close(ends[0]);
        return -ENOMEM;
    }
    return ends[0];
}

/* ---- the daemon ---- */

/* libmicrohttpd's log. It tries TCP options on every socket and complains that ours, a local pair,
 * has none; nothing else it says is routine. */
__attribute__((format(printf, 2, 0))) static void on_log(void *owner, const char *format,
                                                         va_list arguments)
{
    char text[256];
    (void)owner;
    vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\n")] = '\0';
    if (!strstr(text, "TCP_NODELAY") && !strstr(text, "push the data"))
        LOG_DEBUG("http.library", text);
}

/* Paths reach the routes as they were sent; the routes decode what they take. */
static size_t keep_escapes(void *owner, struct MHD_Connection *mhd, char *text)
{
    (void)owner;
    (void)mhd;
    return strlen(text);
}

int http_start(struct gate_state *gate)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    by_fd.count = limit.rlim_cur < FDS_MOST ? limit.rlim_cur : FDS_MOST;
    by_fd.slots = calloc(by_fd.count, sizeof(*by_fd.slots));
    if (!by_fd.slots)
        return -ENOMEM;
    wiped_json_init();
    gate->http = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_UPGRADE | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, gate, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_CONNECTION_LIMIT, gate->conf->connections + METRICS_CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_CONNECTION_TIMEOUT, 0U,
#if MHD_VERSION >= 0x00097701
        MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1,
#else
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
#endif
        MHD_OPTION_END);
    return gate->http ? 0 : -ENOMEM;
}

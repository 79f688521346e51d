/* One HTTP request, from its head to its answer. Lives in the HTTP thread; while it is suspended
 * the main loop fills in the keeper's answer and resumes it. */
#pragma once

#include "ipc.h"
#include "keeper_link.h"

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>

#define REQUEST_BODY_MOST 16384 /* two passwords with every character escaped fit */

struct channel;
struct conn;
struct gate_state;
struct request;
struct route;
struct web_asset;

enum request_stage { REQUEST_READING, REQUEST_ASKED, REQUEST_TOLD, REQUEST_ANSWERED };

/* How the session reference came. */
enum request_credential { REQUEST_NO_CREDENTIAL, REQUEST_COOKIE, REQUEST_BEARER };

struct request {
    struct gate_state *gate;
    struct conn *conn; /* referenced */
    struct MHD_Connection *mhd;
    struct addr address; /* the client's (proxied.h) */
    const struct route *route;
    const char *method;            /* libmicrohttpd's, as long as the request is */
    const struct web_asset *asset; /* where the route is ROUTE_FILE */
    enum request_stage stage;
    enum request_credential credential;
    uint8_t token[IPC_TOKEN_SIZE];
    char name[IPC_CHALLENGE_SIZE]; /* the path's segment at the route's '*', decoded */
    bool old;                      /* it is in HTTP/1.0 */
    bool streams; /* its body is chunked and the route's (ROUTE_STREAM): nothing of it is read */
    bool too_large;
    bool listing_failed; /* the opened tunnel could not be listed: it must not come about */
    size_t body_size;
    char *body;
    struct channel *channel; /* of a legacy pair, until the connection is handed over */
    json_t *list;            /* gathered over several answers */
    struct keeper_call call;
    union ipc_record *answer; /* the keeper's; REQUEST_TOLD */
    int fd;                   /* what the answer carried, or -1 */
    bool upgraded;            /* the connection is not HTTP's any more */
    bool handed_over;         /* the opened tunnel is the worker's now */
};

/* The first field of this name in the request's head, or NULL; libmicrohttpd's. */
const char *request_header(const struct request *request, const char *name);

/* Asks the keeper and suspends the request; the route's `told` is called with the answer in place.
 * When the keeper cannot be asked, answers 503. */
enum MHD_Result request_ask(struct request *request, struct ipc_head *record,
                            enum ipc_type expected);
/* Fills in whom a question comes from. */
void request_origin(const struct request *request, struct ipc_origin *origin);
/* Likewise, and in whose session. */
void request_session(const struct request *request, struct ipc_origin *origin,
                     uint8_t token[IPC_TOKEN_SIZE]);

#include "request.h"

#include "answer.h"
#include "conn.h"
#include "gate_state.h"
#include "owner.h"

#include <stdlib.h>
#include <string.h>

/* Main loop: the keeper has answered. */
static void on_told(struct keeper_call *call, const union ipc_record *answer, int fd)
{
    struct request *request = OWNER_OF(call, struct request, call);
    /* From here on the keeper may order this tunnel's end: list it before the next record is read.
     */
    if (answer->head.type == IPC_OPENED && answer->opened.status == IPC_OK &&
        tunnel_table_add(request->gate->tunnels, answer->opened.tunnel, request->conn))
        request->listing_failed = true;
    memcpy(request->answer, answer, answer->head.size);
    request->fd = fd;
    request->stage = REQUEST_TOLD;
    MHD_resume_connection(request->mhd);
}

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, name);
}

enum MHD_Result request_ask(struct request *request, struct ipc_head *record,
                            enum ipc_type expected)
{
    if (!request->answer)
        request->answer = malloc(sizeof(*request->answer));
    if (!request->answer)
        return answer_status(request, IPC_FAILED, 0);
    request->call.done = on_told;
    request->stage = REQUEST_ASKED;
    /* Suspended first: the answer may come before keeper_link_ask() returns. */
    MHD_suspend_connection(request->mhd);
    int error = keeper_link_ask(request->gate->keeper, record, expected, &request->call);
    if (error) {
        *request->answer = (union ipc_record){.head = {.type = IPC_NONE}};
        request->stage = REQUEST_TOLD;
        MHD_resume_connection(request->mhd);
    }
    return MHD_YES;
}

/* It is stored and shown in lists and JSON: printable ASCII only. */
static void copy_printable(char *to, size_t size, const char *from)
{
    text_copy(to, size, from);
    for (; *to; to++) {
        if (*to < ' ' || *to > '~')
            *to = '?';
    }
}

void request_origin(const struct request *request, struct ipc_origin *origin)
{
    const char *agent = request_header(request, "User-Agent");
    memcpy(origin->conn, request->conn->id, sizeof(origin->conn));
    origin->address = request->address;
    if (agent)
        copy_printable(origin->agent, sizeof(origin->agent), agent);
}

void request_session(const struct request *request, struct ipc_origin *origin,
                     uint8_t token[IPC_TOKEN_SIZE])
{
    request_origin(request, origin);
    memcpy(token, request->token, IPC_TOKEN_SIZE);
}

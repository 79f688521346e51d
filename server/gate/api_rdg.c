/* RD Gateway: clients of Microsoft's protocol. Over WebSocket, or over the legacy pair of channels:
 * first RDG_OUT_DATA, then RDG_IN_DATA without a body, to sign in, and on the same connection
 * RDG_IN_DATA with a chunked body that never ends. */
#include "answer.h"
#include "api.h"
#include "gate_state.h"
#include "rdg_auth.h"
#include "rdg_channel.h"
#include "tsgu_talk.h"
#include "upgrade.h"

#include <string.h>

static struct talk *over_websocket(const struct request *request)
{
    return tsgu_talk_new(request, false);
}

static enum MHD_Result no_legacy(struct request *request)
{
    return answer_error(request, MHD_HTTP_NOT_IMPLEMENTED, "websocket_only",
                        "This gateway speaks the RD Gateway protocol over WebSocket only.");
}

/* To a channel that will give: come with your body. */
static enum MHD_Result expect_body(struct request *request)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    return response ? answer_queue(request, MHD_HTTP_OK, response) : MHD_NO;
}

static enum MHD_Result channel_that_takes(struct request *request)
{
    static const struct upgrade_talk kind = {over_websocket};
    if (upgrade_wanted(request))
        return upgrade_accept_talk(request, &kind);
    return request->gate->conf->rdg_legacy ? rdg_channel_out(request, rdg_auth_reference(request))
                                           : no_legacy(request);
}

static enum MHD_Result channel_that_gives(struct request *request)
{
    if (!request->gate->conf->rdg_legacy)
        return no_legacy(request);
    return request->streams ? rdg_channel_in(request, rdg_auth_reference(request))
                            : expect_body(request);
}

enum MHD_Result api_rdg(struct request *request)
{
    enum MHD_Result result;
    const char *refusal = upgrade_wanted(request) ? upgrade_refusal_old(request) : NULL;
    if (refusal)
        return answer_error(request, MHD_HTTP_UPGRADE_REQUIRED, "not_a_tunnel_request", refusal);
    if (rdg_auth(request, &result) == RDG_AUTH_ANSWERED)
        return result;
    return strcmp(request->method, "RDG_IN_DATA") == 0 ? channel_that_gives(request)
                                                       : channel_that_takes(request);
}

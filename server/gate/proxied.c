#include "proxied.h"

#include "conn.h"
#include "forwarded.h"
#include "gate_state.h"
#include "request.h"
#include "worker.h"

#include <strings.h>

struct gathering {
    struct forwarded list;
    const char *name;
    enum forwarded_kind kind;
};

bool proxied_by(const struct conn *conn)
{
    const struct conf_nets *proxies = &conn->worker->gate->conf->trusted_proxies;
    return !conn->metrics && addr_in_any(&conn->address, proxies->nets, proxies->count);
}

/* Fields come in the order in which they stand in the request. */
static enum MHD_Result gather(void *owner, enum MHD_ValueKind kind, const char *key,
                              const char *value)
{
    struct gathering *gathering = owner;
    (void)kind;
    if (value && strcasecmp(key, gathering->name) == 0)
        forwarded_add(&gathering->list, gathering->kind, value);
    return MHD_YES;
}

struct addr proxied_client(const struct request *request)
{
    const struct conf *conf = request->gate->conf;
    bool standard = conf->proxy_header == CONF_PROXY_FORWARDED;
    struct gathering gathering = {
        .name = standard ? "Forwarded" : "X-Forwarded-For",
        .kind = standard ? FORWARDED_STANDARD : FORWARDED_X_FOR,
    };
    if (!request->conn->proxied)
        return request->conn->address;
    MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, gather, &gathering);
    return forwarded_client(&gathering.list, &request->conn->address, conf->trusted_proxies.nets,
                            conf->trusted_proxies.count);
}

/* What the proxy asks for itself, such as whether we live, counts for nobody. */
bool proxied_begin(struct request *request)
{
    struct conn *conn = request->conn;
    if (!conn->proxied || addr_equal(&request->address, &conn->address))
        return true;
    return admit_address(request->gate->admit, &conn->slot, &request->address) == ADMIT_OK;
}

void proxied_end(struct request *request)
{
    struct conn *conn = request->conn;
    if (!conn->proxied || request->upgraded)
        return;
    admit_address(request->gate->admit, &conn->slot, NULL);
    admit_stage(request->gate->admit, &conn->slot, ADMIT_STRANGER);
}

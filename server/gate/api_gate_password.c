/* Gateway passwords, for clients that cannot open an .rdp file. */
#include "answer.h"
#include "api.h"
#include "api_kit.h"
#include "gate_state.h"

#include <string.h>

enum MHD_Result api_gate_password(struct request *request)
{
    enum MHD_Result result;
    if (!request->gate->conf->rdg_passwords)
        return answer_error(request, MHD_HTTP_NOT_FOUND, "not_offered",
                            "This gateway makes no gateway passwords. Open the desktop's .rdp file "
                            "instead.");
    if (!api_kit_body(request, NULL, 0, &result))
        return result;
    if (!text_is_name(request->name))
        return answer_status(request, IPC_NO_DESKTOP, 0);
    struct ipc_ticket record;
    IPC_INIT(&record, TICKET, 0);
    request_session(request, &record.origin, record.token);
    record.way = IPC_WAY_RDG;
    record.with_password = 1;
    text_copy(record.desktop, sizeof(record.desktop), request->name);
    result = request_ask(request, &record.head, IPC_TICKET_MADE);
    explicit_bzero(&record, sizeof(record));
    return result;
}

/* As people type it: "host" or "host:port". */
static const char *gateway(const struct request *request)
{
    static const char scheme[] = "https://";
    return request->gate->origin + sizeof(scheme) - 1;
}

enum MHD_Result api_gate_password_told(struct request *request)
{
    const struct ipc_ticket_made *answer = &request->answer->ticket_made;
    enum MHD_Result result;
    if (!api_kit_told(request, IPC_TICKET_MADE, &result))
        return result;
    if (answer->status != IPC_OK)
        return answer_status(request, answer->status, 0);
    return answer_json(request, MHD_HTTP_OK,
                       json_pack("{s:s, s:s, s:s, s:s, s:I}", "gateway", gateway(request),
                                 "username", answer->username, "password", answer->password,
                                 "desktop", answer->desktop, "expires_seconds",
                                 (json_int_t)answer->seconds),
                       NULL);
}

#include "api.h"

#include "answer.h"
#include "gate_state.h"
#include "metrics.h"

#include <stdlib.h>

enum MHD_Result api_metrics(struct request *request)
{
    struct ipc_metrics record;
    IPC_INIT(&record, METRICS, 0);
    return request_ask(request, &record.head, IPC_METRICS_TOLD);
}

/* Also when the keeper could not be asked: that is worth knowing. */
enum MHD_Result api_metrics_told(struct request *request)
{
    struct gate_state *gate = request->gate;
    struct metrics_numbers numbers = {
        .connections = admit_count(gate->admit),
        .connections_most = admit_most(gate->admit),
        .workers = (uint32_t)gate->worker_count,
        .certificate_expire = creds_expire(gate->creds),
        .vitals = vitals_read(),
        .keeper =
            request->answer->head.type == IPC_METRICS_TOLD ? &request->answer->metrics_told : NULL,
    };
    size_t size = 0;
    admit_strangers(gate->admit, &numbers.strangers, &numbers.handshakes);
    gate_meter_sum(gate, numbers.gate);
    keeper_link_look(gate->keeper, &numbers.link);
    char *text = metrics_write(&numbers, &size);
    if (!text)
        return answer_status(request, IPC_FAILED, 0);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(size, text, free);
    if (!response) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    answer_headers(request, response);
    return answer_queue(request, MHD_HTTP_OK, response);
}

#include "metrics.h"

#include "metrics_text.h"

#include <stdlib.h>

#define COUNTER "counter"
#define GAUGE "gauge"
#define HISTOGRAM "histogram"

/* ---- what the gate knows ---- */

static void put_connections(FILE *out, const struct metrics_numbers *numbers)
{
    const uint64_t *gate = numbers->gate;
    metrics_text_one(out, "deskgate_connections", GAUGE, "Connections of clients there are.",
                     numbers->connections);
    metrics_text_one(out, "deskgate_connections_limit", GAUGE, "Connections there may be in total.",
                     numbers->connections_most);
    metrics_text_one(out, "deskgate_connections_strangers", GAUGE,
                     "Of them, those on which nobody has signed in.", numbers->strangers);
    metrics_text_one(out, "deskgate_connections_handshaking", GAUGE,
                     "Of them, those that are not through with the TLS handshake.",
                     numbers->handshakes);
    metrics_text_head(out, "deskgate_connections_accepted_total", COUNTER,
                      "Connections of clients taken, by listener.");
    metrics_text_sample(out, "deskgate_connections_accepted_total", "listener", "https",
                        gate[GATE_METER_ACCEPTED_TLS]);
    metrics_text_sample(out, "deskgate_connections_accepted_total", "listener", "http",
                        gate[GATE_METER_ACCEPTED_HTTP]);
    metrics_text_one(out, "deskgate_connections_refused_total", COUNTER,
                     "Connections closed at once, over a limit in total or per address.",
                     gate[GATE_METER_REFUSED]);
    metrics_text_one(out, "deskgate_connections_displaced_total", COUNTER,
                     "Connections of strangers ended to make room for newer ones.",
                     gate[GATE_METER_DISPLACED]);
    metrics_text_one(out, "deskgate_accept_errors_total", COUNTER,
                     "Connections that could not be accepted for lack of descriptors or memory.",
                     gate[GATE_METER_ACCEPT_FAILED]);
    metrics_text_head(out, "deskgate_tls_handshakes_total", COUNTER,
                      "TLS handshakes with clients, by how they went.");
    metrics_text_sample(out, "deskgate_tls_handshakes_total", "result", "full",
                        gate[GATE_METER_HANDSHAKE_FULL]);
    metrics_text_sample(out, "deskgate_tls_handshakes_total", "result", "resumed",
                        gate[GATE_METER_HANDSHAKE_RESUMED]);
    metrics_text_sample(out, "deskgate_tls_handshakes_total", "result", "failed",
                        gate[GATE_METER_HANDSHAKE_FAILED]);
    if (numbers->certificate_expire)
        metrics_text_one(out, "deskgate_certificate_expiry_timestamp_seconds", GAUGE,
                         "When the first of the gateway's certificates ends.",
                         (uint64_t)numbers->certificate_expire);
}

static void put_http(FILE *out, const struct metrics_numbers *numbers)
{
    static const char *const classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
    metrics_text_head(out, "deskgate_http_responses_total", COUNTER,
                      "HTTP answers to clients, by hundreds of the status code.");
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        metrics_text_sample(out, "deskgate_http_responses_total", "code", classes[i],
                            numbers->gate[GATE_METER_ANSWERS + i]);
    metrics_text_head(out, "deskgate_tunnel_bytes_total", COUNTER,
                      "Payload of tunnels: up from client to desktop, down the other way.");
    metrics_text_sample(out, "deskgate_tunnel_bytes_total", "direction", "up",
                        numbers->gate[GATE_METER_UP]);
    metrics_text_sample(out, "deskgate_tunnel_bytes_total", "direction", "down",
                        numbers->gate[GATE_METER_DOWN]);
}

static void put_sign_ins(FILE *out, const struct keeper_link_numbers *link)
{
    static const enum ipc_status outcomes[] = {IPC_OK, IPC_DENIED, IPC_THROTTLED, IPC_BUSY,
                                               IPC_FAILED};
    metrics_text_head(out, "deskgate_sign_ins_total", COUNTER, "Sign-ins, by outcome.");
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++)
        metrics_text_sample(out, "deskgate_sign_ins_total", "outcome", ipc_status_name(outcomes[i]),
                            link->answers[IPC_SIGN_IN][outcomes[i]]);
    metrics_text_head(out, "deskgate_sign_in_duration_seconds", HISTOGRAM,
                      "How long sign-ins take to be judged, waiting included.");
    metrics_text_histogram(out, "deskgate_sign_in_duration_seconds", NULL, NULL,
                           &link->took[IPC_SIGN_IN]);
}

/* Only questions that were asked yet: there are many kinds. */
static void put_link(FILE *out, const struct keeper_link_numbers *link)
{
    metrics_text_one(out, "deskgate_keeper_calls", GAUGE,
                     "Questions to the keeper that wait for an answer.", link->calls);
    metrics_text_one(out, "deskgate_keeper_queue", GAUGE,
                     "Records for the keeper that its socket has not taken.", link->queued);
    metrics_text_head(out, "deskgate_keeper_duration_seconds", HISTOGRAM,
                      "How long the keeper takes to answer, by question.");
    for (unsigned type = 0; type < IPC_TYPES; type++) {
        if (histogram_count(&link->took[type]))
            metrics_text_histogram(out, "deskgate_keeper_duration_seconds", "question",
                                   ipc_type_name(type), &link->took[type]);
    }
    metrics_text_head(out, "deskgate_keeper_refusals_total", COUNTER,
                      "Answers of the keeper other than yes, by what they say.");
    for (unsigned status = IPC_OK + 1; status < IPC_STATUSES; status++) {
        uint64_t count = 0;
        for (unsigned type = 0; type < IPC_TYPES; type++)
            count += link->answers[type][status];
        metrics_text_sample(out, "deskgate_keeper_refusals_total", "status",
                            ipc_status_name(status), count);
    }
}

/* ---- what the keeper tells ---- */

static void put_tunnels(FILE *out, const struct ipc_metrics_told *keeper)
{
    metrics_text_head(out, "deskgate_tunnels", GAUGE, "Live tunnels, by way in.");
    for (unsigned way = 0; way < IPC_WAYS; way++)
        metrics_text_sample(out, "deskgate_tunnels", "way", ipc_way_name(way), keeper->live[way]);
    metrics_text_head(out, "deskgate_tunnels_opened_total", COUNTER, "Tunnels opened, by way in.");
    for (unsigned way = 0; way < IPC_WAYS; way++)
        metrics_text_sample(out, "deskgate_tunnels_opened_total", "way", ipc_way_name(way),
                            keeper->opened[way]);
    metrics_text_head(out, "deskgate_tunnels_ended_total", COUNTER, "Tunnels ended, by why.");
    for (unsigned end = 0; end < IPC_ENDS; end++)
        metrics_text_sample(out, "deskgate_tunnels_ended_total", "why", ipc_end_name(end),
                            keeper->ended[end]);
}

static void put_dials(FILE *out, const struct ipc_metrics_told *keeper)
{
    static const enum ipc_status outcomes[] = {
        IPC_OK,           IPC_DESKTOP_ASLEEP,  IPC_DESKTOP_REFUSED,
        IPC_DESKTOP_NAME, IPC_DESKTOP_ADDRESS, IPC_FAILED};
    metrics_text_head(out, "deskgate_dials_total", COUNTER,
                      "Desktops dialled to open a tunnel, by outcome.");
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++)
        metrics_text_sample(out, "deskgate_dials_total", "outcome", ipc_status_name(outcomes[i]),
                            keeper->dialled[outcomes[i]]);
    metrics_text_head(
        out, "deskgate_dial_duration_seconds", HISTOGRAM,
        "How long dialling takes, whatever comes of it; the name's look-up included.");
    metrics_text_histogram(out, "deskgate_dial_duration_seconds", NULL, NULL, &keeper->dial);
}

static void put_wakes(FILE *out, const struct ipc_metrics_told *keeper)
{
    metrics_text_head(out, "deskgate_wakes_total", COUNTER,
                      "Desktops that were woken, by whether they answered in time.");
    metrics_text_sample(out, "deskgate_wakes_total", "outcome", "answered", keeper->woken);
    metrics_text_sample(out, "deskgate_wakes_total", "outcome", "silent", keeper->silent);
}

static void put_alerts(FILE *out, const struct ipc_metrics_told *keeper)
{
    metrics_text_head(out, "deskgate_alerts_total", COUNTER, "Alerts raised, by rule.");
    for (unsigned rule = 0; rule < ALERT_RULES; rule++)
        metrics_text_sample(out, "deskgate_alerts_total", "rule", alert_rule_name(rule),
                            keeper->alerts[rule]);
}

static void put_queues(FILE *out, const struct ipc_metrics_told *keeper)
{
    const struct {
        const char *name;
        uint32_t length;
    } queues[] = {
        {"password_hash", keeper->hashes},
        {"name_resolution", keeper->resolves},
        {"dial", keeper->dials},
        {"probe", keeper->probes},
    };
    metrics_text_head(out, "deskgate_queue_length", GAUGE,
                      "Work that waits (hashes, names) or is under way (dials, probes).");
    for (size_t i = 0; i < sizeof(queues) / sizeof(*queues); i++)
        metrics_text_sample(out, "deskgate_queue_length", "queue", queues[i].name,
                            queues[i].length);
}

static void put_census(FILE *out, const struct ipc_metrics_told *keeper)
{
    if (keeper->status != IPC_OK)
        return;
    metrics_text_one(out, "deskgate_sessions", GAUGE, "People's sessions that are live.",
                     keeper->sessions);
    metrics_text_head(out, "deskgate_users", GAUGE, "People there are.");
    metrics_text_sample(out, "deskgate_users", "state", "enabled",
                        keeper->people - keeper->disabled);
    metrics_text_sample(out, "deskgate_users", "state", "disabled", keeper->disabled);
    metrics_text_one(out, "deskgate_desktops", GAUGE, "Desktops there are.", keeper->desktops);
}

/* ---- both ---- */

static void put_vitals(FILE *out, const struct metrics_numbers *numbers)
{
    const struct {
        const char *name;
        const struct vitals *vitals;
    } processes[] = {
        {"gate", &numbers->vitals},
        {"keeper", numbers->keeper ? &numbers->keeper->vitals : NULL},
    };
    const size_t count = processes[1].vitals ? 2 : 1;
    metrics_text_head(out, "deskgate_resident_memory_bytes", GAUGE, "Memory in use, by process.");
    for (size_t i = 0; i < count; i++)
        metrics_text_sample(out, "deskgate_resident_memory_bytes", "process", processes[i].name,
                            processes[i].vitals->resident_bytes);
    metrics_text_head(out, "deskgate_cpu_seconds_total", COUNTER,
                      "Processor time, user and system, by process.");
    for (size_t i = 0; i < count; i++)
        metrics_text_seconds(out, "deskgate_cpu_seconds_total", "process", processes[i].name,
                             processes[i].vitals->cpu_us);
    metrics_text_head(out, "deskgate_start_time_seconds", GAUGE, "Since when a process runs.");
    for (size_t i = 0; i < count; i++)
        metrics_text_sample(out, "deskgate_start_time_seconds", "process", processes[i].name,
                            (uint64_t)processes[i].vitals->started_at);
}

static void put_all(FILE *out, const struct metrics_numbers *numbers)
{
    metrics_text_head(out, "deskgate_build_info", GAUGE, "Always 1; which version this is.");
    metrics_text_sample(out, "deskgate_build_info", "version", DESKGATE_VERSION, 1);
    metrics_text_one(out, "deskgate_keeper_up", GAUGE,
                     "Whether the keeper told its numbers; without it they are missing.",
                     numbers->keeper != NULL);
    metrics_text_one(out, "deskgate_workers", GAUGE, "Event loops of the gate.", numbers->workers);
    put_vitals(out, numbers);
    put_connections(out, numbers);
    put_http(out, numbers);
    put_sign_ins(out, &numbers->link);
    put_link(out, &numbers->link);
    if (!numbers->keeper)
        return;
    put_tunnels(out, numbers->keeper);
    put_dials(out, numbers->keeper);
    put_wakes(out, numbers->keeper);
    put_alerts(out, numbers->keeper);
    put_queues(out, numbers->keeper);
    put_census(out, numbers->keeper);
}

char *metrics_write(const struct metrics_numbers *numbers, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (!out)
        return NULL;
    put_all(out, numbers);
    bool good = !ferror(out);
    if (fclose(out) != 0 || !good) {
        free(text);
        return NULL;
    }
    return text;
}

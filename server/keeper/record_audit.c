#include "record_audit.h"

#include "log.h"

#include <stdio.h>
#include <string.h>

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

enum store_result record_audit(struct keeper *keeper, const struct ipc_origin *origin,
                               const char *event, const char *outcome, const char *who,
                               const char *desktop, const char *detail)
{
    static const struct addr nowhere;
    struct store_audit row = {.at_ms = keeper_now_ms(),
                              .has_address = !addr_equal(&origin->address, &nowhere)};
    char address[ADDR_TEXT_SIZE] = "";
    text_copy(row.event, sizeof(row.event), event);
    text_copy(row.outcome, sizeof(row.outcome), outcome);
    text_copy(row.who, sizeof(row.who), or_empty(who));
    text_copy(row.desktop, sizeof(row.desktop), or_empty(desktop));
    text_copy(row.conn, sizeof(row.conn), origin->conn);
    text_copy(row.detail, sizeof(row.detail), or_empty(detail));
    row.address = origin->address;
    if (row.has_address)
        addr_text(&row.address, address);
    enum store_result result = store_audit_add(keeper->store, &row);
    if (result != STORE_OK)
        LOG_ERROR("audit", "the audit log could not be written",
                  LOG_TEXT("error", store_error(keeper->store)));
    LOG_INFO(row.event, outcome, LOG_TEXT("conn", row.conn), LOG_TEXT("who", row.who),
             LOG_TEXT("address", address), LOG_TEXT("desktop", row.desktop),
             LOG_TEXT("detail", row.detail));
    return result;
}

void record_note(struct keeper *keeper, const struct ipc_origin *origin, const char *event,
                 const char *outcome, const char *who, const char *detail)
{
    int64_t now = keeper_now();
    if (keeper->notes.second != now) {
        unsigned dropped = keeper->notes.dropped;
        keeper->notes.second = now;
        keeper->notes.count = keeper->notes.dropped = 0;
        if (dropped) {
            char words[64];
            struct ipc_origin nobody = {0};
            snprintf(words, sizeof(words), "%u rows like the ones before were left out", dropped);
            record_audit(keeper, &nobody, "notes-dropped", "limited", NULL, NULL, words);
        }
    }
    if (++keeper->notes.count > RECORD_NOTES)
        keeper->notes.dropped++;
    else
        record_audit(keeper, origin, event, outcome, who, NULL, detail);
}

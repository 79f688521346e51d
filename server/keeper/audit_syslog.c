#include "audit_syslog.h"

#include "audit_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FACILITY 10             /* authpriv: RFC 5424 section 6.2.1 */
#define SEQUENCE_MOST INT32_MAX /* section 7.3.1 */

enum severity { ALERT = 1, CRITICAL = 2, WARNING = 4, NOTICE = 5, INFORMATIONAL = 6 };

static enum severity severity_of(const struct store_audit *row)
{
    static const char *const bad[] = {"denied", "throttled", "failed", "changed", "untrusted"};
    if (strcmp(row->event, "alert") == 0)
        return ALERT;
    if (strcmp(row->outcome, "broken") == 0)
        return CRITICAL;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (strcmp(row->outcome, bad[i]) == 0)
            return WARNING;
    }
    return row->by[0] ? NOTICE : INFORMATIONAL;
}

/* Printable ASCII without a space, as header fields want it; "-" for nothing. */
static void field(char *to, size_t size, const char *text)
{
    size_t length = 0;
    for (; *text && length + 1 < size; text++)
        to[length++] = *text > ' ' && *text < 0x7f ? *text : '_';
    if (length == 0)
        to[length++] = '-';
    to[length] = '\0';
}

size_t audit_syslog(const struct store_audit *row, const char *host, char to[AUDIT_SYSLOG_SIZE])
{
    char at[AUDIT_RECORD_TIME], name[256], event[33];
    json_t *record = audit_record(row);
    char *json = record ? json_dumps(record, JSON_ENSURE_ASCII | JSON_COMPACT) : NULL;
    json_decref(record);
    if (!json)
        return 0;
    field(name, sizeof(name), host);
    field(event, sizeof(event), row->event);
    int size = snprintf(to, AUDIT_SYSLOG_SIZE,
                        "<%d>1 %s %s deskgate - %s [origin software=\"deskgate\" swVersion=\"%s\"]"
                        "[meta sequenceId=\"%" PRId64 "\"] %s",
                        FACILITY * 8 + (int)severity_of(row), audit_record_time(row->at_ms, at),
                        name, event, DESKGATE_VERSION, (row->id - 1) % SEQUENCE_MOST + 1, json);
    free(json);
    return size < AUDIT_SYSLOG_SIZE ? (size_t)size : 0;
}

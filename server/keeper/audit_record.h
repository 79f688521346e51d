/* A row of the audit log as a JSON object, for exports, archives and syslog, and back. */
#pragma once

#include "store.h"

#include <jansson.h>
#include <stdbool.h>

#define AUDIT_RECORD_TIME 32
/* "2025-11-23T05:42:10.123Z". Returns `to`. */
const char *audit_record_time(int64_t at_ms, char to[AUDIT_RECORD_TIME]);

/* Text that is not UTF-8 becomes {"hex": "…"}. NULL when memory ran out. */
json_t *audit_record(const struct store_audit *row);
/* False: not such an object. */
bool audit_record_read(const json_t *object, struct store_audit *row);

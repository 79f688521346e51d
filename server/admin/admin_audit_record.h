/* A row of the audit log as a JSON object, for exports and archives, and back. */
#pragma once

#include "store.h"

#include <jansson.h>
#include <stdbool.h>

/* Text that is not UTF-8 becomes {"hex": "…"}. NULL when memory ran out. */
json_t *admin_audit_record(const struct store_audit *row);
/* False: not such an object. */
bool admin_audit_record_read(const json_t *object, struct store_audit *row);

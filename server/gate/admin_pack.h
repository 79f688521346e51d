/* An administrator's act as the keeper takes it (struct ipc_admin): from a path, a query or a JSON
 * body. Read from strangers. */
#pragma once

#include "ipc.h"

#include <stdbool.h>
#include <stddef.h>

/* Each adds to record->arguments and record->size, and is false when something does not fit, is no
 * option's name, or holds a NUL; the record must not be sent then. */

/* "/api/admin/grant/add", or without a sub-verb "/api/admin/explain". */
bool admin_pack_path(struct ipc_admin *record, const char *path);

/* One pair of a query, percent-encoded, "+" already a blank: the key "word" gives a word, any other
 * an option; `value` may be NULL. */
bool admin_pack_pair(struct ipc_admin *record, const char *key, const char *value);

/* {"words": ["alice"], "options": {"hours": "mon-fri", "all": true, "rdp-setting": ["a", "b"]}};
 * both may be missing. A whole number may stand for its digits, false for an option that is not
 * given. */
bool admin_pack_body(struct ipc_admin *record, const char *body, size_t size);

/* deskgate audit archive, and what reads its files again. */
#pragma once

#include "audit_seal.h"
#include "sub.h"

#include <stdint.h>

extern const struct sub_option admin_audit_archive_options[];
int admin_audit_archive(struct act *act, const struct sub_args *args);
/* By the configuration's keep_days, into the state folder: what the supervisor runs. */
int admin_audit_expire(struct act *act, const struct sub_args *args);
/* The same, `most` rows a file: the log has as many files as it takes. */
int admin_audit_expire_by(struct act *act, int64_t most);

/* 'audit verify --archive FILE'; `expect` is a row that must be in it, with id 0: none. An exit
 * code.
 */
int admin_audit_archive_verify(struct act *act, const char *path,
                               const struct audit_mark_row *expect, bool json);

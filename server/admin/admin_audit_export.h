/* deskgate audit export. */
#pragma once

#include "sub.h"

struct store_audit_filter;

extern const struct sub_option admin_audit_export_options[];
int admin_audit_export(struct act *act, const struct sub_args *args);

/* --since, --until, --user and --event, for every sub-verb that has them. An exit code. */
int admin_audit_select(struct act *act, const struct sub_args *args,
                       struct store_audit_filter *filter);
/* Says so when the rows that are asked for would begin among those that were archived. An exit
 * code.
 */
int admin_audit_archived(struct act *act, const struct store_audit_filter *filter);

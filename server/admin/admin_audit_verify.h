/* deskgate audit verify. */
#pragma once

#include "sub.h"

extern const struct sub_option admin_audit_verify_options[];
int admin_audit_verify(struct act *act, const struct sub_args *args);

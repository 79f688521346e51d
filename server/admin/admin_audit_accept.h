/* deskgate audit accept: an administrator knows what is wrong with the log, and it goes on. */
#pragma once

#include "sub.h"

extern const struct sub_option admin_audit_accept_options[];
int admin_audit_accept(struct act *act, const struct sub_args *args);

/* deskgate desktop trust: how a desktop's certificate is judged. */
#pragma once

#include "sub.h"

extern const struct sub_option admin_trust_options[];
int admin_trust_run(struct act *act, const struct sub_args *args);

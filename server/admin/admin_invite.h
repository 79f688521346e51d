/* deskgate user invite: people set up their own factors in the browser. */
#pragma once

#include "sub.h"

extern const struct sub_option admin_invite_options[];
int admin_invite_run(struct act *act, const struct sub_args *args);

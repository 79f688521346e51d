/* deskgate tunnel tell. */
#pragma once

#include "sub.h"

extern const struct sub_option admin_tell_options[];
int admin_tell_run(struct act *act, const struct sub_args *args);

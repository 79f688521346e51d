/* deskgate user role: who may administer in the browser. */
#pragma once

#include "sub.h"

int admin_role_run(struct act *act, const struct sub_args *args);

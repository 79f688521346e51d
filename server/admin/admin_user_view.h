/* deskgate user list: people as other people and pages see them. */
#pragma once

#include "sub.h"

int admin_user_view_list(struct act *act, const struct sub_args *args);

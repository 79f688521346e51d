/* deskgate user export, user import: people as CSV. */
#pragma once

#include "sub.h"

int admin_user_export(struct act *act, const struct sub_args *args);
extern const struct sub_option admin_user_import_options[];
int admin_user_import(struct act *act, const struct sub_args *args);

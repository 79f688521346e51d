/* What limits a person, a desktop or a grant: dates, hours, numbers. Sub-verbs of user, desktop and
 * grant. */
#pragma once

#include "sub.h"

#include <stdint.h>

extern const struct sub_option admin_limit_user_options[];
int admin_limit_user(struct act *act, const struct sub_args *args);
extern const struct sub_option admin_limit_desktop_options[];
int admin_limit_desktop(struct act *act, const struct sub_args *args);
extern const struct sub_option admin_limit_grant_options[];
int admin_limit_grant(struct act *act, const struct sub_args *args);

/* "--from" or "--until" as typed: a moment, or "none" (0). EX_OK or, told, EX_DATAERR. */
int admin_limit_moment(struct act *act, const char *option, const char *typed, int64_t now,
                       int64_t *to);

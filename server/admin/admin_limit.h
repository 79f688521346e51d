/* What limits a person, a desktop or a grant: dates, hours, numbers. Sub-verbs of user, desktop and
 * grant. */
#pragma once

#include "listing.h"
#include "sub.h"
#include "when.h"

#include <stdint.h>

extern const struct sub_option admin_limit_user_options[];
int admin_limit_user(struct act *act, const struct sub_args *args);
extern const struct sub_option admin_limit_desktop_options[];
int admin_limit_desktop(struct act *act, const struct sub_args *args);
extern const struct sub_option admin_limit_grant_options[];
int admin_limit_grant(struct act *act, const struct sub_args *args);

/* ---- shared by their files ---- */

/* Of a person or a desktop, live at once; only so that a slip of the finger is told. */
#define ADMIN_LIMIT_TUNNELS_MOST 1000000

/* Nothing to set is given: what holds is shown. */
bool admin_limit_shows(const struct sub_args *args);
/* Prints what holds, as --json says. An exit code. */
int admin_limit_tell(struct act *act, const struct listing_column *columns,
                     const struct listing_value *values, const struct sub_args *args);
/* "--from" and "--until", where given. EX_OK or, told, EX_DATAERR. */
int admin_limit_dates(struct act *act, const struct sub_args *args, int64_t *from, int64_t *until);
/* A date as the audit log has it: "none" for 0. `to` holds WHEN_SIZE. Returns what to print. */
const char *admin_limit_date(int64_t at, char *to);
/* "--from" or "--until" as typed: a moment, or "none" (0). EX_OK or, told, EX_DATAERR. */
int admin_limit_moment(struct act *act, const char *option, const char *typed, enum when_day day,
                       int64_t *to);

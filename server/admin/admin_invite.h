/* deskgate user invite: people set up their own factors in the browser. */
#pragma once

#include "account.h"
#include "sub.h"

extern const struct sub_option admin_invite_options[];
int admin_invite_run(struct act *act, const struct sub_args *args);

/* ---- for others who invite ---- */

/* The key that a new person's factors are sealed with; wipe it. And whether a link would lead here.
 * An exit code; faults are told. */
int admin_invite_key(struct act *act, struct secret_key *key);
#define ADMIN_INVITE_LINK_SIZE 384
/* What the person opens; it is as secret as the invitation. */
void admin_invite_link(struct act *act, const uint8_t invitation[ACCOUNT_INVITATION_SIZE],
                       char to[ADMIN_INVITE_LINK_SIZE]);

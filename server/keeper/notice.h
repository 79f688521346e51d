/* Notices: an administrator's words to the people in front of live tunnels. The command line writes
 * them into the store; those whose clients can show words get them. */
#pragma once

#include "keeper_state.h"

/* An administrator's words are for now, or for nobody. */
#define NOTICE_FORGET_SECONDS 60

/* The store may have new ones: the next notice_tell() looks. */
void notice_changed(struct keeper *keeper);
/* Sends what is new to the gates of the tunnels it is for, a bounded number at a time. Call it
 * often; it looks only when there may be something. */
void notice_tell(struct keeper *keeper);

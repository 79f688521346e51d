/* Tickets: random references for one opening of one desktop by one session, stored hashed, used
 * once. */
#pragma once

#include "ipc.h"
#include "keeper_state.h"

#define TICKET_SECONDS 60      /* from the click to the client's first message */
#define TICKET_WAITING_MOST 16 /* unused ones of a session */

/* Uses up the ticket that `ask` presents. IPC_OK with its number; IPC_BAD_TICKET when it is not one
 * of this session, for this desktop and way, still unused (all of which is audited); IPC_FAILED. */
enum ipc_status ticket_use(struct keeper *keeper, const struct ipc_open *ask,
                           const struct store_session *session, int64_t *ticket);

/* Tickets: random references for one opening of one desktop by one session, stored hashed, used
 * once. */
#pragma once

#include "ipc.h"
#include "keeper_state.h"

#define TICKET_SECONDS 60 /* from the click to the client's first message */
/* A ticket in an .rdp file: clients open several connections at once, and come back by themselves
 * after a broken one, always with the same ticket. They also make several for one sign-in at the
 * desktop, each closed as if it were the end of work: after a negotiation that failed
 * ([MS-RDPBCGR] section 3.3.5.3.2: the server must close), a mistyped password, a certificate that
 * the person has to look at. So it is good for one session of work, not for one connection: for a
 * while after its first use again whoever of the two closed, then only after a drop, and never
 * after an end that the gateway or an administrator wanted. */
#define TICKET_FILE_SECONDS 300  /* from the download to the first use */
#define TICKET_AGAIN_SECONDS 300 /* after the first use */
#define TICKET_GRACE_SECONDS 600 /* after a drop */
#define TICKET_WAITING_MOST 16   /* unused ones of a session */

/* The ticket of an .rdp file: IPC_OK with its row and the session it stands for, IPC_BAD_TICKET
 * (audited), IPC_FAILED. `desktop` is what the client wants, or NULL: not said yet. */
enum ipc_status ticket_look(struct keeper *keeper, const struct ipc_origin *origin,
                            const uint8_t ticket[IPC_TOKEN_SIZE], const char *desktop,
                            struct store_ticket *out, struct store_session *session);
/* Its use: a tunnel that it opened before, and that still lives, ends. */
enum ipc_status ticket_use_again(struct keeper *keeper, const struct store_ticket *ticket);

/* Uses up the ticket that `ask` presents. IPC_OK with its number; IPC_BAD_TICKET when it is not one
 * of this session, for this desktop and way, still unused (all of which is audited); IPC_FAILED. */
enum ipc_status ticket_use(struct keeper *keeper, const struct ipc_open *ask,
                           const struct store_session *session, int64_t *ticket);

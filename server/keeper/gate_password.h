/* Gateway passwords: for RDP clients that cannot open an .rdp file but ask for a name and a
 * password. One is a ticket of such a file in another form: random, of one session, person and
 * desktop, with the same life (ticket.h). In the store lies, sealed, what it is checked with: its
 * NT hash, since NTLM needs that, beside the ticket's reference, which nobody else has. */
#pragma once

#include "ipc.h"
#include "keeper_state.h"

/* For a ticket that is about to be stored: fills in row->password, and the password itself. */
void gate_password_make(const struct keeper *keeper, const char *user_name,
                        const uint8_t ticket[IPC_TOKEN_SIZE], struct store_ticket *row,
                        char password[IPC_PASS_SIZE]);

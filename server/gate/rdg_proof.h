/* What a client shows at HTTP of a gateway password, as a question to the keeper. Pure. */
#pragma once

#include "ipc.h"
#include "ntlm.h"

/* Both fill in all of `pass` but its head and origin; initialise it with IPC_INIT. NULL, or what is
 * wrong, for the log. A name that nobody can have becomes "", so that it costs what others cost. */

/* `data` is "name:password" (RFC 7617 section 2). */
const char *rdg_proof_basic(struct ipc_pass *pass, const uint8_t *data, size_t size);
/* `data` is an AUTHENTICATE message that answers `challenge`. `bindings`: what it takes our end of
 * TLS for, in `data`, or NULL; it is proved with the rest. */
const char *rdg_proof_ntlm(struct ipc_pass *pass,
                           const uint8_t challenge[NTLM_SERVER_CHALLENGE_SIZE], const uint8_t *data,
                           size_t size, const uint8_t **bindings);

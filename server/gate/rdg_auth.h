/* Who an RD Gateway client is, at HTTP: by a gateway password, for clients that take no .rdp file.
 * What a connection has proved belongs to the connection, as NTLM has it (RFC 4559 section 6): the
 * requests after the one that proved it need not say it again. HTTP thread. */
#pragma once

#include "request.h"

struct rdg_identity;

enum rdg_auth {
    RDG_AUTH_OPEN,    /* go on: what the client brings comes in the conversation */
    RDG_AUTH_PASSED,  /* a gateway password was proved on this connection: rdg_auth_reference() */
    RDG_AUTH_ANSWERED /* return *result: a 401, or the keeper is being asked */
};

/* Call it first; and again, from the route's `told`, when the keeper has answered. */
enum rdg_auth rdg_auth(struct request *request, enum MHD_Result *result);

/* What the proved password stands for, IPC_TOKEN_SIZE bytes: as good as the ticket of an .rdp file;
 * NULL: nothing has been proved. As long as the connection is. */
const uint8_t *rdg_auth_reference(const struct request *request);

/* NULL is fine. Any thread, when nobody else has the connection. */
void rdg_auth_forget(struct rdg_identity *identity);

#include "reason.h"

#include "answer.h"
#include "ipc.h"

#include <string.h>

static const char *const ends[IPC_ENDS] = {
    [IPC_END_CLIENT] = "You closed the connection.",
    [IPC_END_CLIENT_LOST] = "The connection between you and the gateway broke. Open the desktop "
                            "again to go on.",
    [IPC_END_DESKTOP] = "The desktop closed the connection.",
    [IPC_END_DESKTOP_LOST] = "The connection between the gateway and the desktop broke. Open the "
                             "desktop again to go on.",
    [IPC_END_PROTOCOL] = "The connection was closed because what came over it made no sense.",
    [IPC_END_IDLE] = "The connection was closed after a long time without activity.",
    [IPC_END_LIMIT] =
        "The time limit for this connection was reached. Open the desktop again to go on.",
    [IPC_END_SIGNED_OUT] = "You signed out.",
    [IPC_END_SESSION_ENDED] =
        "Your session was ended: by an administrator, by its time, or because the "
        "password or the second factor was changed.",
    [IPC_END_TUNNEL_ENDED] = "An administrator ended this connection.",
    [IPC_END_USER_DISABLED] = "Your account was disabled. Ask your administrator.",
    [IPC_END_GRANT_REMOVED] = "You may no longer use this desktop. Ask your administrator.",
    [IPC_END_STOPPING] = "The gateway is stopping. Try again in a few minutes.",
    [IPC_END_GATE_LOST] = "The gateway was interrupted. Open the desktop again to go on.",
    [IPC_END_SETUP] = "The desktop is there, but the connection did not come about. Try again.",
    [IPC_END_NEGOTIATION] = "The desktop did not agree on how to protect the connection. Tell your "
                            "administrator.",
    [IPC_END_DESKTOP_TLS] =
        "The desktop's encryption could not be set up. Tell your administrator.",
    [IPC_END_CERTIFICATE_CHANGED] = "The desktop shows another certificate than before: it was "
                                    "renewed, or this is not the desktop. Tell your administrator.",
    [IPC_END_CERTIFICATE_UNTRUSTED] = "The desktop's certificate is not one that the gateway was "
                                      "told to trust. Tell your administrator.",
};

const char *reason_words(const char *code)
{
    if (*code == '\0')
        return "";
    for (unsigned end = 0; end < IPC_ENDS; end++) {
        if (strcmp(code, ipc_end_name(end)) == 0)
            return ends[end];
    }
    for (unsigned status = IPC_OK + 1; status < IPC_FAILED; status++) {
        if (strcmp(code, ipc_status_name(status)) == 0)
            return answer_words(status);
    }
    return "The gateway could not open the desktop. Its log says why; tell your administrator.";
}

/* The records between gate and keeper: fixed structs over a SOCK_SEQPACKET pair, one record a
 * message. Both are the same binary on the same machine, so host byte order and layout.
 *
 * The receiver trusts nothing: ipc_receive() refuses a record whose type the peer may not send or
 * whose size is not exactly its type's; text fields must be NUL-terminated (ipc_text_ok). */
#pragma once

#include "addr.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IPC_TOKEN_SIZE 32     /* a session reference: 256 random bits */
#define IPC_CONN_SIZE 17      /* a connection's id: 16 hex digits and NUL, as in log and audit */
#define IPC_USERNAME_SIZE 129 /* what a stranger typed; longer is refused by the gate */
#define IPC_PASSWORD_SIZE 1025
#define IPC_CODE_SIZE 17
#define IPC_AGENT_SIZE 257
#define IPC_CHALLENGE_SIZE 129 /* ACME token (RFC 8555 section 8.3), base64url */
#define IPC_CHALLENGE_BODY_SIZE 512
#define IPC_DESKTOP_TEXT_SIZE 201
#define IPC_PAGE 16

/* type, struct, sender */
#define IPC_RECORDS(X)                                                                             \
    X(SIGN_IN, sign_in, GATE)                                                                      \
    X(SIGN_OUT, sign_out, GATE)                                                                    \
    X(WHO, who, GATE)                                                                              \
    X(DESKTOPS, desktops, GATE)                                                                    \
    X(OPEN, open, GATE)                                                                            \
    X(TUNNEL_COUNTS, tunnel_counts, GATE)                                                          \
    X(TUNNEL_ENDED, tunnel_ended, GATE)                                                            \
    X(CHALLENGE, challenge, GATE)                                                                  \
    X(NOTE, note, GATE)                                                                            \
    X(SIGNED_IN, signed_in, KEEPER)                                                                \
    X(SIGNED_OUT, signed_out, KEEPER)                                                              \
    X(WHO_IS, who_is, KEEPER)                                                                      \
    X(DESKTOP_PAGE, desktop_page, KEEPER)                                                          \
    X(OPENED, opened, KEEPER)                                                                      \
    X(CHALLENGE_BODY, challenge_body, KEEPER)                                                      \
    X(CLOSE_TUNNEL, close_tunnel, KEEPER)

enum ipc_type {
    IPC_NONE,
#define X(NAME, name, sender) IPC_##NAME,
    IPC_RECORDS(X)
#undef X
        IPC_TYPES
};

enum ipc_sender { IPC_GATE, IPC_KEEPER };

/* What became of a request. The gate turns it into HTTP; see gate/answer.c. */
enum ipc_status {
    IPC_OK,
    IPC_DENIED,          /* sign-in: any wrong factor, unknown, disabled */
    IPC_THROTTLED,       /* retry_seconds says when */
    IPC_BUSY,            /* queue full or deadline passed; retry_seconds */
    IPC_NO_SESSION,      /* unknown, expired, ended: one answer */
    IPC_NO_DESKTOP,      /* unknown or not granted: one answer */
    IPC_DESKTOP_ASLEEP,  /* no answer in time, or no route */
    IPC_DESKTOP_REFUSED, /* connection refused: nothing listens there */
    IPC_DESKTOP_NAME,    /* its host name does not resolve */
    IPC_DESKTOP_ADDRESS, /* the configuration forbids the address */
    IPC_NOT_FOUND,       /* challenge */
    IPC_FAILED           /* our own fault (disk, memory); logged by the keeper */
};

enum ipc_way { IPC_WAY_TUNNEL, IPC_WAY_RDG, IPC_WAY_CLEANPATH };

/* Why a tunnel ended; stored in the audit log by its name (ipc_end_name). */
enum ipc_end {
    IPC_END_CLIENT,        /* the client closed politely */
    IPC_END_CLIENT_LOST,   /* the client's connection broke */
    IPC_END_DESKTOP,       /* the desktop closed */
    IPC_END_DESKTOP_LOST,  /* the desktop's connection broke */
    IPC_END_PROTOCOL,      /* the client broke the framing's rules */
    IPC_END_IDLE,          /* idle limit */
    IPC_END_LIMIT,         /* absolute limit, the tunnel's or the session's */
    IPC_END_SIGNED_OUT,    /* the person signed out */
    IPC_END_SESSION_ENDED, /* an administrator ended the session */
    IPC_END_TUNNEL_ENDED,  /* an administrator ended this tunnel */
    IPC_END_USER_DISABLED, /* disabled or removed */
    IPC_END_GRANT_REMOVED, /* grant, group membership or desktop removed */
    IPC_END_STOPPING,      /* the gateway stops */
    IPC_END_GATE_LOST,     /* the gate or keeper died; written by the keeper at its next look */
    IPC_END_SETUP,         /* dialled, but the upgrade did not come about */
    IPC_ENDS
};

struct ipc_head {
    uint16_t type;
    uint16_t size;    /* of the whole record */
    uint32_t request; /* chosen by the gate, echoed in the answer; 0 where none is due */
};

struct ipc_origin { /* whom a request comes from */
    char conn[IPC_CONN_SIZE];
    char agent[IPC_AGENT_SIZE];
    struct addr address;
};

/* ---- gate to keeper ---- */
struct ipc_sign_in {
    struct ipc_head head;
    struct ipc_origin origin;
    char username[IPC_USERNAME_SIZE];
    char password[IPC_PASSWORD_SIZE];
    char code[IPC_CODE_SIZE];
};
struct ipc_sign_out {
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
};
struct ipc_who {
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
};
struct ipc_desktops {
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
    char after[TEXT_NAME_SIZE]; /* names in order, beginning behind this one; "" begins */
};
struct ipc_open {
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
    uint8_t way; /* enum ipc_way */
    char desktop[TEXT_NAME_SIZE];
};
struct ipc_tunnel_counts { /* at most every 15 s while bytes move; keeps the session from idling */
    struct ipc_head head;
    int64_t tunnel;
    uint64_t up, down; /* payload bytes: client to desktop, desktop to client; totals */
};
struct ipc_tunnel_ended {
    struct ipc_head head;
    int64_t tunnel;
    uint64_t up, down;
    uint8_t end; /* enum ipc_end */
};
struct ipc_challenge {
    struct ipc_head head;
    char token[IPC_CHALLENGE_SIZE];
};
enum ipc_note_kind { IPC_NOTE_ORIGIN = 1, IPC_NOTE_CAGE };
struct ipc_note { /* something for the audit log that only the gate saw; the keeper rate-limits */
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t kind; /* enum ipc_note_kind */
};

/* ---- keeper to gate ---- */
struct ipc_signed_in {
    struct ipc_head head;
    uint8_t status; /* OK, DENIED, THROTTLED, BUSY, FAILED */
    uint32_t retry_seconds;
    uint8_t token[IPC_TOKEN_SIZE];
    int64_t expires; /* Unix seconds: the absolute limit */
    char username[TEXT_NAME_SIZE];
};
struct ipc_signed_out {
    struct ipc_head head;
    uint8_t status; /* OK, NO_SESSION, FAILED */
};
struct ipc_who_is {
    struct ipc_head head;
    uint8_t status; /* OK, NO_SESSION, FAILED */
    int64_t expires;
    uint32_t idle_seconds; /* until it idles out if unused */
    char username[TEXT_NAME_SIZE];
};
struct ipc_desktop_item {
    char name[TEXT_NAME_SIZE];
    char description[IPC_DESKTOP_TEXT_SIZE];
};
struct ipc_desktop_page {
    struct ipc_head head;
    uint8_t status; /* OK, NO_SESSION, FAILED */
    uint8_t count;
    uint8_t more; /* ask again with after = the last name */
    struct ipc_desktop_item items[IPC_PAGE];
};
struct ipc_opened { /* with status OK it carries one descriptor: the connected TCP socket */
    struct ipc_head head;
    uint8_t status; /* OK, NO_SESSION, NO_DESKTOP, DESKTOP_*, BUSY, FAILED */
    int64_t tunnel;
    uint32_t idle_seconds;     /* 0: no limit */
    uint32_t absolute_seconds; /* from now, the session's end included; never 0 */
};
struct ipc_challenge_body {
    struct ipc_head head;
    uint8_t status; /* OK, NOT_FOUND */
    uint16_t size;
    char body[IPC_CHALLENGE_BODY_SIZE];
};
struct ipc_close_tunnel {
    struct ipc_head head;
    int64_t tunnel;
    uint8_t end; /* enum ipc_end: why */
};

/* Room for any record. */
union ipc_record {
    struct ipc_head head;
#define X(NAME, name, sender) struct ipc_##name name;
    IPC_RECORDS(X)
#undef X
};

/* "client", "desktop-lost", …; "unknown" for a number outside the enum. */
const char *ipc_end_name(unsigned end);
const char *ipc_way_name(unsigned way);

/* Sets head.type and head.size of a zeroed record. */
#define IPC_INIT(record, NAME, request_)                                                           \
    (*(record) = (__typeof__(*(record))){                                                          \
         .head = {.type = IPC_##NAME, .size = sizeof(*(record)), .request = (request_)}})

bool ipc_text_ok(const char *field, size_t size); /* a NUL within */

/* One SOCK_SEQPACKET pair, both ends non-blocking and close-on-exec. 0 or -errno. */
int ipc_pair(int ends[2]);

/* Sends one record, with a descriptor when `fd` >= 0 (the caller still owns it).
 * 0, -EAGAIN when the socket is full, -EPIPE when the peer is gone, or another -errno. */
int ipc_send(int socket, const struct ipc_head *record, int fd);

/* Receives one record that `sender` may send. `*fd` becomes the descriptor it carried (the
 * caller's to close) or -1; descriptors on records that carry none are closed and the record is
 * refused. A descriptor that this process has no room for is lost: then *fd is -1 on a record
 * that carries one. 0; -EAGAIN when nothing waits; -EPIPE when the peer is gone; -EPROTO when the
 * record breaks the table (the peer is then not to be trusted again). */
int ipc_receive(int socket, enum ipc_sender sender, union ipc_record *record, int *fd);

/* The records between gate and keeper: fixed structs over a SOCK_SEQPACKET pair, one record a
 * message. Both are the same binary on the same machine, so host byte order and layout.
 *
 * The receiver trusts nothing: ipc_receive() refuses a record whose type the peer may not send or
 * whose size is not exactly its type's; text fields must be NUL-terminated (ipc_text_ok). */
#pragma once

#include "addr.h"
#include "alert_rule.h"
#include "histogram.h"
#include "text.h"
#include "vitals.h"

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
#define IPC_SESSION_PAGE 8
#define IPC_SESSION_DESKTOPS 4  /* named per session; more are counted */
#define IPC_FINGERPRINT_SIZE 32 /* SHA-256 of a certificate's DER */
#define IPC_HOST_SIZE 256       /* DNS name or address of a desktop */
#define IPC_SECRET_SIZE 33      /* 160 bits in base32, RFC 4648 section 6 */
#define IPC_URI_SIZE 512        /* otpauth:// */
#define IPC_RECOVERY_CODES 10
#define IPC_RECOVERY_SIZE 20 /* "xxxx-xxxx-xxxx-xxxx" */
#define IPC_WORDS_SIZE 160
#define IPC_REASON_SIZE 24
#define IPC_SETTINGS_SIZE 1025 /* lines of an .rdp file, each ended by a line feed */
#define IPC_PASS_SIZE 33       /* a gateway password */
#define IPC_NTLM_USER_SIZE 256 /* bytes of UTF-16 */
#define IPC_NTLM_BLOB_SIZE 1024
#define IPC_ARGUMENTS_SIZE 4096

/* type, struct, sender */
#define IPC_RECORDS(X)                                                                             \
    X(SIGN_IN, sign_in, GATE)                                                                      \
    X(SIGN_OUT, sign_out, GATE)                                                                    \
    X(WHO, who, GATE)                                                                              \
    X(DESKTOPS, desktops, GATE)                                                                    \
    X(OPEN, open, GATE)                                                                            \
    X(TICKET, ticket, GATE)                                                                        \
    X(TICKET_LOOK, ticket_look, GATE)                                                              \
    X(PASS, pass, GATE)                                                                            \
    X(VISIT, visit, GATE)                                                                          \
    X(CERTIFICATE, certificate, GATE)                                                              \
    X(PROBE, probe, GATE)                                                                          \
    X(SESSIONS, sessions, GATE)                                                                    \
    X(END_SESSIONS, end_sessions, GATE)                                                            \
    X(ENROL_BEGIN, enrol_begin, GATE)                                                              \
    X(ENROL_FINISH, enrol_finish, GATE)                                                            \
    X(PASSWORD, password, GATE)                                                                    \
    X(FACTOR, factor, GATE)                                                                        \
    X(ADMIN, admin, GATE)                                                                          \
    X(TUNNEL_COUNTS, tunnel_counts, GATE)                                                          \
    X(TUNNEL_ENDING, tunnel_ending, GATE)                                                          \
    X(TUNNEL_ENDED, tunnel_ended, GATE)                                                            \
    X(CHALLENGE, challenge, GATE)                                                                  \
    X(METRICS, metrics, GATE)                                                                      \
    X(EXPIRY, expiry, GATE)                                                                        \
    X(NOTE, note, GATE)                                                                            \
    X(SIGNED_IN, signed_in, KEEPER)                                                                \
    X(SIGNED_OUT, signed_out, KEEPER)                                                              \
    X(WHO_IS, who_is, KEEPER)                                                                      \
    X(DESKTOP_PAGE, desktop_page, KEEPER)                                                          \
    X(OPENED, opened, KEEPER)                                                                      \
    X(TICKET_MADE, ticket_made, KEEPER)                                                            \
    X(TICKET_SEEN, ticket_seen, KEEPER)                                                            \
    X(PASSED, passed, KEEPER)                                                                      \
    X(VISITED, visited, KEEPER)                                                                    \
    X(CERTIFICATE_JUDGED, certificate_judged, KEEPER)                                              \
    X(PROBED, probed, KEEPER)                                                                      \
    X(SESSION_LIST, session_list, KEEPER)                                                          \
    X(ENROL_OFFER, enrol_offer, KEEPER)                                                            \
    X(ENROLLED, enrolled, KEEPER)                                                                  \
    X(FACTOR_SHOWN, factor_shown, KEEPER)                                                          \
    X(ADMIN_DONE, admin_done, KEEPER)                                                              \
    X(METRICS_TOLD, metrics_told, KEEPER)                                                          \
    X(CHALLENGE_BODY, challenge_body, KEEPER)                                                      \
    X(SAY, say, KEEPER)                                                                            \
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
    IPC_PASSWORD_DUE,    /* the person must change the password before anything else */
    IPC_NO_SESSION,      /* unknown, expired, ended: one answer */
    IPC_NO_DESKTOP,      /* unknown or not granted: one answer */
    IPC_DESKTOP_ASLEEP,  /* no answer in time, or no route */
    IPC_DESKTOP_REFUSED, /* connection refused: nothing listens there */
    IPC_DESKTOP_NAME,    /* its host name does not resolve */
    IPC_DESKTOP_ADDRESS, /* the configuration forbids the address */
    IPC_NOT_NOW,         /* granted, but for other days or hours */
    IPC_NOT_FROM_HERE,   /* … but not from this address */
    IPC_TOO_MANY,        /* … but the person or the desktop has connections enough */
    IPC_STALE_FACTOR,    /* … but only with a second factor that was shown lately */
    IPC_NOT_ADMINISTRATOR,
    IPC_NOT_FOUND,      /* challenge, visit */
    IPC_BAD_TICKET,     /* unknown, used, expired, of another session or desktop: one answer */
    IPC_BAD_INVITATION, /* unknown, used or expired: one answer */
    IPC_WRONG_PASSWORD, /* of somebody who has a session already */
    IPC_WRONG_CODE,     /* likewise, or of a new device */
    IPC_OFFER_GONE,     /* the device on offer is too old, or another was offered since */
    IPC_WEAK_PASSWORD,  /* words say why */
    IPC_CERTIFICATE_CHANGED,
    IPC_CERTIFICATE_UNTRUSTED,
    IPC_FAILED, /* our own fault (disk, memory); logged by the keeper */
    IPC_STATUSES
};

enum ipc_way { IPC_WAY_TUNNEL, IPC_WAY_RDG, IPC_WAY_CLEANPATH, IPC_WAYS };

enum ipc_enrolment { IPC_ENROL_INVITATION, IPC_ENROL_NEW_DEVICE };

/* What a desktop's administrator forbids to redirect; the bits of [MS-TSGU] section 2.2.5.3.7. */
enum ipc_forbid {
    IPC_FORBID_DRIVES = 0x1,
    IPC_FORBID_PRINTERS = 0x2,
    IPC_FORBID_PORTS = 0x4,
    IPC_FORBID_CLIPBOARD = 0x8,
    IPC_FORBID_PNP = 0x10
};
#define IPC_FORBID_ALL 0x1f

enum ipc_pass_kind { IPC_PASS_BASIC, IPC_PASS_NTLM };

enum ipc_visit_state {
    IPC_VISIT_WAITING,
    IPC_VISIT_OPEN,
    IPC_VISIT_ENDED,
    IPC_VISIT_REFUSED,
    IPC_VISIT_WAKING /* the desktop, which takes up to [dial] wake_seconds */
};

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
    IPC_END_SESSION_ENDED, /* by an administrator, its time, or a new password or factor */
    IPC_END_TUNNEL_ENDED,  /* an administrator ended this tunnel */
    IPC_END_USER_DISABLED, /* disabled or removed */
    IPC_END_GRANT_REMOVED, /* grant, group membership or desktop removed */
    IPC_END_STOPPING,      /* the gateway stops */
    IPC_END_GATE_LOST,     /* the gate or keeper died; written by the keeper at its next look */
    IPC_END_SETUP,         /* dialled, but the tunnel did not come about */
    IPC_END_NEGOTIATION,   /* the desktop did not agree on a protocol (X.224) */
    IPC_END_DESKTOP_TLS,   /* no TLS session with the desktop */
    IPC_END_CERTIFICATE_CHANGED,
    IPC_END_CERTIFICATE_UNTRUSTED,
    IPC_ENDS
};

struct ipc_head {
    uint16_t type;
    uint16_t size;    /* of the whole record */
    uint32_t request; /* chosen by the gate, echoed in the answer; 0 where none is due */
};

struct ipc_origin {             /* whom a request comes from */
    char conn[IPC_CONN_SIZE];   /* hexadecimal digits */
    char agent[IPC_AGENT_SIZE]; /* printable ASCII */
    struct addr address;
};

/* ---- gate to keeper ---- */
struct ipc_sign_in {
    struct ipc_head head;
    struct ipc_origin origin;
    char username[IPC_USERNAME_SIZE];
    char password[IPC_PASSWORD_SIZE];
    char code[IPC_CODE_SIZE];
    uint8_t in_browser;              /* which keeps a cookie, by which it is known again */
    uint8_t browser[IPC_TOKEN_SIZE]; /* that cookie; all zero: there is none */
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
    uint8_t way;                    /* enum ipc_way */
    uint8_t ticket[IPC_TOKEN_SIZE]; /* CLEANPATH: must be of this session and desktop; RDG: of this
                                       desktop, and stands for the session (`token` is not looked
                                       at) */
    char desktop[TEXT_NAME_SIZE];
};
struct ipc_ticket { /* makes one */
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
    uint8_t way;           /* enum ipc_way, but not TUNNEL */
    uint8_t with_password; /* RDG: and a gateway password that stands for it */
    char desktop[TEXT_NAME_SIZE];
    int64_t replaces; /* CLEANPATH: the visit that broke for its page; 0: none */
};
struct ipc_ticket_look { /* RDG: may it open something now? Uses nothing up */
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t ticket[IPC_TOKEN_SIZE];
};
struct ipc_pass { /* a gateway password was shown to us, or the proof of one */
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t kind;                     /* enum ipc_pass_kind */
    char username[IPC_USERNAME_SIZE]; /* as the client wrote it, a domain in any form left out */
    char password[IPC_PASS_SIZE];     /* BASIC */
    /* NTLM, [MS-NLMP] section 3.3.2: what the NT hash's HMAC is taken over, in UTF-16LE as the
     * client sent it (the user's name not yet in upper case), the server's challenge, and the
     * response: 16 bytes of proof, and the blob that it proves. */
    uint16_t user_size, domain_size, blob_size;
    uint8_t user[IPC_NTLM_USER_SIZE], domain[IPC_NTLM_USER_SIZE];
    uint8_t challenge[8], proof[16];
    uint8_t blob[IPC_NTLM_BLOB_SIZE];
};
struct ipc_visit { /* what became of a ticket of this person's */
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
    int64_t visit;
};
struct ipc_certificate { /* the desktop showed it in the TLS handshake of this tunnel */
    struct ipc_head head;
    int64_t tunnel;
    uint8_t fingerprint[IPC_FINGERPRINT_SIZE];
    uint8_t verified; /* by the configured authorities, for the desktop's host name */
};
struct ipc_probe { /* does the desktop answer? */
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
    char desktop[TEXT_NAME_SIZE];
};
struct ipc_sessions {
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
    int64_t after; /* of ipc_session_item.id; 0 begins */
};
struct ipc_end_sessions { /* all of this person's; answered by SIGNED_OUT */
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
};
struct ipc_enrol_begin {
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t kind;                     /* enum ipc_enrolment */
    uint8_t token[IPC_TOKEN_SIZE];    /* the invitation, or the session */
    char password[IPC_PASSWORD_SIZE]; /* NEW_DEVICE: the present one */
};
struct ipc_enrol_finish {
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t kind;
    uint8_t token[IPC_TOKEN_SIZE];
    char password[IPC_PASSWORD_SIZE]; /* INVITATION: the new one */
    char code[IPC_CODE_SIZE];         /* of the new device */
};
struct ipc_password { /* answered by ENROLLED */
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
    char password[IPC_PASSWORD_SIZE];
    char new_password[IPC_PASSWORD_SIZE];
    char code[IPC_CODE_SIZE];
};
struct ipc_factor { /* the second factor again, in a session */
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
    char code[IPC_CODE_SIZE];
};
/* An administrator's act: a verb, its sub-verb ("" where it has none), then words and options, each
 * ended by a NUL: "w" and the word, "o" and the option's name, which "=" and a value may follow.
 * What is told apart here stays so: a word cannot become an option, whatever it begins with. */
struct ipc_admin {
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
    uint8_t changes; /* asked for by POST; else nothing may be changed */
    uint16_t size;   /* of the arguments that are used, the last NUL included */
    char arguments[IPC_ARGUMENTS_SIZE];
};
struct ipc_tunnel_counts { /* at most every 15 s while bytes move; keeps the session from idling */
    struct ipc_head head;
    int64_t tunnel;
    uint64_t up, down; /* payload bytes: client to desktop, desktop to client; totals */
};
struct ipc_tunnel_ending { /* decided; the goodbye takes up to two seconds */
    struct ipc_head head;
    int64_t tunnel;
    uint8_t end; /* enum ipc_end */
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
struct ipc_metrics {
    struct ipc_head head;
};
struct ipc_expiry { /* told at start and after a reload */
    struct ipc_head head;
    int64_t expires; /* when the first of the certificates in use ends; Unix seconds, 0: unknown */
};
enum ipc_note_kind { IPC_NOTE_ORIGIN = 1, IPC_NOTE_CAGE };
struct ipc_note { /* something for the audit log that only the gate saw; the keeper rate-limits */
    struct ipc_head head;
    struct ipc_origin origin;
    uint8_t kind; /* enum ipc_note_kind */
};

/* ---- keeper to gate ----
 *
 * Which statuses an answer can have stands beside it. Two sets are common to many:
 *     SESSION    NO_SESSION, PASSWORD_DUE
 *     RULES      NOT_NOW, NOT_FROM_HERE, TOO_MANY, STALE_FACTOR */
struct ipc_answer { /* how every answer begins */
    struct ipc_head head;
    uint8_t status;
};
struct ipc_signed_in {
    struct ipc_head head;
    uint8_t status; /* OK, DENIED, THROTTLED, BUSY, FAILED */
    uint32_t retry_seconds;
    uint8_t token[IPC_TOKEN_SIZE];
    int64_t expires; /* Unix seconds: the absolute limit */
    char username[TEXT_NAME_SIZE];
    uint8_t browser[IPC_TOKEN_SIZE]; /* a new cookie to be known by; all zero: none is due */
};
struct ipc_signed_out {
    struct ipc_head head;
    uint8_t status; /* OK, NO_SESSION, FAILED */
};
struct ipc_who_is {
    struct ipc_head head;
    uint8_t status; /* OK, NO_SESSION, FAILED */
    int64_t expires;
    uint32_t idle_seconds;  /* until it idles out if unused */
    uint8_t recovery_codes; /* left */
    int64_t factor_at;      /* when the second factor was last shown */
    uint8_t password_due;   /* it must be changed before anything else */
    uint16_t vouched;       /* seconds for which that needs no further code */
    uint16_t password_days; /* until it must; 0: not soon */
    char username[TEXT_NAME_SIZE];
    uint8_t administrator;
};
struct ipc_desktop_item {
    char name[TEXT_NAME_SIZE];
    char description[IPC_DESKTOP_TEXT_SIZE];
    int64_t last_used; /* by this person; 0: never */
    uint8_t in_use;    /* this person has a live tunnel to it */
    uint8_t same_credentials;
};
struct ipc_desktop_page {
    struct ipc_head head;
    uint8_t status; /* OK, SESSION, FAILED */
    uint8_t count;
    uint8_t more; /* ask again with after = the last name */
    struct ipc_desktop_item items[IPC_PAGE];
};
struct ipc_opened { /* with status OK it carries one descriptor: the connected TCP socket */
    struct ipc_head head;
    uint8_t status; /* OK, SESSION, RULES, NO_DESKTOP, BAD_TICKET (but TUNNEL), DESKTOP_*, BUSY,
                       FAILED */
    int64_t tunnel;
    uint32_t idle_seconds;     /* 0: no limit */
    uint32_t absolute_seconds; /* from now, the session's end included; never 0 */
    char host[IPC_HOST_SIZE];  /* CLEANPATH: as the administrator wrote it, for SNI and for what its
                                  certificate must name */
};
struct ipc_ticket_made {
    struct ipc_head head;
    uint8_t status; /* OK, SESSION, RULES but TOO_MANY (judged when it is used), NO_DESKTOP, BUSY
                       (too many wait to be used), FAILED */
    uint8_t ticket[IPC_TOKEN_SIZE];
    int64_t visit; /* its number, to ask what became of it */
    uint32_t seconds;
    uint8_t same_credentials;
    uint8_t forbidden;            /* enum ipc_forbid */
    char desktop[TEXT_NAME_SIZE]; /* as the administrator spells it */
    char username[TEXT_NAME_SIZE];
    char password[IPC_PASS_SIZE];     /* with_password; else "" */
    char settings[IPC_SETTINGS_SIZE]; /* RDG: the desktop's own, for the .rdp file */
};
struct ipc_ticket_seen {
    struct ipc_head head;
    uint8_t status;        /* OK, BAD_TICKET, FAILED */
    uint8_t forbidden;     /* enum ipc_forbid, of the ticket's desktop */
    uint32_t idle_seconds; /* of the tunnel to come; 0: no limit */
    int64_t tunnel;        /* that it has opened and that lives; 0: none */
};
struct ipc_passed {
    struct ipc_head head;
    uint8_t status;                 /* OK, DENIED, FAILED */
    uint8_t ticket[IPC_TOKEN_SIZE]; /* that it stands for */
};
struct ipc_visited {
    struct ipc_head head;
    uint8_t status;               /* OK, SESSION, NOT_FOUND, FAILED */
    uint8_t state;                /* enum ipc_visit_state */
    char reason[IPC_REASON_SIZE]; /* ENDED: ipc_end_name(); REFUSED: ipc_status_name() */
};
struct ipc_certificate_judged {
    struct ipc_head head;
    uint8_t status; /* OK, CERTIFICATE_CHANGED, CERTIFICATE_UNTRUSTED, FAILED */
};
struct ipc_probed {
    struct ipc_head head;
    uint8_t status; /* OK: it answers; SESSION, NO_DESKTOP, DESKTOP_*, BUSY, FAILED */
};
struct ipc_session_item {
    int64_t id, created_at, used_at, expires_at;
    struct addr address;
    char agent[IPC_AGENT_SIZE];
    uint8_t current;
    uint8_t desktop_count;                               /* may be more than are named */
    char desktops[IPC_SESSION_DESKTOPS][TEXT_NAME_SIZE]; /* with a live tunnel */
};
struct ipc_session_list {
    struct ipc_head head;
    uint8_t status; /* OK, SESSION, FAILED */
    uint8_t count;
    uint8_t more; /* ask again with after = the last id */
    struct ipc_session_item items[IPC_SESSION_PAGE];
};
struct ipc_enrol_offer {
    struct ipc_head head;
    uint8_t status; /* OK, SESSION, WRONG_PASSWORD, THROTTLED, BUSY, FAILED; of an invitation:
                       BAD_INVITATION, NOT_NOW, NOT_FROM_HERE */
    uint32_t retry_seconds;
    char username[TEXT_NAME_SIZE];
    char secret[IPC_SECRET_SIZE];
    char uri[IPC_URI_SIZE];
};
struct ipc_enrolled { /* a new session, in place of all that were */
    struct ipc_head head;
    uint8_t status; /* OK, SESSION, WRONG_PASSWORD, WRONG_CODE, WEAK_PASSWORD, THROTTLED, BUSY,
                       FAILED; of an invitation: BAD_INVITATION, NOT_NOW, NOT_FROM_HERE */
    uint32_t retry_seconds;
    uint8_t token[IPC_TOKEN_SIZE];
    int64_t expires;
    char username[TEXT_NAME_SIZE];
    char reason[16];            /* WEAK_PASSWORD: why, for programs, … */
    char words[IPC_WORDS_SIZE]; /* … and for people */
    uint8_t recovery_count;     /* 0: the old ones stay */
    char recovery[IPC_RECOVERY_CODES][IPC_RECOVERY_SIZE];
};
struct ipc_factor_shown {
    struct ipc_head head;
    uint8_t status; /* OK, SESSION, WRONG_CODE, THROTTLED, FAILED */
    uint32_t retry_seconds;
};
/* With status OK it carries one descriptor: what was printed, then what was complained of. */
struct ipc_admin_done {
    struct ipc_head head;
    uint8_t status; /* OK, SESSION, NOT_ADMINISTRATOR, NOT_NOW, NOT_FROM_HERE, STALE_FACTOR, BUSY,
                       FAILED */
    uint8_t json;   /* what was printed is one JSON value, in ASCII */
    int32_t code;   /* of sysexits.h */
    uint32_t printed_size, said_size;
};
#define IPC_PRINTED_MOST (8U << 20)
#define IPC_SAID_MOST 4096U
struct ipc_challenge_body {
    struct ipc_head head;
    uint8_t status; /* OK, NOT_FOUND */
    uint16_t size;
    char body[IPC_CHALLENGE_BODY_SIZE];
};
struct ipc_metrics_told { /* counted since the keeper began */
    struct ipc_head head;
    uint8_t status; /* OK, FAILED: the store did not answer, and what it knows is missing */
    uint64_t opened[IPC_WAYS], ended[IPC_ENDS];
    uint64_t dialled[IPC_STATUSES]; /* by outcome: OK, DESKTOP_* */
    uint64_t alerts[ALERT_RULES];
    uint64_t woken, silent; /* desktops that had to be woken: answered in the end, or not */
    struct histogram dial;
    uint32_t live[IPC_WAYS];
    uint32_t dials, probes, hashes, resolves; /* under way; the last two: waiting */
    uint32_t sessions, people, disabled, desktops;
    struct vitals vitals;
};
struct ipc_say { /* an administrator's words to the person in front of this tunnel's client */
    struct ipc_head head;
    int64_t tunnel;
    char words[TEXT_WORDS_SIZE];
};
struct ipc_close_tunnel {
    struct ipc_head head;
    int64_t tunnel;
    uint8_t end; /* enum ipc_end: why */
};

/* Room for any record. */
union ipc_record {
    struct ipc_head head;
    struct ipc_answer answer;
#define X(NAME, name, sender) struct ipc_##name name;
    IPC_RECORDS(X)
#undef X
};

/* "client", "desktop-lost", …; "unknown" for a number outside the enum. */
const char *ipc_end_name(unsigned end);
const char *ipc_type_name(unsigned type); /* "sign_in", … */
const char *ipc_way_name(unsigned way);
enum ipc_way ipc_way_find(const char *name);  /* IPC_WAY_TUNNEL when there is none */
const char *ipc_status_name(unsigned status); /* "desktop_asleep", …: the API's error codes */

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

#include "ipc_sample.h"

#include <string.h>

#define FIELD(NAME, name, field, lie)                                                              \
    {                                                                                              \
        IPC_##NAME, (lie), offsetof(struct ipc_##name, field),                                     \
            sizeof(((struct ipc_##name *)0)->field), #name "." #field                              \
    }
#define TEXT(NAME, name, field) FIELD(NAME, name, field, IPC_SAMPLE_TEXT)
#define PLAIN(NAME, name, field) TEXT(NAME, name, field), FIELD(NAME, name, field, IPC_SAMPLE_PLAIN)
#define ORIGIN(NAME, name) PLAIN(NAME, name, origin.conn), PLAIN(NAME, name, origin.agent)

const struct ipc_sample_field ipc_sample_fields[] = {
    ORIGIN(SIGN_IN, sign_in),
    TEXT(SIGN_IN, sign_in, username),
    TEXT(SIGN_IN, sign_in, password),
    TEXT(SIGN_IN, sign_in, code),
    ORIGIN(SIGN_OUT, sign_out),
    ORIGIN(WHO, who),
    ORIGIN(DESKTOPS, desktops),
    TEXT(DESKTOPS, desktops, after),
    ORIGIN(OPEN, open),
    PLAIN(OPEN, open, desktop),
    FIELD(OPEN, open, way, IPC_SAMPLE_ENUM),
    ORIGIN(TICKET, ticket),
    PLAIN(TICKET, ticket, desktop),
    FIELD(TICKET, ticket, way, IPC_SAMPLE_ENUM),
    FIELD(TICKET, ticket, replaces, IPC_SAMPLE_TIME),
    ORIGIN(TICKET_LOOK, ticket_look),
    ORIGIN(PASS, pass),
    TEXT(PASS, pass, username),
    TEXT(PASS, pass, password),
    FIELD(PASS, pass, kind, IPC_SAMPLE_ENUM),
    FIELD(PASS, pass, user_size, IPC_SAMPLE_SIZE),
    FIELD(PASS, pass, domain_size, IPC_SAMPLE_SIZE),
    FIELD(PASS, pass, blob_size, IPC_SAMPLE_SIZE),
    ORIGIN(VISIT, visit),
    ORIGIN(PROBE, probe),
    PLAIN(PROBE, probe, desktop),
    ORIGIN(SESSIONS, sessions),
    ORIGIN(END_SESSIONS, end_sessions),
    ORIGIN(ENROL_BEGIN, enrol_begin),
    TEXT(ENROL_BEGIN, enrol_begin, password),
    FIELD(ENROL_BEGIN, enrol_begin, kind, IPC_SAMPLE_ENUM),
    ORIGIN(ENROL_FINISH, enrol_finish),
    TEXT(ENROL_FINISH, enrol_finish, password),
    TEXT(ENROL_FINISH, enrol_finish, code),
    FIELD(ENROL_FINISH, enrol_finish, kind, IPC_SAMPLE_ENUM),
    ORIGIN(PASSWORD, password),
    TEXT(PASSWORD, password, password),
    TEXT(PASSWORD, password, new_password),
    TEXT(PASSWORD, password, code),
    ORIGIN(FACTOR, factor),
    TEXT(FACTOR, factor, code),
    ORIGIN(ADMIN, admin),
    TEXT(ADMIN, admin, arguments),
    FIELD(ADMIN, admin, size, IPC_SAMPLE_SIZE),
    FIELD(TUNNEL_COUNTS, tunnel_counts, tunnel, IPC_SAMPLE_TUNNEL),
    FIELD(TUNNEL_ENDING, tunnel_ending, end, IPC_SAMPLE_ENUM),
    FIELD(TUNNEL_ENDED, tunnel_ended, tunnel, IPC_SAMPLE_TUNNEL),
    FIELD(TUNNEL_ENDED, tunnel_ended, end, IPC_SAMPLE_ENUM),
    TEXT(CHALLENGE, challenge, token),
    FIELD(EXPIRY, expiry, expires, IPC_SAMPLE_TIME),
    ORIGIN(NOTE, note),
    FIELD(NOTE, note, kind, IPC_SAMPLE_ENUM),
};
const size_t ipc_sample_field_count = sizeof(ipc_sample_fields) / sizeof(*ipc_sample_fields);

static const struct {
    enum ipc_sender sender;
    uint16_t size;
} kinds[IPC_TYPES] = {
#define GATE IPC_GATE
#define KEEPER IPC_KEEPER
#define X(NAME, name, who) [IPC_##NAME] = {.sender = who, .size = sizeof(struct ipc_##name)},
    IPC_RECORDS(X)
#undef X
#undef GATE
#undef KEEPER
};

bool ipc_sample_is_gates(uint16_t type)
{
    return type > IPC_NONE && type < IPC_TYPES && kinds[type].sender == IPC_GATE;
}

size_t ipc_sample_size(uint16_t type)
{
    return type < IPC_TYPES ? kinds[type].size : 0;
}

uint16_t ipc_sample_answer(uint16_t type)
{
    static const uint16_t answers[IPC_TYPES] = {
        [IPC_SIGN_IN] = IPC_SIGNED_IN,
        [IPC_SIGN_OUT] = IPC_SIGNED_OUT,
        [IPC_WHO] = IPC_WHO_IS,
        [IPC_DESKTOPS] = IPC_DESKTOP_PAGE,
        [IPC_OPEN] = IPC_OPENED,
        [IPC_TICKET] = IPC_TICKET_MADE,
        [IPC_TICKET_LOOK] = IPC_TICKET_SEEN,
        [IPC_PASS] = IPC_PASSED,
        [IPC_VISIT] = IPC_VISITED,
        [IPC_CERTIFICATE] = IPC_CERTIFICATE_JUDGED,
        [IPC_PROBE] = IPC_PROBED,
        [IPC_SESSIONS] = IPC_SESSION_LIST,
        [IPC_END_SESSIONS] = IPC_SIGNED_OUT,
        [IPC_ENROL_BEGIN] = IPC_ENROL_OFFER,
        [IPC_ENROL_FINISH] = IPC_ENROLLED,
        [IPC_PASSWORD] = IPC_ENROLLED,
        [IPC_FACTOR] = IPC_FACTOR_SHOWN,
        [IPC_ADMIN] = IPC_ADMIN_DONE,
        [IPC_CHALLENGE] = IPC_CHALLENGE_BODY,
        [IPC_METRICS] = IPC_METRICS_TOLD,
    };
    return type < IPC_TYPES ? answers[type] : IPC_NONE;
}

/* ---- what each holds ---- */

static void put(char *to, size_t size, const char *text)
{
    text_copy(to, size, text ? text : "");
}

static void put_token(uint8_t to[IPC_TOKEN_SIZE], const uint8_t *token)
{
    if (token)
        memcpy(to, token, IPC_TOKEN_SIZE);
}

static void fill_pass(struct ipc_pass *record, const struct ipc_sample_of *of)
{
    record->kind = IPC_PASS_NTLM;
    record->user_size = 10;
    memcpy(record->user, "a\0l\0i\0c\0e", 10);
    record->blob_size = 44;
    put(record->username, sizeof(record->username), of->username);
}

static void fill_admin(struct ipc_admin *record, const struct ipc_sample_of *of)
{
    static const char list[] = "user\0list";
    put_token(record->token, of->token);
    record->size = sizeof(list);
    memcpy(record->arguments, list, sizeof(list));
}

static void fill_enrolment(union ipc_record *to, const struct ipc_sample_of *of)
{
    if (to->head.type == IPC_ENROL_BEGIN) {
        to->enrol_begin.kind = IPC_ENROL_NEW_DEVICE;
        put_token(to->enrol_begin.token, of->token);
        put(to->enrol_begin.password, IPC_PASSWORD_SIZE, of->password);
    } else {
        to->enrol_finish.kind = IPC_ENROL_NEW_DEVICE;
        put_token(to->enrol_finish.token, of->token);
        put(to->enrol_finish.code, IPC_CODE_SIZE, of->code);
    }
}

static void fill_origin(struct ipc_origin *origin)
{
    put(origin->conn, sizeof(origin->conn), "0123456789abcdef");
    put(origin->agent, sizeof(origin->agent), "a test");
    addr_parse(&origin->address, "198.51.100.1");
}

/* All but the origin, of records that begin with origin and token. */
static bool fill_session(union ipc_record *to, const struct ipc_sample_of *of)
{
    put_token(to->who.token, of->token);
    switch (to->head.type) {
    case IPC_SIGN_OUT:
    case IPC_WHO:
    case IPC_DESKTOPS:
    case IPC_END_SESSIONS:
    case IPC_SESSIONS:
        return true;
    case IPC_OPEN:
        to->open.way = of->way;
        put_token(to->open.ticket, of->ticket);
        put(to->open.desktop, TEXT_NAME_SIZE, of->desktop);
        return true;
    case IPC_TICKET:
        to->ticket.way = of->way == IPC_WAY_TUNNEL ? IPC_WAY_CLEANPATH : of->way;
        put(to->ticket.desktop, TEXT_NAME_SIZE, of->desktop);
        return true;
    case IPC_VISIT:
        to->visit.visit = of->number;
        return true;
    case IPC_PROBE:
        put(to->probe.desktop, TEXT_NAME_SIZE, of->desktop);
        return true;
    case IPC_PASSWORD:
        put(to->password.password, IPC_PASSWORD_SIZE, of->password);
        put(to->password.new_password, IPC_PASSWORD_SIZE, "another horse battery");
        put(to->password.code, IPC_CODE_SIZE, of->code);
        return true;
    case IPC_FACTOR:
        put(to->factor.code, IPC_CODE_SIZE, of->code);
        return true;
    default:
        return false;
    }
}

/* The others that have an origin. */
static bool fill_known(union ipc_record *to, const struct ipc_sample_of *of)
{
    switch (to->head.type) {
    case IPC_SIGN_IN:
        put(to->sign_in.username, IPC_USERNAME_SIZE, of->username);
        put(to->sign_in.password, IPC_PASSWORD_SIZE, of->password);
        put(to->sign_in.code, IPC_CODE_SIZE, of->code);
        return true;
    case IPC_TICKET_LOOK:
        put_token(to->ticket_look.ticket, of->ticket);
        return true;
    case IPC_PASS:
        fill_pass(&to->pass, of);
        return true;
    case IPC_ENROL_BEGIN:
    case IPC_ENROL_FINISH:
        fill_enrolment(to, of);
        return true;
    case IPC_ADMIN:
        fill_admin(&to->admin, of);
        return true;
    case IPC_NOTE:
        to->note.kind = IPC_NOTE_ORIGIN;
        return true;
    default:
        return fill_session(to, of);
    }
}

static bool fill_bare(union ipc_record *to, const struct ipc_sample_of *of)
{
    switch (to->head.type) {
    case IPC_CERTIFICATE:
        to->certificate.tunnel = of->number;
        return true;
    case IPC_TUNNEL_COUNTS:
        to->tunnel_counts.tunnel = of->number;
        return true;
    case IPC_TUNNEL_ENDING:
        to->tunnel_ending.tunnel = of->number;
        return true;
    case IPC_TUNNEL_ENDED:
        to->tunnel_ended.tunnel = of->number;
        return true;
    case IPC_CHALLENGE:
        put(to->challenge.token, IPC_CHALLENGE_SIZE, "token-1");
        return true;
    case IPC_METRICS:
    case IPC_EXPIRY:
        return true;
    default:
        return false;
    }
}

bool ipc_sample_make(union ipc_record *to, uint16_t type, const struct ipc_sample_of *of)
{
    memset(to, 0, sizeof(*to));
    to->head = (struct ipc_head){.type = type, .size = (uint16_t)ipc_sample_size(type)};
    if (!ipc_sample_is_gates(type))
        return false;
    if (fill_bare(to, of))
        return true;
    fill_origin(&to->who.origin); /* all others begin with one: ipc_sample_fields says so */
    return fill_known(to, of);
}

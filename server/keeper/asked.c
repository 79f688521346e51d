#include "asked.h"

#include "challenge.h"
#include "day.h"
#include "gate_link.h"
#include "live.h"
#include "log.h"
#include "password_policy.h"
#include "record_audit.h"
#include "session.h"

#include <errno.h>
#include <string.h>

/* They go into the audit log, into lists and JSON: a gate that sends anything else is none of ours.
 */
bool asked_origin_ok(const struct ipc_origin *origin)
{
    if (!ipc_text_ok(origin->conn, sizeof(origin->conn)) ||
        !ipc_text_ok(origin->agent, sizeof(origin->agent)) ||
        origin->conn[strspn(origin->conn, "0123456789abcdef")])
        return false;
    const char *c = origin->agent;
    while (*c >= ' ' && *c <= '~')
        c++;
    return *c == '\0';
}

bool asked_desktop_ok(const char desktop[TEXT_NAME_SIZE])
{
    return ipc_text_ok(desktop, TEXT_NAME_SIZE) && text_is_name(desktop);
}

enum ipc_status asked_failed(struct keeper *keeper)
{
    LOG_ERROR("store", "the database failed", LOG_TEXT("error", store_error(keeper->store)));
    return IPC_FAILED;
}

enum ipc_status asked_status_or(struct keeper *keeper, enum store_result result,
                                enum ipc_status none)
{
    if (result == STORE_OK)
        return IPC_OK;
    if (result == STORE_FAILED)
        return asked_failed(keeper);
    return result == STORE_REFUSED ? IPC_PASSWORD_DUE : none;
}

enum ipc_status asked_status(struct keeper *keeper, enum store_result result)
{
    return asked_status_or(keeper, result, IPC_NO_SESSION);
}

enum ipc_status asked_granted(struct keeper *keeper, enum store_result found, const char *name,
                              const struct store_session *session, struct store_desktop *desktop)
{
    enum ipc_status status = asked_status(keeper, found);
    if (status != IPC_OK)
        return status;
    return asked_status_or(keeper, store_granted(keeper->store, session->user, name, desktop),
                           IPC_NO_DESKTOP);
}

static int asked_sign_out(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_sign_out *ask = &record->sign_out;
    struct keeper *keeper = link->keeper;
    struct store_session session;
    struct ipc_signed_out answer;
    if (!asked_origin_ok(&ask->origin))
        return -EPROTO;
    IPC_INIT(&answer, SIGNED_OUT, ask->head.request);
    enum store_result result = session_find_due(keeper, ask->token, &session);
    if (result == STORE_OK)
        result = store_session_end(keeper->store, session.id, keeper_now(), "signed-out");
    if (result == STORE_OK)
        record_audit(keeper, &ask->origin, "sign-out", "ok", session.user_name, NULL, NULL);
    answer.status = (uint8_t)asked_status(keeper, result);
    gate_link_send(link, &answer.head, -1);
    if (result == STORE_OK) /* our own change: store_changed() tells only of others' */
        live_review_person(keeper, session.user);
    return 0;
}

/* Days until the password must be changed, rounded up; 0: not soon. */
static uint16_t days_left(const struct keeper *keeper, const struct store_session *session)
{
    int64_t left = password_policy_left(keeper->conf, session->password_at, keeper_now());
    bool soon = left > 0 && left <= (int64_t)keeper->conf->password_warn_days * DAY_SECONDS;
    return soon ? (uint16_t)((left + DAY_SECONDS - 1) / DAY_SECONDS) : 0;
}

static int asked_who(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_who *ask = &record->who;
    struct keeper *keeper = link->keeper;
    struct store_session session;
    struct ipc_who_is answer;
    if (!asked_origin_ok(&ask->origin))
        return -EPROTO;
    IPC_INIT(&answer, WHO_IS, ask->head.request);
    enum store_result result = session_find_due(keeper, ask->token, &session);
    struct store_user user = {0};
    unsigned left = 0;
    if (result == STORE_OK)
        result = store_user_by_id(keeper->store, session.user, &user);
    if (result == STORE_OK)
        result = store_recovery_left(keeper->store, session.user, &left);
    answer.status = (uint8_t)asked_status(keeper, result);
    if (answer.status == IPC_OK) {
        answer.recovery_codes = (uint8_t)left;
        answer.expires = session.expires_at;
        answer.factor_at = session.factor_at;
        answer.password_due = session_password_due(keeper, &session);
        answer.vouched = (uint16_t)session_vouched_seconds(keeper, &session);
        answer.password_days = days_left(keeper, &session);
        answer.idle_seconds = keeper->conf->session_idle_seconds;
        answer.administrator = user.administrator;
        text_copy(answer.username, sizeof(answer.username), session.user_name);
    }
    gate_link_send(link, &answer.head, -1);
    explicit_bzero(&user, sizeof(user));
    return 0;
}

static int put_item(void *owner, const struct store_granted *granted)
{
    struct ipc_desktop_page *page = owner;
    if (page->count == IPC_PAGE) {
        page->more = 1;
        return 1;
    }
    struct ipc_desktop_item *item = &page->items[page->count++];
    text_copy(item->name, sizeof(item->name), granted->desktop.name);
    text_copy(item->description, sizeof(item->description), granted->desktop.description);
    item->last_used = granted->last_used;
    item->in_use = granted->in_use;
    item->same_credentials = granted->desktop.same_credentials;
    return 0;
}

static int asked_desktops(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_desktops *ask = &record->desktops;
    struct keeper *keeper = link->keeper;
    struct store_session session;
    struct ipc_desktop_page page;
    if (!asked_origin_ok(&ask->origin) || !ipc_text_ok(ask->after, sizeof(ask->after)))
        return -EPROTO;
    IPC_INIT(&page, DESKTOP_PAGE, ask->head.request);
    enum store_result result = session_find(keeper, ask->token, &session);
    if (result == STORE_OK)
        result = store_granted_list(keeper->store, session.user, ask->after, IPC_PAGE + 1, put_item,
                                    &page);
    page.status = (uint8_t)asked_status(keeper, result);
    gate_link_send(link, &page.head, -1);
    return 0;
}

static int asked_tunnel_counts(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_tunnel_counts *told = &record->tunnel_counts;
    return live_counts(link->keeper, link, told->tunnel, told->up, told->down) ? 0 : -EPROTO;
}

static int asked_tunnel_ending(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_tunnel_ending *told = &record->tunnel_ending;
    if (told->end >= IPC_ENDS)
        return -EPROTO;
    live_ending(link->keeper, link, told->tunnel, (enum ipc_end)told->end);
    return 0;
}

static int asked_tunnel_ended(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_tunnel_ended *told = &record->tunnel_ended;
    if (told->end >= IPC_ENDS || !live_ended(link->keeper, link, told->tunnel, told->up, told->down,
                                             (enum ipc_end)told->end))
        return -EPROTO;
    return 0;
}

static int asked_challenge(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_challenge *ask = &record->challenge;
    struct ipc_challenge_body answer;
    if (!ipc_text_ok(ask->token, sizeof(ask->token)))
        return -EPROTO;
    IPC_INIT(&answer, CHALLENGE_BODY, ask->head.request);
    challenge_answer(link->keeper->conf, ask->token, &answer);
    gate_link_send(link, &answer.head, -1);
    return 0;
}

static int asked_note(struct gate_link *link, const union ipc_record *record)
{
    static const struct {
        const char *event, *outcome, *detail;
    } table[] = {
        [IPC_NOTE_ORIGIN] = {"foreign-origin", "denied",
                             "a page of another site tried to use a session's cookie"},
        [IPC_NOTE_CAGE] = {"gate-cage", "missing", "the kernel did not cage the gate fully"},
    };
    const struct ipc_note *note = &record->note;
    if (!asked_origin_ok(&note->origin) || note->kind >= sizeof(table) / sizeof(*table) ||
        !table[note->kind].event)
        return -EPROTO;
    record_note(link->keeper, &note->origin, table[note->kind].event, table[note->kind].outcome,
                NULL, table[note->kind].detail);
    return 0;
}

bool asked_nothing(uint16_t type)
{
    return type == IPC_TUNNEL_COUNTS || type == IPC_TUNNEL_ENDING || type == IPC_TUNNEL_ENDED ||
           type == IPC_NOTE || type == IPC_EXPIRY;
}

int asked(struct gate_link *link, const union ipc_record *record)
{
    static int (*const table[IPC_TYPES])(struct gate_link *, const union ipc_record *) = {
        [IPC_SIGN_IN] = asked_sign_in,
        [IPC_SIGN_OUT] = asked_sign_out,
        [IPC_WHO] = asked_who,
        [IPC_DESKTOPS] = asked_desktops,
        [IPC_OPEN] = asked_open,
        [IPC_ENROL_BEGIN] = asked_enrol_begin,
        [IPC_ENROL_FINISH] = asked_enrol_finish,
        [IPC_PASSWORD] = asked_password,
        [IPC_FACTOR] = asked_factor,
        [IPC_ADMIN] = asked_admin,
        [IPC_TICKET] = asked_ticket,
        [IPC_TICKET_LOOK] = asked_ticket_look,
        [IPC_PASS] = asked_pass,
        [IPC_VISIT] = asked_visit,
        [IPC_CERTIFICATE] = asked_certificate,
        [IPC_PROBE] = asked_probe,
        [IPC_SESSIONS] = asked_sessions,
        [IPC_END_SESSIONS] = asked_end_sessions,
        [IPC_TUNNEL_COUNTS] = asked_tunnel_counts,
        [IPC_TUNNEL_ENDING] = asked_tunnel_ending,
        [IPC_TUNNEL_ENDED] = asked_tunnel_ended,
        [IPC_CHALLENGE] = asked_challenge,
        [IPC_METRICS] = asked_metrics,
        [IPC_EXPIRY] = asked_expiry,
        [IPC_NOTE] = asked_note,
    };
    if (record->head.type != IPC_TUNNEL_ENDED)
        live_save_ends(link->keeper); /* whoever asks now finds them written */
    return table[record->head.type] ? table[record->head.type](link, record) : -EPROTO;
}

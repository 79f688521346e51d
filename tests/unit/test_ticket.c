/* Tickets: made for one session, one desktop and one way in, used once, and what is told about them
 * afterwards. The test plays the gate, a hostile one where it matters. */
#include "fake_gate.h"
#include "session.h"
#include "store_policy.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct fake_gate fake;
static union ipc_record answer;
static int answer_fd;
static uint8_t token[IPC_TOKEN_SIZE], other[IPC_TOKEN_SIZE]; /* two sessions of alice's */

static void setup(void)
{
    fake_gate_setup(&fake);
    fake_gate_session(&fake, fake.alice.id, 1, token);
    fake_gate_session(&fake, fake.alice.id, 2, other);
}

static void teardown(void)
{
    fake_gate_teardown(&fake);
}

/* ---- asking ---- */

static struct ipc_ticket_made make_for(const uint8_t *session, const char *desktop,
                                       enum ipc_way way)
{
    struct ipc_ticket ask;
    IPC_INIT(&ask, TICKET, 0);
    fake_gate_origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, session, IPC_TOKEN_SIZE);
    ask.way = (uint8_t)way;
    text_copy(ask.desktop, sizeof(ask.desktop), desktop);
    fake_gate_ask(&fake, &ask.head, IPC_TICKET_MADE, &answer, &answer_fd);
    return answer.ticket_made;
}

static struct ipc_ticket_made make(const char *desktop)
{
    struct ipc_ticket_made made = make_for(token, desktop, IPC_WAY_CLEANPATH);
    ck_assert_int_eq(made.status, IPC_OK);
    return made;
}

static struct ipc_opened present_for(const uint8_t *session, const char *desktop,
                                     const uint8_t *ticket)
{
    struct ipc_open ask;
    fake_gate_open_ask(&ask, session, desktop);
    ask.way = IPC_WAY_CLEANPATH;
    memcpy(ask.ticket, ticket, IPC_TOKEN_SIZE);
    fake_gate_ask(&fake, &ask.head, IPC_OPENED, &answer, &answer_fd);
    ck_assert_int_eq(answer_fd >= 0, answer.opened.status == IPC_OK);
    if (answer_fd >= 0)
        close(answer_fd);
    return answer.opened;
}

static struct ipc_opened present(const char *desktop, const uint8_t *ticket)
{
    return present_for(token, desktop, ticket);
}

static struct ipc_visited visited_for(const uint8_t *session, int64_t visit)
{
    struct ipc_visit ask;
    IPC_INIT(&ask, VISIT, 0);
    fake_gate_origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, session, IPC_TOKEN_SIZE);
    ask.visit = visit;
    fake_gate_ask(&fake, &ask.head, IPC_VISITED, &answer, &answer_fd);
    return answer.visited;
}

static void told(int64_t visit, enum ipc_visit_state state, const char *reason)
{
    struct ipc_visited visited = visited_for(token, visit);
    ck_assert_int_eq(visited.status, IPC_OK);
    ck_assert_int_eq(visited.state, state);
    ck_assert_str_eq(visited.reason, reason);
}

static unsigned refusals(const char *why)
{
    return fake_gate_audited(&fake, "ticket-refused", "denied", why);
}

static struct store_session session_row(const uint8_t *session)
{
    struct store_session row;
    uint8_t hash[32];
    session_hash(session, hash);
    ck_assert_int_eq(store_session_by_hash(fake.store, hash, &row), STORE_OK);
    return row;
}

static struct store_desktop desktop_row(const char *name)
{
    struct store_desktop row;
    ck_assert_int_eq(store_desktop_by_name(fake.store, name, &row), STORE_OK);
    return row;
}

/* One of alice's for "desk", made so many seconds ago, whose secret is `mark` 32 times. */
static int64_t old_ticket(uint8_t mark, int64_t ago, uint8_t ticket[IPC_TOKEN_SIZE])
{
    struct store_ticket row = {.session = session_row(token).id,
                               .desktop = desktop_row("desk").id,
                               .way = "cleanpath",
                               .created_at = time(NULL) - ago};
    int64_t id;
    row.expires_at = row.created_at + 60;
    memset(ticket, mark, IPC_TOKEN_SIZE);
    session_hash(ticket, row.hash);
    ck_assert_int_eq(store_ticket_add(fake.store, &row, &id), STORE_OK);
    return id;
}

/* ---- making ---- */

START_TEST(a_ticket_is_stored_hashed_for_a_minute)
{
    struct ipc_ticket_made first = make("DESK"), second = make("desk");
    struct store_ticket row;
    uint8_t hash[32];
    ck_assert_str_eq(first.desktop, "desk");
    ck_assert_str_eq(first.username, "alice");
    ck_assert_uint_eq(first.seconds, 60);
    ck_assert_mem_ne(first.ticket, second.ticket, IPC_TOKEN_SIZE);
    ck_assert_int_ne(first.visit, second.visit);
    session_hash(first.ticket, hash);
    ck_assert_int_eq(store_ticket_by_id(fake.store, first.visit, &row), STORE_OK);
    ck_assert_mem_eq(row.hash, hash, sizeof(hash));
    ck_assert_int_eq(row.expires_at - row.created_at, 60);
    ck_assert_int_eq(row.session, session_row(token).id);
    ck_assert_str_eq(row.way, "cleanpath");
}
END_TEST

START_TEST(tickets_are_bounded_and_only_for_what_is_granted)
{
    uint8_t nobody[IPC_TOKEN_SIZE] = {0};
    struct ipc_ticket_made made = make("desk");
    ck_assert_uint_eq(fake_gate_audited(&fake, "ticket", "ok", ""), 0);
    ck_assert_int_eq(make_for(nobody, "desk", IPC_WAY_CLEANPATH).status, IPC_NO_SESSION);
    ck_assert_int_eq(make_for(token, "nowhere", IPC_WAY_CLEANPATH).status, IPC_NO_DESKTOP);
    made = make_for(token, "others", IPC_WAY_CLEANPATH);
    ck_assert_int_eq(made.status, IPC_NO_DESKTOP);
    ck_assert_int_eq(made.visit, 0);
    for (int i = 1; i < 16; i++)
        made = make("desk");
    ck_assert_int_eq(make_for(token, "desk", IPC_WAY_CLEANPATH).status, IPC_BUSY);
    ck_assert_int_eq(make_for(other, "desk", IPC_WAY_CLEANPATH).status, IPC_OK); /* its own 16 */
    ck_assert_int_eq(present("desk", made.ticket).status, IPC_OK); /* used ones do not count */
    make("desk");
    ck_assert_int_eq(make_for(token, "desk", IPC_WAY_CLEANPATH).status, IPC_BUSY);
    ck_assert_uint_eq(fake_gate_audited(&fake, "ticket", "not-granted", "nowhere"), 1);
    ck_assert_uint_eq(fake_gate_audited(&fake, "ticket", "not-granted", "others"), 1);
    ck_assert_uint_eq(fake_gate_audited(&fake, "ticket", "busy", "desk"), 2);
}
END_TEST

START_TEST(the_page_learns_where_people_have_the_same_name)
{
    struct store_desktop desktop = desktop_row("desk");
    ck_assert(!make("desk").same_credentials);
    desktop.same_credentials = true;
    ck_assert_int_eq(store_desktop_set(fake.store, &desktop), STORE_OK);
    ck_assert(make("desk").same_credentials);
}
END_TEST

/* ---- using ---- */

START_TEST(a_ticket_opens_its_desktop_once)
{
    struct ipc_ticket_made made = make("desk");
    told(made.visit, IPC_VISIT_WAITING, "");
    struct ipc_opened opened = present("DESK", made.ticket);
    ck_assert_int_eq(opened.status, IPC_OK);
    ck_assert_str_eq(opened.host, "127.0.0.1");
    ck_assert_uint_eq(refusals(""), 0);
    told(made.visit, IPC_VISIT_OPEN, "");
    ck_assert_int_eq(present("desk", made.ticket).status, IPC_BAD_TICKET);
    ck_assert_uint_eq(refusals("used before"), 1);
    told(made.visit, IPC_VISIT_OPEN, ""); /* which changes nothing */
    struct store_ticket row;
    ck_assert_int_eq(store_ticket_by_id(fake.store, made.visit, &row), STORE_OK);
    ck_assert_int_eq(row.tunnel, opened.tunnel);
}
END_TEST

START_TEST(a_ticket_of_something_else_is_refused_and_not_used_up)
{
    struct ipc_ticket_made made = make("desk");
    struct ipc_ticket_made way = make_for(token, "desk", IPC_WAY_RDG);
    uint8_t unknown[IPC_TOKEN_SIZE] = {0}, theirs[IPC_TOKEN_SIZE];
    fake_gate_session(&fake, fake_gate_person(&fake, "bob"), 3, theirs);
    ck_assert_int_eq(present("desk", unknown).status, IPC_BAD_TICKET);
    ck_assert_uint_eq(refusals("unknown"), 1);
    ck_assert_int_eq(present("named", made.ticket).status, IPC_BAD_TICKET);
    ck_assert_uint_eq(refusals("another desktop"), 1);
    ck_assert_int_eq(present("desk", way.ticket).status, IPC_BAD_TICKET);
    ck_assert_uint_eq(refusals("another way"), 1);
    ck_assert_int_eq(present_for(other, "desk", made.ticket).status, IPC_BAD_TICKET);
    ck_assert_uint_eq(refusals("another session of the same person"), 1);
    ck_assert_int_eq(present_for(theirs, "desk", made.ticket).status, IPC_BAD_TICKET);
    ck_assert_uint_eq(refusals("another person"), 1);
    ck_assert_uint_eq(refusals(""), 5);
    told(made.visit, IPC_VISIT_WAITING, "");
    ck_assert_int_eq(present("desk", made.ticket).status, IPC_OK);
}
END_TEST

START_TEST(a_ticket_that_is_too_old_is_refused)
{
    uint8_t young[IPC_TOKEN_SIZE], old[IPC_TOKEN_SIZE];
    int64_t visit = old_ticket(7, 61, old);
    old_ticket(8, 30, young);
    told(visit, IPC_VISIT_REFUSED, "ticket");
    ck_assert_int_eq(present("desk", old).status, IPC_BAD_TICKET);
    ck_assert_uint_eq(refusals("expired"), 1);
    ck_assert_int_eq(present("desk", young).status, IPC_OK);
}
END_TEST

START_TEST(rubbish_fills_no_audit_log)
{
    uint8_t unknown[IPC_TOKEN_SIZE] = {0};
    int64_t begun = fake_gate_now_ms();
    for (int i = 0; i < 200; i++)
        ck_assert_int_eq(present("desk", unknown).status, IPC_BAD_TICKET);
    int64_t seconds = (fake_gate_now_ms() - begun) / 1000 + 2; /* that it can have touched */
    ck_assert_int_le(refusals("unknown"), 10 * seconds);
    ck_assert_uint_ge(refusals("unknown"), 1);
}
END_TEST

START_TEST(a_tunnel_for_the_client_needs_no_ticket_and_uses_none)
{
    struct ipc_ticket_made made = make("desk");
    struct ipc_open ask;
    fake_gate_open_ask(&ask, token, "desk");
    ask.way = IPC_WAY_TUNNEL;
    memcpy(ask.ticket, made.ticket, IPC_TOKEN_SIZE);
    fake_gate_ask(&fake, &ask.head, IPC_OPENED, &answer, &answer_fd);
    ck_assert_int_eq(answer.opened.status, IPC_OK);
    ck_assert_str_eq(answer.opened.host, "");
    close(answer_fd);
    told(made.visit, IPC_VISIT_WAITING, "");
}
END_TEST

START_TEST(other_ways_are_none)
{
    struct ipc_open ask;
    fake_gate_open_ask(&ask, token, "desk");
    ask.head.request = 1;
    ask.way = IPC_WAY_CLEANPATH + 1;
    fake_gate_send(&fake, &ask.head);
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 15000), -EPIPE);
}
END_TEST

/* ---- in place of one that broke ---- */

static void closed(const uint8_t *session, int64_t visit, const char *desktop, int64_t tunnel)
{
    struct ipc_ticket ask;
    IPC_INIT(&ask, TICKET, 0);
    fake_gate_origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, session, IPC_TOKEN_SIZE);
    ask.way = IPC_WAY_CLEANPATH;
    ask.replaces = visit;
    text_copy(ask.desktop, sizeof(ask.desktop), desktop);
    ask.head.request = 77;
    fake_gate_send(&fake, &ask.head);
    union ipc_record next;
    bool ordered = false;
    do {
        ck_assert_int_eq(fake_gate_next(&fake, &next, &answer_fd, 15000), 0);
        if (next.head.type == IPC_CLOSE_TUNNEL) {
            ordered = true;
            ck_assert_int_eq(next.close_tunnel.tunnel, tunnel);
            ck_assert_int_eq(next.close_tunnel.end, IPC_END_CLIENT_LOST);
        }
    } while (next.head.type != IPC_TICKET_MADE);
    ck_assert_int_eq(next.ticket_made.status, IPC_OK);
    ck_assert_int_eq(ordered, tunnel != 0);
    answer = next;
}

START_TEST(a_page_that_is_back_takes_the_place_of_its_visit)
{
    struct store_person_policy one = {.tunnels = 1};
    ck_assert_int_eq(store_policy_person_set(fake.store, fake.alice.id, &one), STORE_OK);
    struct ipc_ticket_made made = make("desk"), second = make("desk");
    int64_t tunnel = present("desk", made.ticket).tunnel;
    ck_assert_int_eq(present("desk", second.ticket).status, IPC_TOO_MANY);
    closed(token, made.visit, "desk", tunnel);
    struct ipc_ticket_made again = answer.ticket_made;
    ck_assert_int_eq(present("desk", again.ticket).status, IPC_OK);
    closed(token, made.visit, "desk", 0); /* it is told once */
}
END_TEST

START_TEST(only_its_own_visit_to_the_same_desktop_makes_room)
{
    uint8_t theirs[IPC_TOKEN_SIZE];
    int64_t bob = fake_gate_person(&fake, "bob");
    fake_gate_session(&fake, bob, 3, theirs);
    ck_assert_int_eq(
        store_grant_add(fake.store,
                        &(struct store_grant_key){.who = bob, .what = desktop_row("desk").id}),
        STORE_OK);
    struct ipc_ticket_made made = make("desk");
    int64_t tunnel = present("desk", made.ticket).tunnel;
    closed(theirs, made.visit, "desk", 0);
    closed(other, made.visit, "desk", 0);
    closed(token, made.visit, "named", 0);
    closed(token, made.visit + 1000, "desk", 0);
    closed(token, made.visit, "desk", tunnel);
}
END_TEST

/* ---- what became of it ---- */

START_TEST(a_refused_opening_uses_it_up_and_is_told)
{
    struct ipc_ticket_made made = make("closed");
    ck_assert_int_eq(present("closed", made.ticket).status, IPC_DESKTOP_REFUSED);
    told(made.visit, IPC_VISIT_REFUSED, "desktop_refused");
    made = make("desk");
    int64_t desktop = desktop_row("desk").id;
    ck_assert_int_eq(store_grant_remove(fake.store, &(struct store_grant_key){.who = fake.alice.id,
                                                                              .what = desktop}),
                     STORE_OK);
    ck_assert_int_eq(present("desk", made.ticket).status, IPC_NO_DESKTOP);
    told(made.visit, IPC_VISIT_REFUSED, "no_desktop");
    ck_assert_int_eq(store_grant_add(fake.store, &(struct store_grant_key){.who = fake.alice.id,
                                                                           .what = desktop}),
                     STORE_OK);
    ck_assert_int_eq(present("desk", made.ticket).status, IPC_BAD_TICKET);
    ck_assert_uint_eq(fake_gate_audited(&fake, "tunnel-open", "not-granted", ""), 1);
}
END_TEST

START_TEST(the_end_of_its_tunnel_is_told)
{
    struct ipc_ticket_made made = make("desk");
    struct ipc_tunnel_ended ended;
    IPC_INIT(&ended, TUNNEL_ENDED, 0);
    ended.tunnel = present("desk", made.ticket).tunnel;
    ended.end = IPC_END_DESKTOP;
    fake_gate_send(&fake, &ended.head);
    told(made.visit, IPC_VISIT_ENDED, "desktop");
}
END_TEST

START_TEST(only_its_person_is_told)
{
    int64_t visit = make("desk").visit;
    uint8_t nobody[IPC_TOKEN_SIZE] = {0}, theirs[IPC_TOKEN_SIZE];
    fake_gate_session(&fake, fake_gate_person(&fake, "bob"), 3, theirs);
    ck_assert_int_eq(visited_for(other, visit).status, IPC_OK); /* hers, too */
    ck_assert_int_eq(visited_for(theirs, visit).status, IPC_NOT_FOUND);
    ck_assert_int_eq(visited_for(nobody, visit).status, IPC_NO_SESSION);
    ck_assert_int_eq(visited_for(token, visit + 1).status, IPC_NOT_FOUND);
}
END_TEST

START_TEST(one_that_nothing_came_of_has_failed)
{
    uint8_t ticket[IPC_TOKEN_SIZE];
    int64_t visit = old_ticket(7, 50, ticket);
    ck_assert_int_eq(store_ticket_use(fake.store, visit, time(NULL)), STORE_OK);
    told(visit, IPC_VISIT_WAITING, ""); /* it may still be dialling */
    visit = old_ticket(8, 50, ticket);
    ck_assert_int_eq(store_ticket_use(fake.store, visit, time(NULL) - 40), STORE_OK);
    told(visit, IPC_VISIT_REFUSED, "failed");
}
END_TEST

START_TEST(they_are_forgotten_after_a_day)
{
    uint8_t ticket[IPC_TOKEN_SIZE];
    int64_t old = old_ticket(7, 24 * 3600 + 60, ticket), young = old_ticket(8, 23 * 3600, ticket);
    struct store_ticket row;
    int64_t until = fake_gate_now_ms() + 30000;
    while (store_ticket_by_id(fake.store, old, &row) == STORE_OK && fake_gate_now_ms() < until)
        usleep(50000);
    ck_assert_int_eq(store_ticket_by_id(fake.store, old, &row), STORE_NONE);
    ck_assert_int_eq(store_ticket_by_id(fake.store, young, &row), STORE_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ticket");
    TCase *tests = tcase_create("ticket");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_ticket_is_stored_hashed_for_a_minute);
    tcase_add_test(tests, tickets_are_bounded_and_only_for_what_is_granted);
    tcase_add_test(tests, the_page_learns_where_people_have_the_same_name);
    tcase_add_test(tests, a_ticket_opens_its_desktop_once);
    tcase_add_test(tests, a_ticket_of_something_else_is_refused_and_not_used_up);
    tcase_add_test(tests, a_ticket_that_is_too_old_is_refused);
    tcase_add_test(tests, rubbish_fills_no_audit_log);
    tcase_add_test(tests, a_tunnel_for_the_client_needs_no_ticket_and_uses_none);
    tcase_add_test(tests, other_ways_are_none);
    tcase_add_test(tests, a_page_that_is_back_takes_the_place_of_its_visit);
    tcase_add_test(tests, only_its_own_visit_to_the_same_desktop_makes_room);
    tcase_add_test(tests, a_refused_opening_uses_it_up_and_is_told);
    tcase_add_test(tests, the_end_of_its_tunnel_is_told);
    tcase_add_test(tests, only_its_person_is_told);
    tcase_add_test(tests, one_that_nothing_came_of_has_failed);
    tcase_add_test(tests, they_are_forgotten_after_a_day);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

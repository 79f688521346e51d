/* What the keeper does for browsers: certificates, people's lists, their own sessions and factors
 * (tickets and probes have tests of their own). The test plays the gate, a hostile one where it
 * matters. */
#include "fake_gate.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct fake_gate fake;
static union ipc_record answer;
static int answer_fd;

static void setup(void)
{
    fake_gate_setup(&fake);
}

static void teardown(void)
{
    fake_gate_teardown(&fake);
}

/* ---- certificates ---- */

static enum ipc_status show_certificate(int64_t tunnel, uint8_t mark, bool verified)
{
    struct ipc_certificate ask;
    IPC_INIT(&ask, CERTIFICATE, 0);
    ask.tunnel = tunnel;
    memset(ask.fingerprint, mark, sizeof(ask.fingerprint));
    ask.verified = verified;
    fake_gate_ask(&fake, &ask.head, IPC_CERTIFICATE_JUDGED, &answer, &answer_fd);
    return answer.certificate_judged.status;
}

static void trust(const char *how, const uint8_t *fingerprint)
{
    struct store_desktop desktop;
    ck_assert_int_eq(store_desktop_by_name(fake.store, "desk", &desktop), STORE_OK);
    ck_assert_int_eq(store_desktop_trust(fake.store, desktop.id, how, fingerprint, 1), STORE_OK);
}

START_TEST(certificates_are_judged_as_the_desktop_demands)
{
    struct ipc_signed_in me = fake_gate_sign_in_well(&fake, 0);
    int64_t tunnel = fake_gate_open_well(&fake, me.token);
    const uint8_t pinned[32] = {0};
    ck_assert_int_eq(show_certificate(tunnel, 1, false), IPC_OK); /* the first */
    ck_assert_int_eq(show_certificate(tunnel, 1, false), IPC_OK);
    ck_assert_int_eq(show_certificate(tunnel, 2, true), IPC_CERTIFICATE_CHANGED);
    trust("pin", pinned);
    ck_assert_int_eq(show_certificate(tunnel, 1, true), IPC_CERTIFICATE_CHANGED);
    ck_assert_int_eq(show_certificate(tunnel, 0, false), IPC_OK);
    trust("ca", NULL);
    ck_assert_int_eq(show_certificate(tunnel, 0, false), IPC_CERTIFICATE_UNTRUSTED);
    ck_assert_int_eq(show_certificate(tunnel, 7, true), IPC_OK);
    trust("first-use", NULL);
    ck_assert_int_eq(show_certificate(tunnel, 9, false), IPC_OK);
    ck_assert_int_eq(show_certificate(tunnel, 7, true), IPC_CERTIFICATE_CHANGED);
    /* A gate that asks about what is not its tunnel learns and changes nothing. */
    ck_assert_int_eq(show_certificate(tunnel + 1, 9, true), IPC_FAILED);
    ck_assert_int_eq(show_certificate(0, 9, true), IPC_FAILED);
}
END_TEST

static unsigned noted(const char *outcome, const char *part)
{
    return fake_gate_audited(&fake, "desktop-certificate", outcome, part);
}

START_TEST(what_certificates_teach_is_on_record)
{
    struct ipc_signed_in me = fake_gate_sign_in_well(&fake, 0);
    int64_t first = fake_gate_open_well(&fake, me.token),
            second = fake_gate_open_well(&fake, me.token);
    char known[65], seen[65], both[256];
    uint8_t one[32], two[32];
    memset(one, 1, sizeof(one));
    memset(two, 2, sizeof(two));
    text_hex(known, one, sizeof(one));
    text_hex(seen, two, sizeof(two));
    snprintf(both, sizeof(both), "expected=%s seen=%s", known, seen);
    /* Both see a first one: one is remembered, the other is compared with it. */
    ck_assert_int_eq(show_certificate(first, 1, false), IPC_OK);
    ck_assert_int_eq(show_certificate(second, 2, false), IPC_CERTIFICATE_CHANGED);
    ck_assert_uint_eq(noted("remembered", known), 1);
    ck_assert_uint_eq(noted("changed", both), 1);
    struct store_desktop desktop;
    ck_assert_int_eq(store_desktop_by_name(fake.store, "desk", &desktop), STORE_OK);
    ck_assert_mem_eq(desktop.fingerprint, one, sizeof(one));
    ck_assert_int_eq(show_certificate(second, 1, false), IPC_OK); /* nothing new: no row */
    trust("ca", NULL);
    ck_assert_int_eq(show_certificate(second, 1, false), IPC_CERTIFICATE_UNTRUSTED);
    ck_assert_uint_eq(noted("untrusted", ""), 1);
    ck_assert_uint_eq(noted("remembered", ""), 1);
    ck_assert_uint_eq(noted("changed", ""), 1);
}
END_TEST

START_TEST(a_tunnel_that_must_close_or_is_anothers_teaches_nothing)
{
    struct ipc_signed_in me = fake_gate_sign_in_well(&fake, 0);
    int64_t tunnel = fake_gate_open_well(&fake, me.token);
    int mine = fake.gate;
    struct store_desktop desktop;
    fake.gate = fake_gate_new(&fake); /* another gate */
    ck_assert_int_eq(show_certificate(tunnel, 9, true), IPC_FAILED);
    close(fake.gate);
    fake.gate = mine;
    ck_assert_int_eq(store_tunnel_request_end(fake.store, tunnel), STORE_OK);
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 15000), 0);
    ck_assert_uint_eq(answer.head.type, IPC_CLOSE_TUNNEL);
    ck_assert_int_eq(show_certificate(tunnel, 9, true), IPC_FAILED);
    ck_assert_int_eq(store_desktop_by_name(fake.store, "desk", &desktop), STORE_OK);
    ck_assert_int_eq(desktop.fingerprint_at, 0);
}
END_TEST

/* It may be at another host since: what its old one shows is not asked of the new one. */
START_TEST(a_tunnel_that_is_to_close_teaches_nothing_from_that_moment)
{
    struct ipc_signed_in me = fake_gate_sign_in_well(&fake, 0);
    int64_t tunnel = fake_gate_open_well(&fake, me.token);
    struct store_desktop desktop;
    struct ipc_certificate ask;
    IPC_INIT(&ask, CERTIFICATE, ++fake.request);
    ask.tunnel = tunnel;
    memset(ask.fingerprint, 9, sizeof(ask.fingerprint));
    ck_assert_int_eq(store_tunnel_request_end(fake.store, tunnel), STORE_OK);
    fake_gate_send(&fake, &ask.head); /* long before the keeper looks by itself */
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 15000), 0);
    ck_assert_uint_eq(answer.head.type, IPC_CLOSE_TUNNEL);
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 15000), 0);
    ck_assert_uint_eq(answer.head.type, IPC_CERTIFICATE_JUDGED);
    ck_assert_uint_eq(answer.certificate_judged.status, IPC_FAILED);
    ck_assert_int_eq(store_desktop_by_name(fake.store, "desk", &desktop), STORE_OK);
    ck_assert_int_eq(desktop.fingerprint_at, 0);
}
END_TEST

/* ---- the list of desktops ---- */

static struct ipc_desktop_item listed(const uint8_t *token, const char *name)
{
    struct ipc_desktops ask;
    IPC_INIT(&ask, DESKTOPS, 0);
    fake_gate_origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, token, IPC_TOKEN_SIZE);
    fake_gate_ask(&fake, &ask.head, IPC_DESKTOP_PAGE, &answer, &answer_fd);
    ck_assert_int_eq(answer.desktop_page.status, IPC_OK);
    for (unsigned i = 0; i < answer.desktop_page.count; i++) {
        if (strcmp(answer.desktop_page.items[i].name, name) == 0)
            return answer.desktop_page.items[i];
    }
    ck_abort_msg("%s is not listed", name);
    return (struct ipc_desktop_item){0};
}

START_TEST(the_list_says_what_is_used)
{
    struct ipc_signed_in me = fake_gate_sign_in_well(&fake, 0);
    struct ipc_desktop_item item = listed(me.token, "desk");
    ck_assert(!item.in_use && !item.last_used && !item.same_credentials);
    int64_t before = time(NULL), tunnel = fake_gate_open_well(&fake, me.token);
    struct store_desktop desktop;
    ck_assert_int_eq(store_desktop_by_name(fake.store, "desk", &desktop), STORE_OK);
    desktop.same_credentials = true;
    ck_assert_int_eq(store_desktop_set(fake.store, &desktop), STORE_OK);
    item = listed(me.token, "desk");
    ck_assert(item.in_use && item.same_credentials);
    ck_assert(item.last_used >= before && item.last_used <= time(NULL));
    ck_assert(!listed(me.token, "named").in_use && !listed(me.token, "named").last_used);
    uint8_t theirs[IPC_TOKEN_SIZE];
    int64_t bob = fake_gate_person(&fake, "bob");
    fake_gate_session(&fake, bob, 3, theirs);
    ck_assert_int_eq(
        store_grant_add(fake.store, &(struct store_grant_key){.who = bob, .what = desktop.id}),
        STORE_OK);
    ck_assert(!listed(theirs, "desk").in_use && !listed(theirs, "desk").last_used);
    struct ipc_tunnel_ended ended;
    IPC_INIT(&ended, TUNNEL_ENDED, 0);
    ended.tunnel = tunnel;
    fake_gate_send(&fake, &ended.head);
    item = listed(me.token, "desk");
    ck_assert(!item.in_use && item.last_used >= before);
}
END_TEST

/* ---- sessions ---- */

static struct ipc_session_list sessions_after(const uint8_t *token, int64_t after)
{
    struct ipc_sessions ask;
    IPC_INIT(&ask, SESSIONS, 0);
    fake_gate_origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, token, IPC_TOKEN_SIZE);
    ask.after = after;
    fake_gate_ask(&fake, &ask.head, IPC_SESSION_LIST, &answer, &answer_fd);
    return answer.session_list;
}

static struct ipc_session_list sessions(const uint8_t *token)
{
    return sessions_after(token, 0);
}

START_TEST(sessions_come_page_by_page)
{
    uint8_t mine[IPC_TOKEN_SIZE], theirs[IPC_TOKEN_SIZE];
    fake_gate_session(&fake, fake_gate_person(&fake, "bob"), 100, theirs);
    for (uint8_t mark = 1; mark <= IPC_SESSION_PAGE + 1; mark++)
        fake_gate_session(&fake, fake.alice.id, mark, mine); /* the last one is asked with */
    struct ipc_session_list list = sessions(mine);
    ck_assert_uint_eq(list.count, IPC_SESSION_PAGE);
    ck_assert(list.more);
    for (unsigned i = 0; i < list.count; i++)
        ck_assert(!list.items[i].current);
    list = sessions_after(mine, list.items[IPC_SESSION_PAGE - 1].id);
    ck_assert_uint_eq(list.count, 1);
    ck_assert(!list.more && list.items[0].current);
    list = sessions(theirs);
    ck_assert_uint_eq(list.count, 1);
    ck_assert(list.items[0].current);
}
END_TEST

START_TEST(a_session_names_four_desktops_and_counts_all)
{
    uint8_t mine[IPC_TOKEN_SIZE];
    struct ipc_opened opened;
    fake_gate_session(&fake, fake.alice.id, 1, mine);
    const char *names[] = {"desk", "a", "b", "c", "d"};
    for (int i = 0; i < 5; i++) {
        if (i > 0)
            fake_gate_desktop(&fake, names[i], "127.0.0.1", fake.desktop_port, true);
        ck_assert_int_eq(fake_gate_open(&fake, mine, names[i], &opened, &answer_fd), IPC_OK);
        close(answer_fd);
    }
    struct ipc_session_list list = sessions(mine);
    ck_assert_uint_eq(list.items[0].desktop_count, 5);
    ck_assert_str_eq(list.items[0].desktops[0], "a");
    ck_assert_str_eq(list.items[0].desktops[3], "d");
}
END_TEST

START_TEST(people_see_and_end_their_sessions)
{
    uint8_t theirs[IPC_TOKEN_SIZE];
    fake_gate_session(&fake, fake_gate_person(&fake, "bob"), 3, theirs);
    usleep(600000); /* until the keeper has looked at that: what follows is its own change */
    struct ipc_signed_in first = fake_gate_sign_in_well(&fake, 0);
    struct ipc_signed_in second = fake_gate_sign_in_well(&fake, 1);
    int64_t tunnel = fake_gate_open_well(&fake, first.token);
    struct ipc_session_list list = sessions(second.token);
    ck_assert_int_eq(list.status, IPC_OK);
    ck_assert_uint_eq(list.count, 2);
    ck_assert(!list.items[0].current && list.items[1].current && !list.more);
    ck_assert_uint_eq(list.items[0].desktop_count, 1);
    ck_assert_str_eq(list.items[0].desktops[0], "desk");
    ck_assert_uint_eq(list.items[1].desktop_count, 0);
    struct ipc_end_sessions end;
    IPC_INIT(&end, END_SESSIONS, 0);
    fake_gate_origin(&end.origin, "198.51.100.1");
    memcpy(end.token, second.token, IPC_TOKEN_SIZE);
    fake_gate_ask(&fake, &end.head, IPC_SIGNED_OUT, &answer, &answer_fd);
    ck_assert_int_eq(answer.signed_out.status, IPC_OK);
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 15000), 0);
    ck_assert_uint_eq(answer.head.type, IPC_CLOSE_TUNNEL);
    ck_assert_int_eq(answer.close_tunnel.tunnel, tunnel);
    ck_assert_int_eq(answer.close_tunnel.end, IPC_END_SIGNED_OUT);
    ck_assert_int_eq(fake_gate_who(&fake, first.token), IPC_NO_SESSION);
    ck_assert_int_eq(sessions(second.token).status, IPC_NO_SESSION);
    ck_assert_int_eq(fake_gate_who(&fake, theirs), IPC_OK);
    ck_assert_uint_eq(fake_gate_audited(&fake, "sign-out-everywhere", "ok", ""), 1);
}
END_TEST

/* ---- rules of the record socket ---- */

START_TEST(records_that_break_a_rule_end_the_link)
{
    union ipc_record record;
    switch (_i) {
    case 0:
        IPC_INIT(&record.ticket, TICKET, 1);
        record.ticket.way = IPC_WAY_TUNNEL;
        break;
    case 1:
        IPC_INIT(&record.ticket, TICKET, 1);
        record.ticket.way = IPC_WAY_CLEANPATH;
        memset(record.ticket.desktop, 'x', sizeof(record.ticket.desktop));
        break;
    case 2:
        IPC_INIT(&record.enrol_begin, ENROL_BEGIN, 1);
        record.enrol_begin.kind = 9;
        break;
    case 3:
        IPC_INIT(&record.password, PASSWORD, 1);
        memset(record.password.new_password, 'x', sizeof(record.password.new_password));
        break;
    case 4:
        IPC_INIT(&record.enrol_finish, ENROL_FINISH, 1);
        memset(record.enrol_finish.origin.agent, 'x', sizeof(record.enrol_finish.origin.agent));
        break;
    default:
        IPC_INIT(&record.open, OPEN, 1);
        record.open.way = IPC_WAY_CLEANPATH + 1;
        break;
    }
    fake_gate_send(&fake, &record.head);
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 15000), -EPIPE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keeper_browser");
    TCase *tests = tcase_create("keeper_browser");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, certificates_are_judged_as_the_desktop_demands);
    tcase_add_test(tests, what_certificates_teach_is_on_record);
    tcase_add_test(tests, a_tunnel_that_must_close_or_is_anothers_teaches_nothing);
    tcase_add_test(tests, a_tunnel_that_is_to_close_teaches_nothing_from_that_moment);
    tcase_add_test(tests, the_list_says_what_is_used);
    tcase_add_test(tests, sessions_come_page_by_page);
    tcase_add_test(tests, a_session_names_four_desktops_and_counts_all);
    tcase_add_test(tests, people_see_and_end_their_sessions);
    tcase_add_loop_test(tests, records_that_break_a_rule_end_the_link, 0, 6);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

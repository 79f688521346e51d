/* What the keeper does for browsers: certificates, probes, people's own sessions and factors (for
 * tickets see test_ticket.c). The test plays the gate, a hostile one where it matters. */
#include "fake_gate.h"
#include "totp.h"

#include <check.h>
#include <errno.h>
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

/* ---- probes ---- */

static enum ipc_status probe(const uint8_t *token, const char *desktop)
{
    struct ipc_probe ask;
    IPC_INIT(&ask, PROBE, 0);
    fake_gate_origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, token, IPC_TOKEN_SIZE);
    text_copy(ask.desktop, sizeof(ask.desktop), desktop);
    fake_gate_ask(&fake, &ask.head, IPC_PROBED, &answer, &answer_fd);
    return answer.probed.status;
}

START_TEST(probes_tell_who_answers)
{
    struct ipc_signed_in me = fake_gate_sign_in_well(&fake, 0);
    uint8_t nobody[IPC_TOKEN_SIZE] = {0};
    ck_assert_int_eq(probe(me.token, "desk"), IPC_OK);
    ck_assert_int_eq(probe(me.token, "closed"), IPC_DESKTOP_REFUSED);
    ck_assert_int_eq(probe(me.token, "nowhere"), IPC_NO_DESKTOP);
    ck_assert_int_eq(probe(nobody, "desk"), IPC_NO_SESSION);
    /* What was found holds for a while, unless the desktop moves. */
    close(fake.desktop);
    fake.desktop = -1;
    ck_assert_int_eq(probe(me.token, "desk"), IPC_OK);
    struct store_desktop desktop;
    ck_assert_int_eq(store_desktop_by_name(fake.store, "desk", &desktop), STORE_OK);
    text_copy(desktop.host, sizeof(desktop.host), "127.0.0.2");
    ck_assert_int_eq(store_desktop_set(fake.store, &desktop), STORE_OK);
    ck_assert_int_eq(probe(me.token, "desk"), IPC_DESKTOP_REFUSED);
}
END_TEST

/* ---- sessions ---- */

static struct ipc_session_list sessions(const uint8_t *token)
{
    struct ipc_sessions ask;
    IPC_INIT(&ask, SESSIONS, 0);
    fake_gate_origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, token, IPC_TOKEN_SIZE);
    fake_gate_ask(&fake, &ask.head, IPC_SESSION_LIST, &answer, &answer_fd);
    return answer.session_list;
}

START_TEST(people_see_and_end_their_sessions)
{
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
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 2000), 0);
    ck_assert_uint_eq(answer.head.type, IPC_CLOSE_TUNNEL);
    ck_assert_int_eq(answer.close_tunnel.tunnel, tunnel);
    ck_assert_int_eq(answer.close_tunnel.end, IPC_END_SIGNED_OUT);
    ck_assert_int_eq(fake_gate_who(&fake, first.token), IPC_NO_SESSION);
    ck_assert_int_eq(sessions(second.token).status, IPC_NO_SESSION);
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
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 5000), -EPIPE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keeper_browser");
    TCase *tests = tcase_create("keeper_browser");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, certificates_are_judged_as_the_desktop_demands);
    tcase_add_test(tests, probes_tell_who_answers);
    tcase_add_test(tests, people_see_and_end_their_sessions);
    tcase_add_loop_test(tests, records_that_break_a_rule_end_the_link, 0, 6);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

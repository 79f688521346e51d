/* A clock that was set back: what was written with the time of before. */
#include "store_rig.h"

#include "suite.h"

#include <check.h>
#include <stdlib.h>

START_TEST(a_clock_that_is_set_back)
{
    const struct store_throttle_of of = {.key = "k", .bucket = "address"};
    struct store_throttle row = {.failures = 3, .since = 500, .last_at = 2000};
    int64_t user = store_rig_add_user("a"), early = store_rig_add_session(user, 1, 1300),
            late = store_rig_add_session(user, 2, 1300);
    struct store_session session;
    ck_assert_int_eq(store_throttle_set(store, &of, &row), STORE_OK);
    ck_assert_int_eq(store_session_use(store, late, 1200), STORE_OK);
    ck_assert_int_eq(store_clock_back(store, 1100), STORE_OK);
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_OK);
    ck_assert_int_eq(row.since, 500);
    ck_assert_int_eq(row.last_at, 1100);
    ck_assert_int_eq(store_session_by_id(store, late, &session), STORE_OK);
    ck_assert_int_eq(session.used_at, 1100);
    ck_assert_int_eq(session.expires_at, 1300);
    /* Made in the future: it lives as long as it was to live, from now on. */
    ck_assert_int_eq(store_clock_back(store, 400), STORE_OK);
    ck_assert_int_eq(store_session_by_id(store, early, &session), STORE_OK);
    ck_assert_int_eq(session.created_at, 400);
    ck_assert_int_eq(session.used_at, 400);
    ck_assert_int_eq(session.factor_at, 400);
    ck_assert_int_eq(session.expires_at, 700);
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_OK);
    ck_assert_int_eq(row.since, 400);
}
END_TEST

/* Made, used and dropped by a clock that was a day ahead: good for as long as it was to be, no
 * longer. */
START_TEST(tickets_and_invitations_of_a_day_to_come)
{
    const int64_t ahead = 2000 + 86400;
    const uint8_t hash[32] = {7};
    struct store_ticket ticket = {
        .way = "rdg", .created_at = 1500, .expires_at = 1800, .hash = {7}};
    int64_t user = store_rig_add_user("a"), until = 0;
    ticket.desktop = store_rig_add_desktop("d");
    ticket.session = store_rig_add_session(user, 1, 90000);
    int64_t id, tunnel = store_rig_add_tunnel(ticket.session, user, ticket.desktop);
    ck_assert_int_eq(store_ticket_add(store, &ticket, &id), STORE_OK);
    ck_assert_int_eq(store_ticket_use(store, id, 1700), STORE_OK);
    ck_assert_int_eq(store_ticket_end(store, id, tunnel, ""), STORE_OK);
    ck_assert_int_eq(store_tunnel_end(store, tunnel, ahead, 1, 2, "client-lost"), STORE_OK);
    ck_assert_int_eq(store_invitation_set(store, user, hash, ahead, ahead + 3600), STORE_OK);

    ck_assert_int_eq(store_clock_back(store, 1650), STORE_OK);
    ck_assert_int_eq(store_ticket_by_hash(store, ticket.hash, &ticket), STORE_OK);
    ck_assert_int_eq(ticket.created_at, 1500);
    ck_assert_int_eq(ticket.expires_at, 1800);
    ck_assert_int_eq(ticket.used_at, 1650);
    ck_assert_int_eq(ticket.tunnel_ended_at, 1650);
    ck_assert_int_eq(store_invitation_until(store, user, 1650, &until), STORE_OK);
    ck_assert_int_eq(until, 1650 + 3600);
    ck_assert_int_eq(store_clock_back(store, 1600), STORE_OK);
    ck_assert_int_eq(store_ticket_by_hash(store, ticket.hash, &ticket), STORE_OK);
    ck_assert_int_eq(ticket.used_at, 1600);
    ck_assert_int_eq(ticket.expires_at, 1800);
}
END_TEST

/* What was raised by a clock that was ahead keeps nothing back until that day. */
START_TEST(alerts_of_a_day_to_come)
{
    struct store_alert alert = {.at = 90000, .rule = "gate_dropped", .subject = "gate"};
    struct store_alerts_seen seen;
    ck_assert_int_eq(store_alert_add(store, &alert), STORE_OK);
    ck_assert_int_eq(store_clock_back(store, 3600), STORE_OK);
    ck_assert_int_eq(store_alert_last(store, "gate_dropped", "gate", &seen), STORE_OK);
    ck_assert_int_eq(seen.last_at, 3600);
    ck_assert_int_eq(store_alert_since(store, 3600, &seen), STORE_OK);
    ck_assert_int_eq(seen.count, 0);
}
END_TEST

/* A password has the age that it has. */
START_TEST(passwords_of_a_day_to_come)
{
    struct store_session session;
    int64_t user = store_rig_add_user("a"), id = store_rig_add_session(user, 1, 9000);
    ck_assert_int_eq(store_user_set_password(store, user, "$argon2id$2", 90000), STORE_OK);
    ck_assert_int_eq(store_clock_back(store, 1100), STORE_OK);
    ck_assert_int_eq(store_session_by_id(store, id, &session), STORE_OK);
    ck_assert_int_eq(session.password_at, 1100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_clock");
    TCase *tests = tcase_create("store_clock");
    tcase_add_checked_fixture(tests, store_rig_setup, store_rig_teardown);
    tcase_add_test(tests, a_clock_that_is_set_back);
    tcase_add_test(tests, tickets_and_invitations_of_a_day_to_come);
    tcase_add_test(tests, alerts_of_a_day_to_come);
    tcase_add_test(tests, passwords_of_a_day_to_come);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

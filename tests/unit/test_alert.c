/* The whole keeper, and rows of the audit log for it to judge: what is raised, how often, and that
 * a restart neither forgets nor repeats. Each case ends with a row that surely raises, so that
 * nothing has to be waited for in vain. */
#include "alert_rule.h"
#include "control.h"
#include "fake_gate.h"
#include "store.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HERE "198.51.100.7"
#define ALERTS_MOST 64

static struct fake_gate fake;
static struct store_alert alerts[ALERTS_MOST];
static size_t alert_count;
static unsigned ends;

static void setup(void)
{
    fake_gate_setup(&fake);
    fake_gate_stop(&fake);
    fake.conf.alert_user_failures = 4;
    fake.conf.alert_address_failures = 6;
    fake.conf.alert_after_failures = 3;
    fake.conf.alert_window_seconds = 60;
    alert_count = 0;
    ends = 0;
}

static void teardown(void)
{
    fake_gate_teardown(&fake);
}

static void add_at(int64_t ago, const char *event, const char *outcome, const char *who,
                   const char *address, const char *desktop)
{
    struct store_audit row = {.has_address = *address != '\0'};
    row.at_ms = ((int64_t)time(NULL) - ago) * 1000;
    text_copy(row.event, sizeof(row.event), event);
    text_copy(row.outcome, sizeof(row.outcome), outcome);
    text_copy(row.who, sizeof(row.who), who);
    text_copy(row.desktop, sizeof(row.desktop), desktop);
    text_copy(row.detail, sizeof(row.detail), "row 7");
    ck_assert(!row.has_address || addr_parse(&row.address, address));
    ck_assert_int_eq(store_audit_add(fake.store, &row), STORE_OK);
}

static void add(const char *outcome, const char *who, const char *address)
{
    add_at(0, "sign-in", outcome, who, address, "");
}

static void add_many(unsigned count, const char *outcome, const char *who, const char *address)
{
    while (count--)
        add(outcome, who, address);
}

static int collect(void *owner, const struct store_alert *alert)
{
    (void)owner;
    ck_assert_uint_lt(alert_count, ALERTS_MOST);
    alerts[alert_count++] = *alert;
    return 0;
}

static void look(void)
{
    alert_count = 0;
    ck_assert_int_eq(store_alert_list(fake.store, ALERTS_MOST, collect, NULL), STORE_OK);
}

/* Waits until all rows there are have been judged, and takes the last one's alert away. */
static void judged(void)
{
    char desktop[TEXT_NAME_SIZE];
    int64_t until = fake_gate_now_ms() + 60000;
    snprintf(desktop, sizeof(desktop), "end-%u", ends++);
    add_at(0, "desktop-certificate", "changed", "alice", HERE, desktop);
    do {
        usleep(20000);
        look();
        ck_assert_msg(fake_gate_now_ms() < until, "not judged in time");
    } while (!alert_count || strcmp(alerts[alert_count - 1].desktop, desktop) != 0);
    alert_count--;
    for (size_t i = 0; i < alert_count; i++) { /* those of earlier ends */
        if (strncmp(alerts[i].desktop, "end-", 4) == 0) {
            memmove(&alerts[i], &alerts[i + 1], (alert_count - i - 1) * sizeof(alerts[0]));
            alert_count--;
            i--;
        }
    }
}

static void has(size_t at, enum alert_rule rule, const char *subject, const char *part)
{
    ck_assert_uint_lt(at, alert_count);
    ck_assert_str_eq(alerts[at].rule, alert_rule_name(rule));
    ck_assert_str_eq(alerts[at].subject, subject);
    ck_assert_msg(strstr(alerts[at].message, part) != NULL, "%s", alerts[at].message);
}

static void counts(size_t wanted)
{
    for (size_t i = 0; alert_count != wanted && i < alert_count; i++)
        fprintf(stderr, "%s: %s\n", alerts[i].rule, alerts[i].message);
    ck_assert_uint_eq(alert_count, wanted);
}

START_TEST(failures_of_a_person)
{
    fake_gate_start(&fake);
    add_many(3, "denied", "alice", HERE);
    judged();
    counts(0);
    add("throttled", "ALICE", "203.0.113.9"); /* names are without case */
    judged();
    counts(1);
    has(0, ALERT_USER_FAILURES, "ALICE", "4 failed attempts to sign in as ALICE within 60 s");
    ck_assert_str_eq(alerts[0].who, "ALICE");
    ck_assert(alerts[0].has_address && !alerts[0].test);
    ck_assert_uint_eq(fake_gate_audited(&fake, "alert", "raised", "user_failures: 4 failed"), 1);
}
END_TEST

START_TEST(is_not_repeated_soon)
{
    fake_gate_start(&fake);
    add_many(4, "denied", "alice", HERE);
    judged();
    counts(1);
    add("denied", "alice", HERE);
    judged();
    counts(1);
}
END_TEST

START_TEST(is_repeated_later)
{
    fake.conf.alert_repeat_seconds = 0;
    fake_gate_start(&fake);
    add_many(5, "denied", "alice", HERE);
    judged();
    counts(2);
}
END_TEST

START_TEST(old_failures_do_not_count)
{
    fake_gate_start(&fake);
    for (int i = 0; i < 3; i++)
        add_at(61, "sign-in", "denied", "alice", HERE, "");
    add("denied", "alice", HERE);
    judged();
    counts(0);
}
END_TEST

START_TEST(what_is_no_person_is_none)
{
    fake_gate_start(&fake);
    add_many(5, "denied", "(unknown)", HERE);
    judged();
    counts(0);
}
END_TEST

START_TEST(other_outcomes_are_no_failures)
{
    fake_gate_start(&fake);
    add_many(6, "busy", "alice", HERE);
    for (int i = 0; i < 6; i++)
        add_at(0, "tunnel-open", "denied", "alice", HERE, "desk");
    judged();
    counts(0);
}
END_TEST

START_TEST(failures_from_an_address)
{
    static const char *const from[][6] = {
        {HERE, HERE, HERE, HERE, HERE, HERE},
        /* one subscriber's network */
        {"2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff:ffff:ffff:ffff",
         "2001:db8:1:2::4", "2001:db8:1:2::5", "2001:db8:1:2::6"},
    };
    static const char *const subjects[] = {HERE, "2001:db8:1:2::/64"};
    static const char *const events[] = {"sign-in", "gateway-password", "re-authentication",
                                         "invitation"};
    fake_gate_start(&fake);
    for (size_t i = 0; i < 6; i++)
        add_at(0, events[i % 4], "denied", i == 2 ? "bob" : "(unknown)", from[_i][i], "");
    add("denied", "(unknown)", "198.51.100.8"); /* a neighbour */
    judged();
    counts(1);
    has(0, ALERT_ADDRESS_FAILURES, subjects[_i], "6 failed attempts to sign in from");
}
END_TEST

START_TEST(a_network_not_seen_before)
{
    fake_gate_start(&fake);
    add("ok", "alice", "192.0.2.1"); /* the first one of all is learnt in silence */
    add("ok", "alice", "192.0.2.200");
    judged();
    counts(0);
    add("ok", "alice", "203.0.113.5");
    add("ok", "alice", "203.0.113.6");
    add("ok", "alice", "192.0.2.1");
    add("ok", "alice", "2001:db8:1:2::1");
    add("ok", "alice", "2001:db8:1:3::1");
    add("ok", "nobody", "203.0.113.5");
    judged();
    counts(2);
    has(0, ALERT_NEW_NETWORK, "alice 203.0.113.0/24", "alice signed in from a network not seen");
    has(1, ALERT_NEW_NETWORK, "alice 2001:db8:1::/48", "2001:db8:1::/48");
}
END_TEST

START_TEST(signed_in_after_failures)
{
    fake_gate_start(&fake);
    add_many(2, "denied", "alice", HERE);
    add("ok", "alice", HERE);
    judged();
    counts(0);
    add("denied", "alice", HERE);
    add("ok", "alice", HERE);
    judged();
    counts(1);
    has(0, ALERT_SUCCESS_AFTER_FAILURES, "alice", "after 3 failed attempts");
}
END_TEST

START_TEST(certificates_of_desktops)
{
    fake_gate_start(&fake);
    add_at(0, "desktop-certificate", "remembered", "alice", HERE, "new");
    add_at(0, "desktop-certificate", "changed", "alice", HERE, "desk");
    add_at(0, "desktop-certificate", "changed", "bob", HERE, "desk");
    add_at(0, "desktop-certificate", "untrusted", "alice", HERE, "named");
    judged();
    counts(2);
    has(0, ALERT_CERTIFICATE_CHANGED, "desk", "shows another certificate");
    has(1, ALERT_CERTIFICATE_CHANGED, "named", "no configured authority");
}
END_TEST

START_TEST(a_broken_audit_log)
{
    fake_gate_start(&fake);
    add_at(0, "audit-verify", "ok", "", "", "");
    add_at(0, "audit-verify", "broken", "", "", "");
    judged();
    counts(1);
    has(0, ALERT_AUDIT_BROKEN, "audit", "does not hold: row 7");
}
END_TEST

START_TEST(a_gate_that_broke_the_rules)
{
    struct ipc_signed_in wrong;
    union ipc_record answer;
    int fd;
    fake_gate_start(&fake);
    IPC_INIT(&wrong, SIGNED_IN, 1); /* the keeper's own record */
    fake_gate_send(&fake, &wrong.head);
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &fd, 15000), -EPIPE);
    judged();
    counts(1);
    has(0, ALERT_GATE_DROPPED, "gate", "taken over: the gate broke the rules");
    has(0, ALERT_GATE_DROPPED, "gate", "(signed_in)");
}
END_TEST

START_TEST(rules_can_be_off)
{
    fake.conf.alert_rules = 1U << ALERT_CERTIFICATE_CHANGED;
    fake_gate_start(&fake);
    add_many(6, "denied", "alice", HERE);
    add("ok", "alice", HERE);
    add("ok", "alice", "203.0.113.5");
    judged();
    counts(0);
}
END_TEST

/* What happened while no keeper ran is judged by the next one; nothing is judged twice. */
START_TEST(restarts)
{
    fake_gate_start(&fake);
    add_many(4, "denied", "alice", HERE);
    judged();
    counts(1);
    fake_gate_stop(&fake);
    add_many(4, "denied", "bob", "203.0.113.1");
    fake_gate_start(&fake);
    judged();
    counts(2);
    has(1, ALERT_USER_FAILURES, "bob", "sign in as bob");
}
END_TEST

START_TEST(so_many_an_hour)
{
    char name[TEXT_NAME_SIZE];
    fake.conf.alert_per_hour = 5;
    fake_gate_start(&fake);
    judged(); /* the first of the five */
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "desk-%d", i);
        add_at(0, "desktop-certificate", "changed", "alice", HERE, name);
    }
    int64_t until = fake_gate_now_ms() + 60000;
    while (alert_count < 5 && fake_gate_now_ms() < until) {
        usleep(20000);
        look();
    }
    usleep(1500000);
    look();
    counts(5);
}
END_TEST

/* Anybody can fail from many addresses: that uses up half of what there may be. */
START_TEST(a_flood_of_failures_hides_nothing)
{
    char address[ADDR_TEXT_SIZE];
    fake.conf.alert_per_hour = 6;
    fake_gate_start(&fake);
    for (int i = 0; i < 8; i++) {
        snprintf(address, sizeof(address), "2001:db8:0:%x::1", i);
        add_many(6, "denied", "(unknown)", address);
    }
    add_many(3, "denied", "alice", HERE);
    add("ok", "alice", HERE);
    add_at(0, "gate-dropped", "denied", "", "", "");
    judged();
    counts(3 + 2);
    has(2, ALERT_ADDRESS_FAILURES, "2001:db8:0:2::/64", "6 failed attempts");
    has(3, ALERT_SUCCESS_AFTER_FAILURES, "alice", "after 3 failed attempts");
    has(4, ALERT_GATE_DROPPED, "gate", "taken over");
}
END_TEST

/* ---- the gateway's certificate ---- */

static void expires(int64_t in_seconds)
{
    struct ipc_expiry expiry;
    IPC_INIT(&expiry, EXPIRY, 0);
    expiry.expires = in_seconds ? (int64_t)time(NULL) + in_seconds : 0;
    fake_gate_send(&fake, &expiry.head);
}

START_TEST(the_gateways_certificate)
{
    static const struct {
        int64_t in_seconds;
        const char *part; /* NULL: no alert */
    } table[] = {
        {0, NULL},           {15 * 86400, NULL},   {13 * 86400 + 3600, "in 13 days"},
        {3600, "in 0 days"}, {-86400, "ended on"},
    };
    fake_gate_start(&fake);
    expires(table[_i].in_seconds);
    int64_t until = fake_gate_now_ms() + 60000;
    alert_count = 0;
    if (!table[_i].part)
        usleep(1200000); /* a look */
    while (table[_i].part && !alert_count && fake_gate_now_ms() < until) {
        usleep(20000);
        look();
    }
    judged();
    counts(table[_i].part ? 1 : 0);
    if (table[_i].part)
        has(0, ALERT_CERTIFICATE_EXPIRY, "gateway", table[_i].part);
}
END_TEST

/* ---- on its way out ---- */

/* The next alert that the supervisor is given. */
static json_t *delivered(void)
{
    int fds[CONTROL_FDS_MAX];
    size_t count;
    char text[4096];
    struct pollfd waits = {.fd = fake.control, .events = POLLIN};
    ck_assert_int_eq(poll(&waits, 1, 15000), 1);
    ck_assert_int_eq(control_receive(fake.control, fds, &count), CONTROL_ALERT);
    ck_assert_uint_eq(count, 1);
    ssize_t got = pread(fds[0], text, sizeof(text), 0);
    ck_assert_int_gt(got, 0);
    ck_assert_int_lt(write(fds[0], "x", 1), 0); /* sealed */
    close(fds[0]);
    json_t *json = json_loadb(text, (size_t)got, 0, NULL);
    ck_assert_ptr_nonnull(json);
    return json;
}

static const char *member(json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "(none)";
}

START_TEST(the_supervisor_gets_it)
{
    fake_gate_start(&fake);
    add_at(0, "desktop-certificate", "changed", "alice", "2001:db8::5", "desk");
    json_t *json = delivered();
    ck_assert_str_eq(member(json, "rule"), "certificate_changed");
    ck_assert_str_eq(member(json, "user"), "alice");
    ck_assert_str_eq(member(json, "desktop"), "desk");
    ck_assert_str_eq(member(json, "address"), "2001:db8::5");
    ck_assert_str_eq(member(json, "gateway"), fake.conf.name);
    ck_assert_uint_eq(strlen(member(json, "at")), strlen("2026-01-01T00:00:00Z"));
    ck_assert(json_is_false(json_object_get(json, "test")));
    ck_assert_ptr_nonnull(strstr(member(json, "text"), member(json, "message")));
    json_decref(json);
    look();
    ck_assert_uint_eq(alert_count, 1);
}
END_TEST

/* It waits for the next keeper, and comes once. */
START_TEST(a_test_from_the_command_line)
{
    struct store_alert alert = {.at = time(NULL), .test = true};
    text_copy(alert.rule, sizeof(alert.rule), "new_network");
    text_copy(alert.message, sizeof(alert.message), "a test");
    fake.conf.alert_rules = 0;
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(store_alert_add(fake.store, &alert), STORE_OK);
    fake_gate_start(&fake);
    for (int i = 0; i < 2; i++) { /* tests are not held back */
        json_t *json = delivered();
        ck_assert_str_eq(member(json, "rule"), "new_network");
        ck_assert(json_is_true(json_object_get(json, "test")));
        json_decref(json);
    }
    struct pollfd waits = {.fd = fake.control, .events = POLLIN};
    ck_assert_int_eq(poll(&waits, 1, 1500), 0);
    int64_t until = fake_gate_now_ms() + 60000;
    do
        look();
    while (!(alert_count == 2 && alerts[0].sent && alerts[1].sent) && fake_gate_now_ms() < until);
    ck_assert(alert_count == 2 && alerts[0].sent && alerts[1].sent);
}
END_TEST

START_TEST(names_of_rules)
{
    for (unsigned rule = 0; rule < ALERT_RULES; rule++) {
        ck_assert_int_eq(alert_rule_find(alert_rule_name(rule)), (int)rule);
        ck_assert_uint_gt(strlen(alert_rule_words(rule)), 10);
    }
    ck_assert_int_eq(alert_rule_find("unknown"), -1);
    ck_assert_str_eq(alert_rule_name(ALERT_RULES), "unknown");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alert");
    TCase *tests = tcase_create("alert");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, failures_of_a_person);
    tcase_add_test(tests, is_not_repeated_soon);
    tcase_add_test(tests, is_repeated_later);
    tcase_add_test(tests, old_failures_do_not_count);
    tcase_add_test(tests, what_is_no_person_is_none);
    tcase_add_test(tests, other_outcomes_are_no_failures);
    tcase_add_loop_test(tests, failures_from_an_address, 0, 2);
    tcase_add_test(tests, a_network_not_seen_before);
    tcase_add_test(tests, signed_in_after_failures);
    tcase_add_test(tests, certificates_of_desktops);
    tcase_add_test(tests, a_broken_audit_log);
    tcase_add_test(tests, a_gate_that_broke_the_rules);
    tcase_add_test(tests, rules_can_be_off);
    tcase_add_test(tests, restarts);
    tcase_add_test(tests, so_many_an_hour);
    tcase_add_test(tests, a_flood_of_failures_hides_nothing);
    tcase_add_loop_test(tests, the_gateways_certificate, 0, 5);
    tcase_add_test(tests, the_supervisor_gets_it);
    tcase_add_test(tests, a_test_from_the_command_line);
    tcase_add_test(tests, names_of_rules);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

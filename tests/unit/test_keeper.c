/* What the keeper does for people: signing in and out, opening desktops, closing what may no longer
 * live. */
#include "fake_gate.h"
#include "session.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct fake_gate fake;

static void setup(void)
{
    fake_gate_setup(&fake);
}

static void teardown(void)
{
    fake_gate_teardown(&fake);
}

/* The order to close `tunnel` comes with the next look, some a second, and says why. */
static void expect_close(int64_t tunnel, enum ipc_end why)
{
    union ipc_record record;
    int fd;
    int64_t begun = fake_gate_now_ms();
    ck_assert_int_eq(fake_gate_next(&fake, &record, &fd, 15000), 0);
    ck_assert_uint_eq(record.head.type, IPC_CLOSE_TUNNEL);
    ck_assert_int_eq(record.close_tunnel.tunnel, tunnel);
    ck_assert_int_eq(record.close_tunnel.end, why);
    ck_assert_int_le(fake_gate_now_ms() - begun, 5000);
}

START_TEST(signs_in_and_out)
{
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    ck_assert_str_eq(got.username, "alice");
    ck_assert_int_gt(got.expires, time(NULL));
    ck_assert_int_eq(fake_gate_who(&fake, got.token), IPC_OK);
    struct ipc_sign_out out;
    union ipc_record answer;
    int fd;
    IPC_INIT(&out, SIGN_OUT, 0);
    fake_gate_origin(&out.origin, "198.51.100.1");
    memcpy(out.token, got.token, IPC_TOKEN_SIZE);
    fake_gate_ask(&fake, &out.head, IPC_SIGNED_OUT, &answer, &fd);
    ck_assert_int_eq(answer.signed_out.status, IPC_OK);
    ck_assert_int_eq(fake_gate_who(&fake, got.token), IPC_NO_SESSION);
    fake_gate_ask(&fake, &out.head, IPC_SIGNED_OUT, &answer, &fd);
    ck_assert_int_eq(answer.signed_out.status, IPC_NO_SESSION);
}
END_TEST

START_TEST(every_wrong_factor_is_denied_alike)
{
    char code[7], wrong[7];
    fake_gate_code(&fake, code, 0);
    memcpy(wrong, code, sizeof(wrong));
    wrong[0] = wrong[0] == '9' ? '8' : (char)(wrong[0] + 1);
    struct ipc_signed_in a =
        fake_gate_sign_in(&fake, "alice", "not this one at all", code, "198.51.100.1");
    struct ipc_signed_in b =
        fake_gate_sign_in(&fake, "nobody", fake_gate_password, code, "198.51.100.2");
    struct ipc_signed_in c =
        fake_gate_sign_in(&fake, "alice", fake_gate_password, wrong, "198.51.100.3");
    struct ipc_signed_in d = fake_gate_sign_in(&fake, "", "", "", "198.51.100.4");
    a.head.request = b.head.request = c.head.request = d.head.request = 0;
    ck_assert_int_eq(a.status, IPC_DENIED);
    ck_assert_mem_eq(&a, &b, sizeof(a));
    ck_assert_mem_eq(&a, &c, sizeof(a));
    ck_assert_mem_eq(&a, &d, sizeof(a));
    /* None of it used up the code. */
    ck_assert_int_eq(
        fake_gate_sign_in(&fake, "ALICE", fake_gate_password, code, "198.51.100.1").status, IPC_OK);
    store_user_set_disabled(fake.store, fake.alice.id, true);
    fake_gate_code(&fake, code, 1);
    struct ipc_signed_in e =
        fake_gate_sign_in(&fake, "alice", fake_gate_password, code, "198.51.100.5");
    e.head.request = 0;
    ck_assert_mem_eq(&a, &e, sizeof(a));
}
END_TEST

START_TEST(a_code_works_once_even_after_a_restart)
{
    char code[7];
    fake_gate_code(&fake, code, 0);
    ck_assert_int_eq(
        fake_gate_sign_in(&fake, "alice", fake_gate_password, code, "198.51.100.1").status, IPC_OK);
    ck_assert_int_eq(
        fake_gate_sign_in(&fake, "alice", fake_gate_password, code, "198.51.100.1").status,
        IPC_DENIED);
    ck_assert_int_eq(fake_gate_stop(&fake), 0);
    fake_gate_start(&fake);
    ck_assert_int_eq(
        fake_gate_sign_in(&fake, "alice", fake_gate_password, code, "198.51.100.1").status,
        IPC_DENIED);
    fake_gate_sign_in_well(&fake, 1);
}
END_TEST

START_TEST(failures_slow_down_where_they_come_from)
{
    for (uint32_t i = 0; i < fake.conf.login_user_failures; i++)
        ck_assert_int_eq(
            fake_gate_sign_in(&fake, "alice", "wrong password", "000000", "203.0.113.9").status,
            IPC_DENIED);
    struct ipc_signed_in got =
        fake_gate_sign_in(&fake, "alice", "wrong password", "000000", "203.0.113.9");
    ck_assert_int_eq(got.status, IPC_THROTTLED);
    ck_assert_uint_ge(got.retry_seconds, 1);
    /* The person herself, elsewhere, is not locked out. */
    fake_gate_sign_in_well(&fake, 0);
}
END_TEST

/* The processor time that the keeper spends on one denial, in microseconds: what an outsider could
 * measure on a machine with nothing else to do. */
static int64_t work_denied(const char *name, const char *secret, const char *code, int place)
{
    char address[20];
    clockid_t clock;
    struct timespec begun, ended;
    snprintf(address, sizeof(address), "203.0.%d.9", place);
    ck_assert_int_eq(clock_getcpuclockid(fake.keeper, &clock), 0);
    clock_gettime(clock, &begun);
    ck_assert_int_eq(fake_gate_sign_in(&fake, name, secret, code, address).status, IPC_DENIED);
    clock_gettime(clock, &ended);
    return (ended.tv_sec - begun.tv_sec) * 1000000 + (ended.tv_nsec - begun.tv_nsec) / 1000;
}

START_TEST(every_denial_is_the_same_work)
{
    /* The least of several tries; the hash left out, or done twice, would be a factor of two. */
    enum { KINDS = 4, TRIES = 8 };
    char right[7], wrong[7];
    int64_t least[KINDS + 1], shortest = INT64_MAX, longest = 0;
    fake_gate_code(&fake, right, 0);
    fake_gate_sign_in_well(&fake, 0); /* from now on the right code is a used one */
    fake_gate_code(&fake, wrong, 100);
    const struct {
        const char *name, *secret, *code;
    } kinds[KINDS] = {{"nobody", fake_gate_password, right},
                      {"alice", "wrong password", right},
                      {"alice", fake_gate_password, wrong},
                      {"alice", fake_gate_password, right}};
    for (size_t kind = 0; kind <= KINDS; kind++)
        least[kind] = INT64_MAX;
    for (int i = 0; i < TRIES * (KINDS + 1); i++) {
        int kind = i % KINDS, at = i < TRIES * KINDS ? kind : KINDS;
        if (i == TRIES * KINDS)
            ck_assert_int_eq(store_user_set_disabled(fake.store, fake.alice.id, true), STORE_OK);
        kind = at == KINDS ? KINDS - 1 : kind; /* disabled, else all right */
        int64_t took = work_denied(kinds[kind].name, kinds[kind].secret, kinds[kind].code, i + 1);
        least[at] = took < least[at] ? took : least[at];
    }
    for (size_t kind = 0; kind <= KINDS; kind++) {
        shortest = least[kind] < shortest ? least[kind] : shortest;
        longest = least[kind] > longest ? least[kind] : longest;
    }
    ck_assert_msg(longest * 5 <= shortest * 8,
                  "us: unknown %d, password %d, code %d, used code %d, disabled %d", (int)least[0],
                  (int)least[1], (int)least[2], (int)least[3], (int)least[4]);
}
END_TEST

START_TEST(opens_what_is_granted_and_reachable)
{
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    struct ipc_opened opened;
    int fd;
    ck_assert_int_eq(fake_gate_open(&fake, got.token, "desk", &opened, &fd), IPC_OK);
    int peer = accept4(fake.desktop, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_eq(write(fd, "hello", 5), 5);
    char bytes[5];
    ck_assert_int_eq(read(peer, bytes, 5), 5);
    ck_assert_uint_gt(opened.absolute_seconds, 0);
    close(peer);
    close(fd);
    ck_assert_int_eq(fake_gate_open(&fake, got.token, "NAMED", &opened, &fd), IPC_OK);
    close(fd);
    ck_assert_int_eq(fake_gate_open(&fake, got.token, "closed", &opened, &fd), IPC_DESKTOP_REFUSED);
    ck_assert_int_eq(fake_gate_open(&fake, got.token, "strange", &opened, &fd),
                     IPC_DESKTOP_ADDRESS);
    ck_assert_int_eq(fake_gate_open(&fake, got.token, "nameless", &opened, &fd), IPC_DESKTOP_NAME);
    ck_assert_int_eq(fake_gate_open(&fake, got.token, "others", &opened, &fd), IPC_NO_DESKTOP);
    ck_assert_int_eq(fake_gate_open(&fake, got.token, "nowhere", &opened, &fd), IPC_NO_DESKTOP);
    got.token[0] ^= 1;
    ck_assert_int_eq(fake_gate_open(&fake, got.token, "desk", &opened, &fd), IPC_NO_SESSION);
}
END_TEST

START_TEST(an_administrators_word_closes_tunnels)
{
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    struct store_desktop row;
    int64_t tunnel = fake_gate_open_well(&fake, got.token);
    ck_assert_int_eq(store_tunnel_request_end(fake.store, tunnel), STORE_OK);
    expect_close(tunnel, IPC_END_TUNNEL_ENDED);
    tunnel = fake_gate_open_well(&fake, got.token);
    store_desktop_by_name(fake.store, "desk", &row);
    ck_assert_int_eq(store_grant_remove(fake.store, &(struct store_grant_key){.who = fake.alice.id,
                                                                              .what = row.id}),
                     STORE_OK);
    expect_close(tunnel, IPC_END_GRANT_REMOVED);
    ck_assert_int_eq(store_grant_add(fake.store, &(struct store_grant_key){.who = fake.alice.id,
                                                                           .what = row.id}),
                     STORE_OK);
    tunnel = fake_gate_open_well(&fake, got.token);
    ck_assert_int_eq(account_set_disabled(fake.store, &fake.alice, true, time(NULL)), STORE_OK);
    expect_close(tunnel, IPC_END_USER_DISABLED);
    ck_assert_int_eq(fake_gate_who(&fake, got.token), IPC_NO_SESSION);
}
END_TEST

START_TEST(ended_sessions_close_tunnels)
{
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    struct store_session session;
    int64_t tunnel = fake_gate_open_well(&fake, got.token);
    uint8_t hash[32];
    struct ipc_signed_in other = fake_gate_sign_in_well(&fake, 1);
    int64_t second = fake_gate_open_well(&fake, other.token);
    session_hash(got.token, hash);
    ck_assert_int_eq(store_session_by_hash(fake.store, hash, &session), STORE_OK);
    ck_assert_int_eq(store_session_end(fake.store, session.id, time(NULL), "admin"), STORE_OK);
    expect_close(tunnel, IPC_END_SESSION_ENDED);
    struct ipc_sign_out out;
    IPC_INIT(&out, SIGN_OUT, ++fake.request);
    fake_gate_origin(&out.origin, "198.51.100.1");
    memcpy(out.token, other.token, IPC_TOKEN_SIZE);
    union ipc_record answer;
    int fd;
    fake_gate_ask(&fake, &out.head, IPC_SIGNED_OUT, &answer, &fd);
    expect_close(second, IPC_END_SIGNED_OUT);
}
END_TEST

static int see_audit(void *owner, const struct store_audit *row)
{
    char *text = owner;
    size_t used = strlen(text);
    snprintf(text + used, 4096 - used, "%s/%s/%s/%s\n", row->event, row->outcome, row->who,
             row->detail);
    return 0;
}

START_TEST(what_is_denied_is_written_down_without_what_was_typed)
{
    char rows[4096] = "", code[7];
    const struct store_audit_filter all = {0};
    fake_gate_code(&fake, code, 0);
    fake_gate_sign_in(&fake, "my secret, typed into the wrong field", "another secret", code,
                      "198.51.100.1");
    fake_gate_sign_in(&fake, "alice", "another secret", "123456", "198.51.100.1");
    ck_assert_int_eq(store_audit_list(fake.store, &all, see_audit, rows), STORE_OK);
    ck_assert_ptr_nonnull(strstr(rows, "sign-in/denied/(unknown)/"));
    ck_assert_ptr_nonnull(strstr(rows, "sign-in/denied/alice/"));
    ck_assert_ptr_null(strstr(rows, "secret"));
    ck_assert_ptr_null(strstr(rows, code));
}
END_TEST

START_TEST(many_tries_at_once_do_not_slip_through)
{
    /* All sent before the first is judged. */
    unsigned total = fake.conf.login_user_failures * 3, denied = 0, throttled = 0;
    struct ipc_sign_in ask;
    IPC_INIT(&ask, SIGN_IN, 0);
    fake_gate_origin(&ask.origin, "203.0.113.9");
    text_copy(ask.username, sizeof(ask.username), "alice");
    for (unsigned i = 0; i < total; i++) {
        ask.head.request = i + 1;
        ck_assert_int_eq(ipc_send(fake.gate, &ask.head, -1), 0);
    }
    for (unsigned i = 0; i < total; i++) {
        union ipc_record answer;
        int fd;
        ck_assert_int_eq(fake_gate_next(&fake, &answer, &fd, 15000), 0);
        denied += answer.signed_in.status == IPC_DENIED;
        throttled += answer.signed_in.status == IPC_THROTTLED;
    }
    ck_assert_uint_eq(denied, fake.conf.login_user_failures);
    ck_assert_uint_eq(throttled, total - denied);
}
END_TEST

START_TEST(a_success_forgets_the_failures)
{
    for (int64_t step = 0; step < 2; step++) {
        for (uint32_t i = 1; i < fake.conf.login_user_failures; i++)
            ck_assert_int_eq(
                fake_gate_sign_in(&fake, "alice", "wrong", "000000", "198.51.100.1").status,
                IPC_DENIED);
        fake_gate_sign_in_well(&fake, step);
    }
}
END_TEST

START_TEST(a_session_idles_out_and_expires)
{
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    struct store_session session;
    uint8_t hash[32];
    session_hash(got.token, hash);
    ck_assert_int_eq(store_session_by_hash(fake.store, hash, &session), STORE_OK);
    ck_assert_int_eq(session.expires_at - session.created_at,
                     (int64_t)fake.conf.session_absolute_seconds);
    ck_assert_int_eq(fake_gate_stop(&fake), 0);
    fake.conf.session_idle_seconds = 1;
    fake_gate_start(&fake);
    sleep(2);
    ck_assert_int_eq(fake_gate_who(&fake, got.token), IPC_NO_SESSION);
    ck_assert_int_eq(fake_gate_stop(&fake), 0);
    fake.conf.session_idle_seconds = 3600;
    fake.conf.session_absolute_seconds = 3; /* whole seconds: one may be over at once */
    fake_gate_start(&fake);
    got = fake_gate_sign_in_well(&fake, 1);
    ck_assert_int_eq(fake_gate_who(&fake, got.token), IPC_OK);
    sleep(4);
    ck_assert_int_eq(fake_gate_who(&fake, got.token), IPC_NO_SESSION);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keeper");
    TCase *tests = tcase_create("keeper");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, signs_in_and_out);
    tcase_add_test(tests, every_wrong_factor_is_denied_alike);
    tcase_add_test(tests, a_code_works_once_even_after_a_restart);
    tcase_add_test(tests, failures_slow_down_where_they_come_from);
    tcase_add_test(tests, every_denial_is_the_same_work);
    tcase_add_test(tests, opens_what_is_granted_and_reachable);
    tcase_add_test(tests, an_administrators_word_closes_tunnels);
    tcase_add_test(tests, ended_sessions_close_tunnels);
    tcase_add_test(tests, what_is_denied_is_written_down_without_what_was_typed);
    tcase_add_test(tests, many_tries_at_once_do_not_slip_through);
    tcase_add_test(tests, a_success_forgets_the_failures);
    tcase_add_test(tests, a_session_idles_out_and_expires);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

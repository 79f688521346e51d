/* Administrators' acts as the keeper runs them: who may, what a hostile gate gains, what becomes of
 * acts that wait. What acts do is not the keeper's business; the one here says what it was given.
 */
#include "fake_gate.h"
#include "fd.h"
#include "keeper.h"
#include "store_policy.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static struct fake_gate fake;
static uint8_t token[IPC_TOKEN_SIZE];

static bool there(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", fake.folder, name);
    return access(path, F_OK) == 0;
}

static void make(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", fake.folder, name);
    FD_AUTO int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
}

/* In the keeper's process. */
static int administer(struct keeper_order *order)
{
    const char *verb = order->arguments;
    if (strcmp(verb, "hold") == 0) {
        make("held");
        for (int i = 0; i < 1000 && !there("go"); i++)
            usleep(10000);
    }
    for (size_t i = 0; strcmp(verb, "long") == 0 && i < IPC_PRINTED_MOST / 1024; i++)
        fprintf(order->printed, "%1024d", 1);
    if (strcmp(verb, "longer") == 0) {
        for (size_t i = 0; i <= IPC_PRINTED_MOST / 1024; i++)
            fprintf(order->printed, "%1024d", 1);
        return EX_OK;
    }
    if (strcmp(verb, "refuse") == 0)
        return fprintf(order->said, "not this") > 0 ? EX_DATAERR : EX_OSERR;
    order->json = strcmp(verb, "json") == 0;
    if (strcmp(verb, "long") != 0)
        fprintf(order->printed, "%s %s %d %zu", order->by, order->origin->conn, order->changes,
                order->size);
    return EX_OK;
}

static void setup(void)
{
    fake_gate_setup(&fake);
    fake_gate_stop(&fake);
    fake.administer = administer;
    fake_gate_start(&fake);
    ck_assert_int_eq(store_user_set_administrator(fake.store, fake.alice.id, true), STORE_OK);
    fake_gate_session(&fake, fake.alice.id, 1, token);
}

static void teardown(void)
{
    fake_gate_teardown(&fake);
}

static void restart(void)
{
    ck_assert_int_eq(fake_gate_stop(&fake), 0);
    fake_gate_start(&fake);
}

static struct ipc_admin ask_for(const char *verb)
{
    struct ipc_admin ask;
    IPC_INIT(&ask, ADMIN, 0);
    fake_gate_origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, token, sizeof(token));
    snprintf(ask.arguments, sizeof(ask.arguments), "%s", verb);
    ask.size = (uint16_t)(strlen(verb) + 2); /* an empty sub-verb behind it */
    ask.changes = 1;
    return ask;
}

static void send_for(const char *verb)
{
    struct ipc_admin ask = ask_for(verb);
    ask.head.request = ++fake.request;
    fake_gate_send(&fake, &ask.head);
}

/* `*fd` is the caller's. */
static struct ipc_admin_done done(const char *verb, int *fd)
{
    struct ipc_admin ask = ask_for(verb);
    union ipc_record answer;
    fake_gate_ask(&fake, &ask.head, IPC_ADMIN_DONE, &answer, fd);
    ck_assert_int_eq(*fd >= 0, answer.admin_done.status == IPC_OK);
    return answer.admin_done;
}

static enum ipc_status status_of(const char *verb)
{
    int fd;
    struct ipc_admin_done answer = done(verb, &fd);
    fd_close(&fd);
    return (enum ipc_status)answer.status;
}

static struct ipc_admin_done next_done(void)
{
    union ipc_record record;
    int fd;
    ck_assert_int_eq(fake_gate_next(&fake, &record, &fd, 15000), 0);
    ck_assert_int_eq(record.head.type, IPC_ADMIN_DONE);
    fd_close(&fd);
    return record.admin_done;
}

static void wait_for(const char *name)
{
    for (int i = 0; i < 1000 && !there(name); i++)
        usleep(10000);
    ck_assert(there(name));
}

START_TEST(what_it_says_comes_back)
{
    char text[64] = "";
    int fd;
    struct ipc_admin_done answer = done("json", &fd);
    ck_assert_int_eq(answer.code, EX_OK);
    ck_assert_int_eq(answer.json, 1);
    ck_assert_uint_eq(answer.said_size, 0);
    ck_assert_int_eq(pread(fd, text, sizeof(text), 0), (ssize_t)answer.printed_size);
    ck_assert_str_eq(text, "web:alice 0123456789abcdef 1 6");
    ck_assert_int_eq(fcntl(fd, F_GET_SEALS),
                     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    close(fd);

    answer = done("refuse", &fd);
    ck_assert_int_eq(answer.code, EX_DATAERR);
    ck_assert_int_eq(answer.json, 0);
    ck_assert_uint_eq(answer.printed_size, 0);
    memset(text, 0, sizeof(text));
    ck_assert_int_eq(pread(fd, text, sizeof(text), 0), 8);
    ck_assert_str_eq(text, "not this");
    close(fd);
}
END_TEST

START_TEST(long_answers_end)
{
    struct stat st;
    int fd;
    struct ipc_admin_done answer = done("long", &fd);
    ck_assert_int_eq(answer.code, EX_OK);
    ck_assert_uint_eq(answer.printed_size, IPC_PRINTED_MOST);
    close(fd);
    answer = done("longer", &fd);
    ck_assert_int_eq(answer.code, EX_IOERR);
    ck_assert_int_eq(answer.json, 0);
    ck_assert_uint_gt(answer.said_size, 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_int_le(st.st_size, (off_t)(IPC_PRINTED_MOST + IPC_SAID_MOST));
    close(fd);
}
END_TEST

START_TEST(who_may)
{
    ck_assert_int_eq(status_of("x"), IPC_OK);
    int64_t bob = fake_gate_person(&fake, "bob");
    uint8_t alices[IPC_TOKEN_SIZE];
    memcpy(alices, token, sizeof(token));

    fake_gate_session(&fake, bob, 2, token);
    ck_assert_int_eq(status_of("grant"), IPC_NOT_ADMINISTRATOR);
    ck_assert_uint_eq(fake_gate_audited(&fake, "admin-denied", "denied", "grant: no administrator"),
                      1);
    memset(token, 3, sizeof(token));
    ck_assert_int_eq(status_of("x"), IPC_NO_SESSION);

    memcpy(token, alices, sizeof(token));
    ck_assert_int_eq(store_user_set_administrator(fake.store, fake.alice.id, false), STORE_OK);
    ck_assert_int_eq(status_of("x"), IPC_NOT_ADMINISTRATOR);
    ck_assert_int_eq(store_user_set_administrator(fake.store, fake.alice.id, true), STORE_OK);
    ck_assert_int_eq(status_of("x"), IPC_OK);
    ck_assert_int_eq(store_user_set_disabled(fake.store, fake.alice.id, true), STORE_OK);
    ck_assert_int_eq(status_of("x"), IPC_NO_SESSION);
}
END_TEST

/* The lists of addresses and an account's dates hold here as everywhere. */
START_TEST(where_and_when)
{
    struct store_person_policy policy = {.valid_until = 1000};
    struct addr_net net;
    ck_assert(addr_net_parse(&net, "198.51.100.0/24"));
    ck_assert_int_eq(store_policy_net_add(fake.store, 0, 0, false, &net), STORE_OK);
    ck_assert_int_eq(status_of("x"), IPC_NOT_FROM_HERE);
    ck_assert_uint_eq(fake_gate_audited(&fake, "admin-denied", "denied", "not from this address"),
                      1);
    ck_assert_int_eq(store_policy_net_remove(fake.store, 0, 0, &net), STORE_OK);
    ck_assert_int_eq(status_of("x"), IPC_OK);
    ck_assert_int_eq(store_policy_person_set(fake.store, fake.alice.id, &policy), STORE_OK);
    ck_assert_int_eq(status_of("x"), IPC_NOT_NOW);
}
END_TEST

START_TEST(the_second_factor_must_be_fresh)
{
    fake.conf.admin_factor_seconds = 0;
    restart();
    ck_assert_int_eq(status_of("x"), IPC_STALE_FACTOR);
    ck_assert_uint_eq(fake_gate_audited(&fake, "admin-denied", "denied", "too old"), 1);
}
END_TEST

START_TEST(nobody_carries_it_out)
{
    fake.administer = NULL;
    restart();
    ck_assert_int_eq(status_of("x"), IPC_FAILED);
}
END_TEST

static void expect_dropped(struct ipc_admin *ask)
{
    union ipc_record record;
    int fd;
    ck_assert_int_eq(ipc_send(fake.gate, &ask->head, -1), 0);
    ck_assert_int_eq(fake_gate_next(&fake, &record, &fd, 15000), -EPIPE);
    close(fake.gate);
    fake.gate = fake_gate_new(&fake);
    ck_assert_int_eq(fake_gate_who(&fake, token), IPC_OK);
}

START_TEST(broken_records)
{
    struct ipc_admin ask = ask_for("x");
    ask.size = 0;
    expect_dropped(&ask);
    ask = ask_for("x");
    ask.size = IPC_ARGUMENTS_SIZE + 1;
    expect_dropped(&ask);
    ask = ask_for("x");
    ask.size = 1; /* no NUL at its end */
    expect_dropped(&ask);
    ask = ask_for("x");
    memset(ask.arguments, 'x', sizeof(ask.arguments));
    ask.size = sizeof(ask.arguments);
    expect_dropped(&ask);
    ask = ask_for("x");
    memset(ask.origin.conn, 'x', sizeof(ask.origin.conn));
    expect_dropped(&ask);
    ck_assert_uint_eq(fake_gate_audited(&fake, "gate-dropped", "denied", ""), 5);
}
END_TEST

START_TEST(names_in_the_log_are_plain)
{
    struct ipc_admin ask = ask_for("\x1b[31m\nuser");
    union ipc_record answer;
    int fd;
    ck_assert_int_eq(store_user_set_administrator(fake.store, fake.alice.id, false), STORE_OK);
    fake_gate_ask(&fake, &ask.head, IPC_ADMIN_DONE, &answer, &fd);
    ck_assert_uint_eq(fake_gate_audited(&fake, "admin-denied", "denied", "????m?user: "), 1);
}
END_TEST

/* One act that takes long: others wait, a bounded number of them; all else goes on. */
START_TEST(a_long_act_holds_up_acts_only)
{
    unsigned busy = 0, good = 0;
    send_for("hold");
    wait_for("held");
    for (int i = 0; i < 40; i++)
        send_for("x");
    for (int i = 0; i < 8; i++)
        busy += next_done().status == IPC_BUSY;
    ck_assert_uint_eq(busy, 8);
    ck_assert_int_eq(fake_gate_who(&fake, token), IPC_OK);
    make("go");
    for (int i = 0; i < 33; i++)
        good += next_done().status == IPC_OK;
    ck_assert_uint_eq(good, 33);
}
END_TEST

START_TEST(a_role_that_is_taken_while_an_act_waits)
{
    send_for("hold");
    wait_for("held");
    send_for("x");
    ck_assert_int_eq(fake_gate_who(&fake, token), IPC_OK); /* so the second one waits now */
    ck_assert_int_eq(store_user_set_administrator(fake.store, fake.alice.id, false), STORE_OK);
    make("go");
    ck_assert_int_eq(next_done().status, IPC_OK);
    ck_assert_int_eq(next_done().status, IPC_NOT_ADMINISTRATOR);
}
END_TEST

START_TEST(a_gate_that_is_gone_before_its_answer)
{
    send_for("hold");
    wait_for("held");
    send_for("x");
    close(fake.gate);
    fake.gate = fake_gate_new(&fake);
    ck_assert_int_eq(fake_gate_who(&fake, token), IPC_OK);
    make("go");
    ck_assert_int_eq(status_of("x"), IPC_OK);
}
END_TEST

/* It leaves while an act runs in its thread. */
START_TEST(stopping_amid_an_act)
{
    send_for("hold");
    wait_for("held");
    restart();
    ck_assert_int_eq(fake_gate_who(&fake, token), IPC_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keeper_acts");
    TCase *tcase = tcase_create("keeper_acts");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, what_it_says_comes_back);
    tcase_add_test(tcase, long_answers_end);
    tcase_add_test(tcase, who_may);
    tcase_add_test(tcase, where_and_when);
    tcase_add_test(tcase, the_second_factor_must_be_fresh);
    tcase_add_test(tcase, nobody_carries_it_out);
    tcase_add_test(tcase, broken_records);
    tcase_add_test(tcase, names_in_the_log_are_plain);
    tcase_add_test(tcase, a_long_act_holds_up_acts_only);
    tcase_add_test(tcase, a_role_that_is_taken_while_an_act_waits);
    tcase_add_test(tcase, a_gate_that_is_gone_before_its_answer);
    tcase_add_test(tcase, stopping_amid_an_act);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

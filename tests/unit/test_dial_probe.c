/* Probes: does a desktop answer? Also that they are no port scan: what was found holds for a while,
 * who asks at the same time shares, and few are under way. */
#include "fake_gate.h"
#include "session.h"

#include "suite.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SESSION_MOST 4
#define PERSON_MOST 8
#define ALL_MOST 32

static struct fake_gate fake;
static union ipc_record answer;
static int answer_fd;
static uint8_t token[IPC_TOKEN_SIZE];

/* Dialling may take much longer here than a probe may. */
static void setup(void)
{
    fake_gate_setup(&fake);
    ck_assert_int_eq(fake_gate_stop(&fake), 0);
    fake.conf.dial_seconds = 30;
    fake_gate_start(&fake);
    fake_gate_session(&fake, fake.alice.id, 1, token);
}

static void teardown(void)
{
    fake_gate_teardown(&fake);
}

/* ---- a port that neither answers nor refuses ---- */

static int full, waiting[4];

static uint16_t full_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    full = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(full, (struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(getsockname(full, (struct sockaddr *)&at, &size), 0);
    ck_assert_int_eq(listen(full, 0), 0); /* a full queue of connections swallows what comes */
    for (size_t i = 0; i < 4; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(waiting[i], (struct sockaddr *)&at, size);
    }
    return ntohs(at.sin_port);
}

static void full_close(void)
{
    for (size_t i = 0; i < 4; i++)
        close(waiting[i]);
    close(full);
}

/* Desktops "full-0", … that lead there. */
static void add_full(int count)
{
    uint16_t port = full_port();
    for (int i = 0; i < count; i++) {
        char name[TEXT_NAME_SIZE];
        snprintf(name, sizeof(name), "full-%d", i);
        fake_gate_desktop(&fake, name, "127.0.0.1", port, true);
    }
}

/* Closing would not do: the keeper was forked with a copy. */
static void stop_desktop(void)
{
    ck_assert_int_eq(shutdown(fake.desktop, SHUT_RDWR), 0);
}

/* ---- asking ---- */

static void probe_ask(struct ipc_probe *ask, const uint8_t *session, const char *desktop)
{
    IPC_INIT(ask, PROBE, 0);
    fake_gate_origin(&ask->origin, "198.51.100.1");
    memcpy(ask->token, session, IPC_TOKEN_SIZE);
    text_copy(ask->desktop, sizeof(ask->desktop), desktop);
}

static enum ipc_status probe(const uint8_t *session, const char *desktop)
{
    struct ipc_probe ask;
    probe_ask(&ask, session, desktop);
    fake_gate_ask(&fake, &ask.head, IPC_PROBED, &answer, &answer_fd);
    ck_assert_int_eq(answer_fd, -1);
    return answer.probed.status;
}

/* Asks and does not wait. */
static void begin(const uint8_t *session, int number)
{
    struct ipc_probe ask;
    char name[TEXT_NAME_SIZE];
    snprintf(name, sizeof(name), "full-%d", number);
    probe_ask(&ask, session, name);
    ask.head.request = ++fake.request;
    fake_gate_send(&fake, &ask.head);
}

static enum ipc_status next_answer(int wait)
{
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, wait), 0);
    ck_assert_uint_eq(answer.head.type, IPC_PROBED);
    return answer.probed.status;
}

/* ---- what is found ---- */

START_TEST(who_answers)
{
    uint8_t nobody[IPC_TOKEN_SIZE] = {0};
    ck_assert_int_eq(probe(token, "DESK"), IPC_OK);
    ck_assert_int_eq(probe(token, "closed"), IPC_DESKTOP_REFUSED);
    ck_assert_int_eq(probe(token, "nowhere"), IPC_NO_DESKTOP);
    ck_assert_int_eq(probe(token, "others"), IPC_NO_DESKTOP); /* not granted */
    ck_assert_int_eq(probe(nobody, "desk"), IPC_NO_SESSION);
    fake_gate_desktop(&fake, "forbidden", "169.254.169.254", 80, true);
    ck_assert_int_eq(probe(token, "forbidden"), IPC_DESKTOP_ADDRESS);
}
END_TEST

START_TEST(the_connection_is_closed_at_once)
{
    char byte;
    ck_assert_int_eq(probe(token, "desk"), IPC_OK);
    int fd = accept(fake.desktop, NULL, NULL);
    struct pollfd look = {.fd = fd, .events = POLLIN};
    ck_assert_int_eq(poll(&look, 1, 15000), 1);
    ck_assert_int_eq(read(fd, &byte, 1), 0);
    close(fd);
}
END_TEST

START_TEST(what_was_found_holds_for_a_while)
{
    uint8_t other[IPC_TOKEN_SIZE];
    struct store_desktop desktop;
    ck_assert_int_eq(probe(token, "desk"), IPC_OK);
    stop_desktop();
    ck_assert_int_eq(probe(token, "desk"), IPC_OK);
    /* … for those who may know it, … */
    fake_gate_session(&fake, fake_gate_person(&fake, "bob"), 2, other);
    ck_assert_int_eq(probe(other, "desk"), IPC_NO_DESKTOP);
    /* … unless it moves, … */
    ck_assert_int_eq(store_desktop_by_name(fake.store, "desk", &desktop), STORE_OK);
    text_copy(desktop.host, sizeof(desktop.host), "127.0.0.2");
    ck_assert_int_eq(store_desktop_set(fake.store, &desktop), STORE_OK);
    ck_assert_int_eq(probe(token, "desk"), IPC_DESKTOP_REFUSED);
}
END_TEST

START_TEST(and_no_longer)
{
    ck_assert_int_eq(probe(token, "desk"), IPC_OK);
    stop_desktop();
    sleep(10);
    ck_assert_int_eq(probe(token, "desk"), IPC_OK);
    sleep(6);
    ck_assert_int_eq(probe(token, "desk"), IPC_DESKTOP_REFUSED);
}
END_TEST

/* ---- how many ---- */

/* Else nobody would ever be idle in front of a list of desktops. */
START_TEST(a_list_that_looks_by_itself_is_no_use)
{
    struct store_session row = {.user = fake.alice.id, .created_at = time(NULL) - 100};
    int64_t id, begun = row.created_at;
    uint8_t mine[IPC_TOKEN_SIZE];
    struct ipc_who who;
    memset(mine, 9, sizeof(mine));
    session_hash(mine, row.hash);
    row.expires_at = begun + 3600;
    ck_assert_int_eq(store_session_add(fake.store, &row, &id), STORE_OK);
    struct ipc_probe ask;
    probe_ask(&ask, mine, "desk");
    fake_gate_ask(&fake, &ask.head, IPC_PROBED, &answer, &answer_fd);
    ck_assert_int_eq(answer.probed.status, IPC_OK);
    ck_assert_int_eq(store_session_by_id(fake.store, id, &row), STORE_OK);
    ck_assert_int_eq(row.used_at, begun);
    IPC_INIT(&who, WHO, 0);
    fake_gate_origin(&who.origin, "198.51.100.1");
    memcpy(who.token, mine, sizeof(mine));
    fake_gate_ask(&fake, &who.head, IPC_WHO_IS, &answer, &answer_fd);
    ck_assert_int_eq(store_session_by_id(fake.store, id, &row), STORE_OK);
    ck_assert_int_gt(row.used_at, begun);
}
END_TEST

START_TEST(a_probe_takes_three_seconds_at_most)
{
    add_full(1);
    int64_t begun = fake_gate_now_ms();
    ck_assert_int_eq(probe(token, "full-0"), IPC_DESKTOP_ASLEEP);
    int64_t took = fake_gate_now_ms() - begun;
    ck_assert_msg(took >= 2900 && took < 15000, "%d ms", (int)took);
    full_close();
}
END_TEST

START_TEST(a_session_begins_four_and_joins_any)
{
    uint8_t other[IPC_TOKEN_SIZE];
    fake_gate_session(&fake, fake.alice.id, 2, other);
    add_full(SESSION_MOST + 2);
    begin(other, SESSION_MOST + 1);
    for (int i = 0; i < SESSION_MOST; i++)
        begin(token, i);
    begin(token, SESSION_MOST);
    ck_assert_int_eq(next_answer(15000), IPC_BUSY); /* at once, before the others */
    ck_assert_uint_eq(answer.head.request, fake.request);
    begin(token, SESSION_MOST + 1); /* under way already */
    begin(token, 0);
    for (int i = 0; i < SESSION_MOST + 3; i++)
        ck_assert_int_eq(next_answer(15000), IPC_DESKTOP_ASLEEP);
    begin(token, SESSION_MOST); /* there is room again */
    ck_assert_int_eq(next_answer(15000), IPC_DESKTOP_ASLEEP);
    full_close();
}
END_TEST

/* Somebody who may reach all of them, too. */
static int64_t colleague(int number)
{
    char name[TEXT_NAME_SIZE];
    snprintf(name, sizeof(name), "colleague-%d", number);
    int64_t person = fake_gate_person(&fake, name);
    for (int i = 0; i <= ALL_MOST; i++) {
        struct store_desktop desktop;
        snprintf(name, sizeof(name), "full-%d", i);
        ck_assert_int_eq(store_granted(fake.store, fake.alice.id, name, &desktop), STORE_OK);
        ck_assert_int_eq(store_grant_add(fake.store, &(struct store_grant_key){.who = person,
                                                                               .what = desktop.id}),
                         STORE_OK);
    }
    return person;
}

START_TEST(a_person_begins_eight_in_all_sessions)
{
    uint8_t session[IPC_TOKEN_SIZE];
    add_full(PERSON_MOST + 2);
    for (int i = 0; i < PERSON_MOST; i++) {
        if (i % SESSION_MOST == 0)
            fake_gate_session(&fake, fake.alice.id, (uint8_t)(100 + i), session);
        begin(session, i);
    }
    begin(token, PERSON_MOST);
    ck_assert_int_eq(next_answer(15000), IPC_BUSY);
    ck_assert_uint_eq(answer.head.request, fake.request);
    for (int i = 0; i < PERSON_MOST; i++)
        ck_assert_int_eq(next_answer(15000), IPC_DESKTOP_ASLEEP);
    full_close();
}
END_TEST

START_TEST(few_are_under_way_for_all)
{
    uint8_t session[IPC_TOKEN_SIZE];
    int64_t person = 0;
    add_full(ALL_MOST + 1);
    for (int i = 0; i < ALL_MOST; i++) {
        if (i % PERSON_MOST == 0)
            person = colleague(i);
        if (i % SESSION_MOST == 0)
            fake_gate_session(&fake, person, (uint8_t)(100 + i), session);
        begin(session, i);
    }
    begin(token, ALL_MOST);
    ck_assert_int_eq(next_answer(15000), IPC_BUSY);
    ck_assert_uint_eq(answer.head.request, fake.request);
    for (int i = 0; i < ALL_MOST; i++)
        ck_assert_int_eq(next_answer(15000), IPC_DESKTOP_ASLEEP);
    full_close();
}
END_TEST

START_TEST(a_gate_that_goes_leaves_nothing)
{
    add_full(2);
    begin(token, 0);
    close(fake.gate);
    fake.gate = fake_gate_new(&fake);
    begin(token, 0); /* shares what the lost one began */
    ck_assert_int_eq(next_answer(15000), IPC_DESKTOP_ASLEEP);
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 100), -EAGAIN);
    full_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dial_probe");
    TCase *tests = tcase_create("dial_probe");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, who_answers);
    tcase_add_test(tests, the_connection_is_closed_at_once);
    tcase_add_test(tests, what_was_found_holds_for_a_while);
    tcase_add_test(tests, and_no_longer);
    tcase_add_test(tests, a_list_that_looks_by_itself_is_no_use);
    tcase_add_test(tests, a_probe_takes_three_seconds_at_most);
    tcase_add_test(tests, a_session_begins_four_and_joins_any);
    tcase_add_test(tests, a_person_begins_eight_in_all_sessions);
    tcase_add_test(tests, few_are_under_way_for_all);
    tcase_add_test(tests, a_gate_that_goes_leaves_nothing);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

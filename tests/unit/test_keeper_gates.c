/* What the keeper does with gates: polite ones, ones that die, ones that do not listen and hostile
 * ones; and when it starts and stops. */
#include "control.h"
#include "fake_gate.h"
#include "keeper.h"
#include "log.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
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

static int see_end(void *owner, const struct store_tunnel *tunnel)
{
    text_copy(owner, 32, tunnel->end);
    return 0;
}

START_TEST(ends_are_written_down)
{
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    struct ipc_tunnel_ended ended;
    char end[32] = "";
    IPC_INIT(&ended, TUNNEL_ENDED, 0);
    ended.tunnel = fake_gate_open_well(&fake, got.token);
    ended.end = IPC_END_CLIENT;
    ended.up = 5;
    ck_assert_int_eq(ipc_send(fake.gate, &ended.head, -1), 0);
    ck_assert_int_eq(fake_gate_who(&fake, got.token), IPC_OK); /* in order: it has been handled */
    store_tunnel_list(fake.store, false, see_end, end);
    ck_assert_str_eq(end, "client");
    fake_gate_open_well(&fake, got.token);
    close(fake.gate);
    fake.gate = fake_gate_new(&fake);
    ck_assert_int_eq(fake_gate_who(&fake, got.token), IPC_OK);
    store_tunnel_list(fake.store, false, see_end, end);
    ck_assert_str_eq(end, "gate-lost");
}
END_TEST

/* The keeper drops a gate that breaks a rule, and serves the next one. */
static void expect_dropped(void)
{
    union ipc_record record;
    int fd;
    ck_assert_int_eq(fake_gate_next(&fake, &record, &fd, 15000), -EPIPE);
    close(fake.gate);
    fake.gate = fake_gate_new(&fake);
}

START_TEST(a_hostile_gate_is_dropped_and_the_keeper_lives)
{
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    int64_t tunnel = fake_gate_open_well(&fake, got.token);
    int first = fake.gate;
    union ipc_record bad;
    fake.gate = fake_gate_new(&fake); /* a second one, gone bad, while the first lives */
    for (unsigned type = 0; type < IPC_TYPES + 2; type++) {
        memset(&bad, 0xff, sizeof(bad)); /* no text ends, every number is absurd */
        bad.head.type = (uint16_t)type;
        bad.head.size = sizeof(bad);
        ck_assert_int_eq(send(fake.gate, &bad, sizeof(bad), 0), sizeof(bad));
        expect_dropped();
    }
    struct ipc_sign_in unended;
    IPC_INIT(&unended, SIGN_IN, 1);
    memset(unended.username, 'a', sizeof(unended.username));
    ck_assert_int_eq(ipc_send(fake.gate, &unended.head, -1), 0);
    expect_dropped();
    struct ipc_tunnel_ended ended;
    IPC_INIT(&ended, TUNNEL_ENDED, 0); /* another gate's tunnel */
    ended.tunnel = tunnel;
    ck_assert_int_eq(ipc_send(fake.gate, &ended.head, -1), 0);
    expect_dropped();
    struct ipc_signed_in wrong;
    IPC_INIT(&wrong, SIGNED_IN, 1); /* the keeper's own record */
    ck_assert_int_eq(ipc_send(fake.gate, &wrong.head, -1), 0);
    expect_dropped();
    close(fake.gate);
    fake.gate = first;
    ck_assert_int_eq(fake_gate_who(&fake, got.token), IPC_OK);
}
END_TEST

/* True when the desktop's side sees the end of the connection within `wait` ms. */
static bool ends_within(int peer, int wait)
{
    char byte;
    struct pollfd look = {.fd = peer, .events = POLLIN};
    return poll(&look, 1, wait) == 1 && recv(peer, &byte, 1, MSG_DONTWAIT) == 0;
}

START_TEST(a_gate_that_does_not_obey_loses_the_desktop)
{
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    struct ipc_opened opened;
    int kept, fd;
    union ipc_record record;
    ck_assert_int_eq(fake_gate_open(&fake, got.token, "desk", &opened, &kept), IPC_OK);
    int peer = accept4(fake.desktop, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_eq(store_tunnel_request_end(fake.store, opened.tunnel), STORE_OK);
    ck_assert_int_eq(fake_gate_next(&fake, &record, &fd, 15000), 0);
    ck_assert_uint_eq(record.head.type, IPC_CLOSE_TUNNEL);
    /* The gate keeps the descriptor and says nothing. */
    ck_assert(ends_within(peer, 15000));
    close(kept);
    close(peer);
}
END_TEST

START_TEST(what_a_gate_calls_ended_has_ended)
{
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    struct ipc_opened opened;
    struct ipc_tunnel_ended ended;
    int kept;
    ck_assert_int_eq(fake_gate_open(&fake, got.token, "desk", &opened, &kept), IPC_OK);
    int peer = accept4(fake.desktop, NULL, NULL, SOCK_CLOEXEC);
    IPC_INIT(&ended, TUNNEL_ENDED, 0);
    ended.tunnel = opened.tunnel;
    ended.end = IPC_END_CLIENT;
    fake_gate_send(&fake, &ended.head);
    ck_assert(ends_within(peer, 15000)); /* though the descriptor is kept */
    close(kept);
    close(peer);
}
END_TEST

START_TEST(a_storm_of_sign_ins_is_bounded)
{
    /* More than the queue holds, from as many neighbourhoods: each gets an answer. */
    unsigned total = fake.conf.login_queue + fake.conf.login_workers + 40, busy = 0, denied = 0;
    for (unsigned i = 0; i < total; i++) {
        struct ipc_sign_in ask;
        char address[20];
        IPC_INIT(&ask, SIGN_IN, i + 1);
        snprintf(address, sizeof(address), "203.%u.%u.1", i / 250, i % 250);
        fake_gate_origin(&ask.origin, address);
        text_copy(ask.username, sizeof(ask.username), "nobody");
        fake_gate_send(&fake, &ask.head);
    }
    for (unsigned i = 0; i < total; i++) {
        union ipc_record answer;
        int fd;
        ck_assert_int_eq(fake_gate_next(&fake, &answer, &fd, 30000), 0);
        busy += answer.signed_in.status == IPC_BUSY;
        denied += answer.signed_in.status == IPC_DENIED;
    }
    ck_assert_uint_eq(busy + denied, total);
    ck_assert_uint_gt(denied, 0);
}
END_TEST

START_TEST(challenges_come_from_their_folder_only)
{
    struct ipc_challenge ask;
    union ipc_record answer;
    int fd;
    static const char *const bad[] = {"",     "../secret.key", "secret.key/", "a/b",
                                      "none", "link",          "folder",      "large"};
    char path[sizeof(fake.folder) + 32], big[IPC_CHALLENGE_BODY_SIZE + 1] = {0};
    ck_assert_int_eq(fake_gate_stop(&fake), 0);
    snprintf(fake.conf.acme_folder, sizeof(fake.conf.acme_folder), "%s/acme", fake.folder);
    ck_assert_int_eq(mkdir(fake.conf.acme_folder, 0700), 0);
    int folder = open(fake.conf.acme_folder, O_RDONLY | O_DIRECTORY);
    fd = openat(folder, "good-Token_1", O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(write(fd, "thumbprint", 10), 10);
    close(fd);
    fd = openat(folder, "large", O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(write(fd, big, sizeof(big)), sizeof(big));
    close(fd);
    snprintf(path, sizeof(path), "%s/secret.key", fake.folder);
    ck_assert_int_eq(symlinkat(path, folder, "link"), 0);
    ck_assert_int_eq(mkdirat(folder, "folder", 0700), 0);
    close(folder);
    fake_gate_start(&fake);
    IPC_INIT(&ask, CHALLENGE, 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        text_copy(ask.token, sizeof(ask.token), bad[i]);
        fake_gate_ask(&fake, &ask.head, IPC_CHALLENGE_BODY, &answer, &fd);
        ck_assert_msg(answer.challenge_body.status == IPC_NOT_FOUND, "%s", bad[i]);
        ck_assert_uint_eq(answer.challenge_body.size, 0);
    }
    text_copy(ask.token, sizeof(ask.token), "good-Token_1");
    fake_gate_ask(&fake, &ask.head, IPC_CHALLENGE_BODY, &answer, &fd);
    ck_assert_int_eq(answer.challenge_body.status, IPC_OK);
    ck_assert_uint_eq(answer.challenge_body.size, 10);
    ck_assert_mem_eq(answer.challenge_body.body, "thumbprint", 10);
}
END_TEST

static int see_tunnel(void *owner, const struct store_tunnel *tunnel)
{
    *(struct store_tunnel *)owner = *tunnel;
    return 0;
}

static struct store_tunnel last_tunnel(void)
{
    struct store_tunnel tunnel = {0};
    ck_assert_int_eq(store_tunnel_list(fake.store, false, see_tunnel, &tunnel), STORE_OK);
    return tunnel;
}

static void tell_counts(int64_t tunnel, uint64_t up, uint64_t down)
{
    struct ipc_tunnel_counts counts;
    IPC_INIT(&counts, TUNNEL_COUNTS, 0);
    counts.tunnel = tunnel;
    counts.up = up;
    counts.down = down;
    ck_assert_int_eq(ipc_send(fake.gate, &counts.head, -1), 0);
}

START_TEST(counts_outlive_gate_and_keeper)
{
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    int status;
    tell_counts(fake_gate_open_well(&fake, got.token), 11, 22);
    close(fake.gate);
    fake.gate = fake_gate_new(&fake);
    ck_assert_int_eq(fake_gate_who(&fake, got.token), IPC_OK);
    struct store_tunnel tunnel = last_tunnel();
    ck_assert_str_eq(tunnel.end, "gate-lost");
    ck_assert_uint_eq(tunnel.up, 11);
    ck_assert_uint_eq(tunnel.down, 22);
    /* The keeper dies: what was open ends at its next start. */
    fake_gate_open_well(&fake, got.token);
    ck_assert_int_eq(last_tunnel().ended_at, 0);
    kill(fake.keeper, SIGKILL);
    waitpid(fake.keeper, &status, 0);
    close(fake.gate);
    close(fake.control);
    fake_gate_start(&fake);
    tunnel = last_tunnel();
    ck_assert_int_ne(tunnel.ended_at, 0);
    ck_assert_str_eq(tunnel.end, "gate-lost");
    ck_assert_int_eq(fake_gate_who(&fake, got.token), IPC_OK);
}
END_TEST

START_TEST(last_words_are_heard_before_stopping)
{
    enum { TUNNELS = 100 };
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    struct ipc_tunnel_ended ended;
    int64_t tunnels[TUNNELS];
    IPC_INIT(&ended, TUNNEL_ENDED, 0);
    ended.end = IPC_END_STOPPING;
    for (int i = 0; i < TUNNELS; i++)
        tunnels[i] = fake_gate_open_well(&fake, got.token);
    /* Stopped, the keeper finds the gate's words and the order to stop at the same time. */
    kill(fake.keeper, SIGSTOP);
    for (int i = 0; i < TUNNELS; i++) {
        ended.tunnel = tunnels[i];
        ck_assert_int_eq(ipc_send(fake.gate, &ended.head, -1), 0);
    }
    close(fake.gate);
    fake.gate = -1;
    ck_assert_int_eq(control_send(fake.control, CONTROL_STOP, NULL, 0), 0);
    kill(fake.keeper, SIGCONT);
    ck_assert_int_eq(fake_gate_stop(&fake), 0);
    ck_assert_str_eq(last_tunnel().end, "stopping");
    struct store_tunnel live = {0};
    ck_assert_int_eq(store_tunnel_list(fake.store, true, see_tunnel, &live), STORE_OK);
    ck_assert_int_eq(live.id, 0);
    fake_gate_start(&fake);
}
END_TEST

START_TEST(a_gate_that_does_not_read_is_not_read_from)
{
    struct ipc_who ask;
    unsigned sent = 0, answered = 0;
    union ipc_record answer;
    int fd, error;
    IPC_INIT(&ask, WHO, 0);
    /* Unread answers fill one direction, then the questions the other: the keeper hoards nothing.
     */
    do {
        ask.head.request = ++sent;
        error = ipc_send(fake.gate, &ask.head, -1);
        for (int wait = 0; error == -EAGAIN && wait < 50; wait++) {
            usleep(10000);
            error = ipc_send(fake.gate, &ask.head, -1);
        }
    } while (!error && sent < 100000);
    ck_assert_int_eq(error, -EAGAIN);
    sent--;
    int second = fake.gate;
    fake.gate = fake_gate_new(&fake); /* others are served meanwhile */
    ck_assert_int_eq(fake_gate_who(&fake, (const uint8_t[IPC_TOKEN_SIZE]){0}), IPC_NO_SESSION);
    close(fake.gate);
    fake.gate = second;
    while (answered < sent) {
        ck_assert_int_eq(fake_gate_next(&fake, &answer, &fd, 15000), 0);
        ck_assert_uint_eq(answer.head.request, ++answered);
    }
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &fd, 300), -EAGAIN);
}
END_TEST

/* ---- dials under way ---- */

static int full, waiting[4];

/* "full": a full queue of connections swallows what comes; nobody answers, nobody refuses. */
static void add_full(void)
{
    struct sockaddr_storage at;
    socklen_t size;
    struct addr loopback;
    full = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(addr_parse(&loopback, "127.0.0.1"));
    size = addr_to_sockaddr(&loopback, 0, &at);
    ck_assert_int_eq(bind(full, (struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(getsockname(full, (struct sockaddr *)&at, &size), 0);
    ck_assert_int_eq(listen(full, 0), 0);
    for (size_t i = 0; i < 4; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(waiting[i], (struct sockaddr *)&at, size);
    }
    fake_gate_desktop(&fake, "full", "127.0.0.1", ntohs(((struct sockaddr_in *)&at)->sin_port),
                      true);
}

static void full_close(void)
{
    for (size_t i = 0; i < 4; i++)
        close(waiting[i]);
    close(full);
}

/* Asks so often and does not wait. */
static void dial_full(const uint8_t *token, unsigned times)
{
    struct ipc_open ask;
    fake_gate_open_ask(&ask, token, "full");
    for (unsigned i = 0; i < times; i++) {
        ask.head.request = ++fake.request;
        ck_assert_int_eq(ipc_send(fake.gate, &ask.head, -1), 0);
    }
}

static unsigned next_opened(void)
{
    union ipc_record answer;
    int fd;
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &fd, 15000), 0);
    return answer.opened.status;
}

START_TEST(dials_of_one_session_are_bounded)
{
    struct ipc_signed_in got = fake_gate_sign_in_well(&fake, 0);
    add_full();
    dial_full(got.token, 12);
    for (unsigned i = 0; i < 4; i++) /* meanwhile all else goes on */
        ck_assert_uint_eq(next_opened(), IPC_BUSY);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(next_opened(), IPC_DESKTOP_ASLEEP);
    full_close();
}
END_TEST

START_TEST(dials_of_one_person_are_bounded)
{
    uint8_t token[IPC_TOKEN_SIZE];
    int64_t bob = fake_gate_person(&fake, "bob");
    add_full();
    for (uint8_t i = 0; i < 3; i++) {
        fake_gate_session(&fake, fake.alice.id, (uint8_t)(i + 1), token);
        dial_full(token, 8);
    }
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(next_opened(), IPC_BUSY);
    struct store_desktop desktop;
    ck_assert_int_eq(store_granted(fake.store, fake.alice.id, "full", &desktop), STORE_OK);
    ck_assert_int_eq(
        store_grant_add(fake.store, &(struct store_grant_key){.who = bob, .what = desktop.id}),
        STORE_OK);
    fake_gate_session(&fake, bob, 9, token);
    dial_full(token, 1);
    for (unsigned i = 0; i < 17; i++)
        ck_assert_uint_eq(next_opened(), IPC_DESKTOP_ASLEEP);
    full_close();
}
END_TEST

static int count_rows(void *owner, const struct store_audit *row)
{
    (void)row;
    ++*(unsigned *)owner;
    return 0;
}

START_TEST(notes_are_written_but_not_without_limit)
{
    const struct store_audit_filter notes = {.event = "foreign-origin"};
    struct ipc_note note;
    unsigned rows = 0;
    IPC_INIT(&note, NOTE, 0);
    note.kind = IPC_NOTE_ORIGIN;
    fake_gate_origin(&note.origin, "203.0.113.9");
    int64_t begun = fake_gate_now_ms();
    for (int i = 0; i < 200; i++)
        fake_gate_send(&fake, &note.head);
    ck_assert_int_eq(fake_gate_who(&fake, (const uint8_t[IPC_TOKEN_SIZE]){0}), IPC_NO_SESSION);
    ck_assert_int_eq(store_audit_list(fake.store, &notes, count_rows, &rows), STORE_OK);
    int64_t seconds = (fake_gate_now_ms() - begun) / 1000 + 2; /* that it can have touched */
    ck_assert_uint_ge(rows, 1);
    ck_assert_int_le(rows, 10 * seconds);
}
END_TEST

START_TEST(it_does_not_start_without_the_key_of_its_people)
{
    char path[CONF_PATH_SIZE];
    int pair[2], status;
    ck_assert_int_eq(fake_gate_stop(&fake), 0);
    conf_path(&fake.conf, CONF_SECRET_KEY, path);
    ck_assert_int_eq(chmod(path, 0644), 0);
    for (int i = 0; i < 2; i++) { /* readable by others, then gone */
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        pid_t child = fork();
        if (child == 0) {
            struct keeper_setup setup_ = {.conf = &fake.conf, .control = pair[1]};
            log_init("keeper", 0);
            _exit(keeper_main(&setup_));
        }
        waitpid(child, &status, 0);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), EX_CONFIG);
        close(pair[0]);
        close(pair[1]);
        ck_assert_int_eq(i == 0 ? unlink(path) : access(path, F_OK), i == 0 ? 0 : -1);
    }
    store_user_remove(fake.store, fake.alice.id); /* nobody's key is missing now */
    fake_gate_start(&fake);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keeper_gates");
    TCase *tests = tcase_create("keeper_gates");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, ends_are_written_down);
    tcase_add_test(tests, a_hostile_gate_is_dropped_and_the_keeper_lives);
    tcase_add_test(tests, a_gate_that_does_not_obey_loses_the_desktop);
    tcase_add_test(tests, what_a_gate_calls_ended_has_ended);
    tcase_add_test(tests, a_storm_of_sign_ins_is_bounded);
    tcase_add_test(tests, challenges_come_from_their_folder_only);
    tcase_add_test(tests, counts_outlive_gate_and_keeper);
    tcase_add_test(tests, last_words_are_heard_before_stopping);
    tcase_add_test(tests, a_gate_that_does_not_read_is_not_read_from);
    tcase_add_test(tests, dials_of_one_session_are_bounded);
    tcase_add_test(tests, dials_of_one_person_are_bounded);
    tcase_add_test(tests, notes_are_written_but_not_without_limit);
    tcase_add_test(tests, it_does_not_start_without_the_key_of_its_people);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

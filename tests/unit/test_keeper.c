/* The whole keeper in a process of its own, asked over its real record socket, with a real database
 * and a real listening "desktop". The test plays the gate, polite and hostile. */
#include "account.h"
#include "control.h"
#include "fd.h"
#include "ipc.h"
#include "keeper.h"
#include "log.h"
#include "session.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <liboath/oath.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/deskgate-keeper-XXXXXX";
static const char password[] = "correct horse battery";
static struct conf conf;
static struct store *store;
static uint8_t seed[TOTP_SEED_SIZE];
static struct store_user alice;
static pid_t keeper;
static int control, gate, desktop = -1;
static uint32_t request;

static int start_desktop(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void add_desktop(const char *name, const char *host, uint16_t port, bool grant)
{
    struct store_desktop row = {.port = port};
    int64_t id;
    text_copy(row.name, sizeof(row.name), name);
    text_copy(row.host, sizeof(row.host), host);
    ck_assert_int_eq(store_desktop_add(store, &row, &id), STORE_OK);
    if (grant)
        ck_assert_int_eq(store_grant_add(store, false, alice.id, id), STORE_OK);
}

static void fill_state(void)
{
    struct secret_key key;
    char path[CONF_PATH_SIZE], why[256] = "";
    uint16_t port, closed;
    conf_path(&conf, CONF_SECRET_KEY, path);
    ck_assert_int_eq(secret_key_load(&key, path, true, why, sizeof(why)), 0);
    conf_path(&conf, CONF_DATABASE, path);
    ck_assert_int_eq(store_open(&store, path, STORE_CREATE, why, sizeof(why)), STORE_OK);
    ck_assert_int_eq(account_add(store, &key, "alice", password, 1, &alice, seed), STORE_OK);
    desktop = start_desktop(&port);
    ck_assert_int_eq(listen(desktop, 16), 0);
    int shut = start_desktop(&closed);
    add_desktop("desk", "127.0.0.1", port, true);
    add_desktop("named", "localhost", port, true);
    add_desktop("closed", "127.0.0.1", closed, true);
    add_desktop("strange", "192.0.2.1", port, true);
    add_desktop("nameless", "no-such-host.invalid", port, true);
    add_desktop("others", "127.0.0.1", port, false);
    close(shut);
}

static int new_gate(void)
{
    int ends[2];
    ck_assert_int_eq(ipc_pair(ends), 0);
    ck_assert_int_eq(control_send(control, CONTROL_GATE, &ends[1], 1), 0);
    close(ends[1]);
    return ends[0];
}

static void start_keeper(void)
{
    int pair[2], fds[CONTROL_FDS_MAX];
    size_t count;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    keeper = fork();
    if (keeper == 0) {
        struct keeper_setup setup = {.conf = &conf, .control = pair[1]};
        close(pair[0]);
        log_init("keeper", LOG_LEVEL_ERROR);
        _exit(keeper_main(&setup));
    }
    close(pair[1]);
    control = pair[0];
    ck_assert_int_eq(control_receive(control, fds, &count), CONTROL_READY);
    gate = new_gate();
}

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(secret_init(), 0);
    conf_defaults(&conf, folder);
    conf.dial_loopback = true;
    conf.dial_seconds = 3;
    fill_state();
    start_keeper();
}

static int stop_keeper(void)
{
    int status;
    control_send(control, CONTROL_STOP, NULL, 0);
    waitpid(keeper, &status, 0);
    close(gate);
    close(control);
    return status;
}

static void teardown(void)
{
    char command[128];
    ck_assert_int_eq(stop_keeper(), 0);
    store_close(store);
    fd_close(&desktop);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

/* ---- asking ---- */

/* The next record within `wait` ms; -EAGAIN when none comes. */
static int next(union ipc_record *record, int *fd, int wait)
{
    struct pollfd look = {.fd = gate, .events = POLLIN};
    if (poll(&look, 1, wait) != 1)
        return -EAGAIN;
    return ipc_receive(gate, IPC_KEEPER, record, fd);
}

static void answer_to(struct ipc_head *ask, uint16_t type, union ipc_record *answer, int *fd)
{
    ask->request = ++request;
    ck_assert_int_eq(ipc_send(gate, ask, -1), 0);
    ck_assert_int_eq(next(answer, fd, 15000), 0);
    ck_assert_uint_eq(answer->head.type, type);
    ck_assert_uint_eq(answer->head.request, request);
}

static void origin(struct ipc_origin *to, const char *address)
{
    text_copy(to->conn, sizeof(to->conn), "0123456789abcdef");
    ck_assert(addr_parse(&to->address, address));
}

static void code_at(char code[7], int64_t steps)
{
    ck_assert_int_eq(oath_hotp_generate((const char *)seed, sizeof(seed),
                                        (uint64_t)(time(NULL) / 30 + steps), 6, false,
                                        OATH_HOTP_DYNAMIC_TRUNCATION, code),
                     OATH_OK);
}

static struct ipc_signed_in sign_in(const char *name, const char *secret, const char *code,
                                    const char *address)
{
    struct ipc_sign_in ask;
    union ipc_record answer;
    int fd;
    IPC_INIT(&ask, SIGN_IN, 0);
    origin(&ask.origin, address);
    text_copy(ask.username, sizeof(ask.username), name);
    text_copy(ask.password, sizeof(ask.password), secret);
    text_copy(ask.code, sizeof(ask.code), code);
    answer_to(&ask.head, IPC_SIGNED_IN, &answer, &fd);
    ck_assert_int_eq(fd, -1);
    return answer.signed_in;
}

static struct ipc_signed_in sign_in_well(int64_t steps)
{
    char code[7];
    code_at(code, steps);
    struct ipc_signed_in got = sign_in("alice", password, code, "198.51.100.1");
    ck_assert_int_eq(got.status, IPC_OK);
    return got;
}

static enum ipc_status open_desktop(const uint8_t *token, const char *name,
                                    struct ipc_opened *opened, int *fd)
{
    struct ipc_open ask;
    union ipc_record answer;
    IPC_INIT(&ask, OPEN, 0);
    origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, token, IPC_TOKEN_SIZE);
    text_copy(ask.desktop, sizeof(ask.desktop), name);
    answer_to(&ask.head, IPC_OPENED, &answer, fd);
    *opened = answer.opened;
    return (enum ipc_status)answer.opened.status;
}

static enum ipc_status who(const uint8_t *token)
{
    struct ipc_who ask;
    union ipc_record answer;
    int fd;
    IPC_INIT(&ask, WHO, 0);
    origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, token, IPC_TOKEN_SIZE);
    answer_to(&ask.head, IPC_WHO_IS, &answer, &fd);
    return (enum ipc_status)answer.who_is.status;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The order to close `tunnel` comes within a second, and says why. */
static void expect_close(int64_t tunnel, enum ipc_end why)
{
    union ipc_record record;
    int fd;
    int64_t begun = now_ms();
    ck_assert_int_eq(next(&record, &fd, 5000), 0);
    ck_assert_uint_eq(record.head.type, IPC_CLOSE_TUNNEL);
    ck_assert_int_eq(record.close_tunnel.tunnel, tunnel);
    ck_assert_int_eq(record.close_tunnel.end, why);
    ck_assert_int_le(now_ms() - begun, 1000);
}

static int64_t open_well(const uint8_t *token)
{
    struct ipc_opened opened;
    int fd;
    ck_assert_int_eq(open_desktop(token, "desk", &opened, &fd), IPC_OK);
    close(fd);
    return opened.tunnel;
}

/* ---- tests ---- */

START_TEST(signs_in_and_out)
{
    struct ipc_signed_in got = sign_in_well(0);
    ck_assert_str_eq(got.username, "alice");
    ck_assert_int_gt(got.expires, time(NULL));
    ck_assert_int_eq(who(got.token), IPC_OK);
    struct ipc_sign_out out;
    union ipc_record answer;
    int fd;
    IPC_INIT(&out, SIGN_OUT, 0);
    origin(&out.origin, "198.51.100.1");
    memcpy(out.token, got.token, IPC_TOKEN_SIZE);
    answer_to(&out.head, IPC_SIGNED_OUT, &answer, &fd);
    ck_assert_int_eq(answer.signed_out.status, IPC_OK);
    ck_assert_int_eq(who(got.token), IPC_NO_SESSION);
    answer_to(&out.head, IPC_SIGNED_OUT, &answer, &fd);
    ck_assert_int_eq(answer.signed_out.status, IPC_NO_SESSION);
}
END_TEST

START_TEST(every_wrong_factor_is_denied_alike)
{
    char code[7], wrong[7];
    code_at(code, 0);
    memcpy(wrong, code, sizeof(wrong));
    wrong[0] = wrong[0] == '9' ? '8' : (char)(wrong[0] + 1);
    struct ipc_signed_in a = sign_in("alice", "not this one at all", code, "198.51.100.1");
    struct ipc_signed_in b = sign_in("nobody", password, code, "198.51.100.2");
    struct ipc_signed_in c = sign_in("alice", password, wrong, "198.51.100.3");
    struct ipc_signed_in d = sign_in("", "", "", "198.51.100.4");
    a.head.request = b.head.request = c.head.request = d.head.request = 0;
    ck_assert_int_eq(a.status, IPC_DENIED);
    ck_assert_mem_eq(&a, &b, sizeof(a));
    ck_assert_mem_eq(&a, &c, sizeof(a));
    ck_assert_mem_eq(&a, &d, sizeof(a));
    /* None of it used up the code. */
    ck_assert_int_eq(sign_in("ALICE", password, code, "198.51.100.1").status, IPC_OK);
    store_user_set_disabled(store, alice.id, true);
    code_at(code, 1);
    struct ipc_signed_in e = sign_in("alice", password, code, "198.51.100.5");
    e.head.request = 0;
    ck_assert_mem_eq(&a, &e, sizeof(a));
}
END_TEST

START_TEST(a_code_works_once_even_after_a_restart)
{
    char code[7];
    code_at(code, 0);
    ck_assert_int_eq(sign_in("alice", password, code, "198.51.100.1").status, IPC_OK);
    ck_assert_int_eq(sign_in("alice", password, code, "198.51.100.1").status, IPC_DENIED);
    ck_assert_int_eq(stop_keeper(), 0);
    start_keeper();
    ck_assert_int_eq(sign_in("alice", password, code, "198.51.100.1").status, IPC_DENIED);
    sign_in_well(1);
}
END_TEST

START_TEST(failures_slow_down_where_they_come_from)
{
    for (uint32_t i = 0; i < conf.login_user_failures; i++)
        ck_assert_int_eq(sign_in("alice", "wrong password", "000000", "203.0.113.9").status,
                         IPC_DENIED);
    struct ipc_signed_in got = sign_in("alice", "wrong password", "000000", "203.0.113.9");
    ck_assert_int_eq(got.status, IPC_THROTTLED);
    ck_assert_uint_ge(got.retry_seconds, 1);
    /* The person herself, elsewhere, is not locked out. */
    sign_in_well(0);
}
END_TEST

START_TEST(as_long_for_nobody_as_for_somebody)
{
    /* The work is the same, so medians of several tries lie close; a factor of two would be the
     * whole hash left out. */
    int64_t known[5], unknown[5];
    for (int i = 0; i < 5; i++) {
        char address[20], name[20];
        snprintf(address, sizeof(address), "203.0.113.%d", i);
        snprintf(name, sizeof(name), "nobody%d", i);
        int64_t begun = now_ms();
        sign_in("alice", "wrong password", "000000", address);
        known[i] = now_ms() - begun;
        begun = now_ms();
        sign_in(name, "wrong password", "000000", address);
        unknown[i] = now_ms() - begun;
    }
    int64_t least_known = INT64_MAX, least_unknown = INT64_MAX;
    for (int i = 0; i < 5; i++) {
        least_known = known[i] < least_known ? known[i] : least_known;
        least_unknown = unknown[i] < least_unknown ? unknown[i] : least_unknown;
    }
    ck_assert_int_le(least_known, least_unknown * 2 + 5);
    ck_assert_int_le(least_unknown, least_known * 2 + 5);
}
END_TEST

START_TEST(opens_what_is_granted_and_reachable)
{
    struct ipc_signed_in got = sign_in_well(0);
    struct ipc_opened opened;
    int fd;
    ck_assert_int_eq(open_desktop(got.token, "desk", &opened, &fd), IPC_OK);
    int peer = accept4(desktop, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_eq(write(fd, "hello", 5), 5);
    char bytes[5];
    ck_assert_int_eq(read(peer, bytes, 5), 5);
    ck_assert_uint_gt(opened.absolute_seconds, 0);
    close(peer);
    close(fd);
    ck_assert_int_eq(open_desktop(got.token, "NAMED", &opened, &fd), IPC_OK);
    close(fd);
    ck_assert_int_eq(open_desktop(got.token, "closed", &opened, &fd), IPC_DESKTOP_REFUSED);
    ck_assert_int_eq(open_desktop(got.token, "strange", &opened, &fd), IPC_DESKTOP_ADDRESS);
    ck_assert_int_eq(open_desktop(got.token, "nameless", &opened, &fd), IPC_DESKTOP_NAME);
    ck_assert_int_eq(open_desktop(got.token, "others", &opened, &fd), IPC_NO_DESKTOP);
    ck_assert_int_eq(open_desktop(got.token, "nowhere", &opened, &fd), IPC_NO_DESKTOP);
    got.token[0] ^= 1;
    ck_assert_int_eq(open_desktop(got.token, "desk", &opened, &fd), IPC_NO_SESSION);
}
END_TEST

START_TEST(an_administrators_word_closes_tunnels)
{
    struct ipc_signed_in got = sign_in_well(0);
    struct store_desktop row;
    int64_t tunnel = open_well(got.token);
    ck_assert_int_eq(store_tunnel_request_end(store, tunnel), STORE_OK);
    expect_close(tunnel, IPC_END_TUNNEL_ENDED);
    tunnel = open_well(got.token);
    store_desktop_by_name(store, "desk", &row);
    ck_assert_int_eq(store_grant_remove(store, false, alice.id, row.id), STORE_OK);
    expect_close(tunnel, IPC_END_GRANT_REMOVED);
    ck_assert_int_eq(store_grant_add(store, false, alice.id, row.id), STORE_OK);
    tunnel = open_well(got.token);
    ck_assert_int_eq(account_set_disabled(store, &alice, true, time(NULL)), STORE_OK);
    expect_close(tunnel, IPC_END_USER_DISABLED);
    ck_assert_int_eq(who(got.token), IPC_NO_SESSION);
}
END_TEST

START_TEST(ended_sessions_close_tunnels)
{
    struct ipc_signed_in got = sign_in_well(0);
    struct store_session session;
    int64_t tunnel = open_well(got.token);
    uint8_t hash[32];
    struct ipc_signed_in other = sign_in_well(1);
    int64_t second = open_well(other.token);
    session_hash(got.token, hash);
    ck_assert_int_eq(store_session_by_hash(store, hash, &session), STORE_OK);
    ck_assert_int_eq(store_session_end(store, session.id, time(NULL), "admin"), STORE_OK);
    expect_close(tunnel, IPC_END_SESSION_ENDED);
    struct ipc_sign_out out;
    IPC_INIT(&out, SIGN_OUT, ++request);
    origin(&out.origin, "198.51.100.1");
    memcpy(out.token, other.token, IPC_TOKEN_SIZE);
    union ipc_record answer;
    int fd;
    answer_to(&out.head, IPC_SIGNED_OUT, &answer, &fd);
    expect_close(second, IPC_END_SIGNED_OUT);
}
END_TEST

static int see_end(void *owner, const struct store_tunnel *tunnel)
{
    text_copy(owner, 32, tunnel->end);
    return 0;
}

START_TEST(ends_are_written_down)
{
    struct ipc_signed_in got = sign_in_well(0);
    struct ipc_tunnel_ended ended;
    char end[32] = "";
    IPC_INIT(&ended, TUNNEL_ENDED, 0);
    ended.tunnel = open_well(got.token);
    ended.end = IPC_END_CLIENT;
    ended.up = 5;
    ck_assert_int_eq(ipc_send(gate, &ended.head, -1), 0);
    ck_assert_int_eq(who(got.token), IPC_OK); /* in order: it has been handled */
    store_tunnel_list(store, false, see_end, end);
    ck_assert_str_eq(end, "client");
    open_well(got.token);
    close(gate);
    gate = new_gate();
    ck_assert_int_eq(who(got.token), IPC_OK);
    store_tunnel_list(store, false, see_end, end);
    ck_assert_str_eq(end, "gate-lost");
}
END_TEST

/* The keeper drops a gate that breaks a rule, and serves the next one. */
static void expect_dropped(void)
{
    union ipc_record record;
    int fd;
    ck_assert_int_eq(next(&record, &fd, 5000), -EPIPE);
    close(gate);
    gate = new_gate();
}

START_TEST(a_hostile_gate_is_dropped_and_the_keeper_lives)
{
    struct ipc_signed_in got = sign_in_well(0);
    int64_t tunnel = open_well(got.token);
    int first = gate;
    union ipc_record bad;
    gate = new_gate(); /* a second one, gone bad, while the first lives */
    for (unsigned type = 0; type < IPC_TYPES + 2; type++) {
        memset(&bad, 0xff, sizeof(bad)); /* no text ends, every number is absurd */
        bad.head.type = (uint16_t)type;
        bad.head.size = sizeof(bad);
        ck_assert_int_eq(send(gate, &bad, sizeof(bad), 0), sizeof(bad));
        expect_dropped();
    }
    struct ipc_sign_in unended;
    IPC_INIT(&unended, SIGN_IN, 1);
    memset(unended.username, 'a', sizeof(unended.username));
    ck_assert_int_eq(ipc_send(gate, &unended.head, -1), 0);
    expect_dropped();
    struct ipc_tunnel_ended ended;
    IPC_INIT(&ended, TUNNEL_ENDED, 0); /* another gate's tunnel */
    ended.tunnel = tunnel;
    ck_assert_int_eq(ipc_send(gate, &ended.head, -1), 0);
    expect_dropped();
    struct ipc_signed_in wrong;
    IPC_INIT(&wrong, SIGNED_IN, 1); /* the keeper's own record */
    ck_assert_int_eq(ipc_send(gate, &wrong.head, -1), 0);
    expect_dropped();
    close(gate);
    gate = first;
    ck_assert_int_eq(who(got.token), IPC_OK);
}
END_TEST

START_TEST(a_storm_of_sign_ins_is_bounded)
{
    /* More than the queue holds, from as many addresses: each gets an answer. */
    unsigned total = conf.login_queue + conf.login_workers + 40, busy = 0, denied = 0;
    for (unsigned i = 0; i < total; i++) {
        struct ipc_sign_in ask;
        char address[20];
        IPC_INIT(&ask, SIGN_IN, i + 1);
        snprintf(address, sizeof(address), "203.0.%u.%u", i / 250, i % 250 + 1);
        origin(&ask.origin, address);
        text_copy(ask.username, sizeof(ask.username), "nobody");
        int error;
        while ((error = ipc_send(gate, &ask.head, -1)) == -EAGAIN)
            usleep(1000);
        ck_assert_int_eq(error, 0);
    }
    for (unsigned i = 0; i < total; i++) {
        union ipc_record answer;
        int fd;
        ck_assert_int_eq(next(&answer, &fd, 30000), 0);
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
    static const char *const bad[] = {"", "../secret.key", "secret.key/", "a/b", "none", "link"};
    IPC_INIT(&ask, CHALLENGE, 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        text_copy(ask.token, sizeof(ask.token), bad[i]);
        answer_to(&ask.head, IPC_CHALLENGE_BODY, &answer, &fd);
        ck_assert_int_eq(answer.challenge_body.status, IPC_NOT_FOUND);
    }
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
    tcase_add_test(tests, as_long_for_nobody_as_for_somebody);
    tcase_add_test(tests, opens_what_is_granted_and_reachable);
    tcase_add_test(tests, an_administrators_word_closes_tunnels);
    tcase_add_test(tests, ended_sessions_close_tunnels);
    tcase_add_test(tests, ends_are_written_down);
    tcase_add_test(tests, a_hostile_gate_is_dropped_and_the_keeper_lives);
    tcase_add_test(tests, a_storm_of_sign_ins_is_bounded);
    tcase_add_test(tests, challenges_come_from_their_folder_only);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

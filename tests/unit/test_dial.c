/* Dialling over real sockets on loopback: a listener, a closed port, one that never answers. */
#include "dial.h"
#include "fd.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct conf conf;
static struct loop *loop;
static struct pool *resolvers;
static int listener;
static uint16_t port;

static struct {
    unsigned calls;
    enum ipc_status status;
    int fd;
} got;

static int bound(uint16_t *number)
{
    struct addr loopback;
    struct sockaddr_storage at;
    ck_assert(addr_parse(&loopback, "127.0.0.1"));
    socklen_t size = addr_to_sockaddr(&loopback, 0, &at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *number = ntohs(((struct sockaddr_in *)&at)->sin_port);
    return fd;
}

static void setup(void)
{
    conf_defaults(&conf, "/nonexistent");
    conf.dial_loopback = true;
    ck_assert(addr_net_parse(&conf.dial_allow[conf.dial_allow_count++], "127.0.0.0/8"));
    conf.dial_seconds = 5;
    ck_assert_int_eq(loop_new(&loop), 0);
    ck_assert_int_eq(pool_new(&resolvers, loop, 2, 4, true), 0);
    listener = bound(&port);
    ck_assert_int_eq(listen(listener, 8), 0);
    memset(&got, 0, sizeof(got));
    got.fd = -1;
}

static void teardown(void)
{
    fd_close(&got.fd);
    fd_close(&listener);
}

static void done(void *owner, enum ipc_status status, int fd)
{
    ck_assert_ptr_eq(owner, &got);
    got.calls++;
    got.status = status;
    got.fd = fd;
    loop_stop(loop);
}

static int start(const char *host, uint16_t to)
{
    struct dial_setup dial = {.loop = loop,
                              .resolvers = resolvers,
                              .conf = &conf,
                              .host = host,
                              .port = to,
                              .done = done,
                              .owner = &got};
    return dial_start(&dial);
}

static enum ipc_status dial(const char *host, uint16_t to)
{
    ck_assert_int_eq(start(host, to), 0);
    ck_assert_uint_eq(got.calls, 0); /* never from within */
    ck_assert_int_eq(loop_run(loop), 0);
    ck_assert_uint_eq(got.calls, 1);
    ck_assert_int_eq(got.fd >= 0, got.status == IPC_OK);
    return got.status;
}

START_TEST(connects)
{
    static const char *const hosts[] = {"127.0.0.1", "::ffff:127.0.0.1", "localhost"};
    int on = 0;
    socklen_t size = sizeof(on);
    ck_assert_int_eq(dial(hosts[_i], port), IPC_OK);
    int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(peer, 0);
    ck_assert_int_eq(write(got.fd, "x", 1), 1);
    ck_assert_int_eq(getsockopt(got.fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    ck_assert_int_ne(on, 0);
    ck_assert_int_eq(getsockopt(got.fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
    ck_assert_int_eq(on, 1);
    ck_assert_int_eq(getsockopt(got.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &on, &size), 0);
    ck_assert_int_eq(on, (int)conf.dial_lost_seconds * 1000);
    ck_assert_int_ne(on, 0);
    ck_assert_int_eq(getsockopt(got.fd, SOL_SOCKET, SO_RCVBUF, &on, &size), 0);
    ck_assert_int_ge(on, 256 * 1024); /* of socket(7)'s bytes, which are twice as many */
    ck_assert_int_le(on, 512 * 1024);
    close(peer);
}
END_TEST

START_TEST(forbidden_addresses_see_no_packet)
{
    static const char *const hosts[] = {"127.0.0.1", "::ffff:127.0.0.1", "localhost"};
    conf.dial_loopback = false;
    ck_assert_int_eq(dial(hosts[_i], port), IPC_DESKTOP_ADDRESS);
    ck_assert_int_eq(accept4(listener, NULL, NULL, SOCK_CLOEXEC), -1);
    ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(says_refused)
{
    shutdown(listener, SHUT_RDWR); /* listens no more, and keeps the port from others */
    ck_assert_int_eq(dial("127.0.0.1", port), IPC_DESKTOP_REFUSED);
}
END_TEST

START_TEST(says_which_name)
{
    ck_assert_int_eq(dial("no-such-host.invalid", port), IPC_DESKTOP_NAME);
}
END_TEST

START_TEST(gives_up_in_time)
{
    /* A full queue of connections swallows what comes. */
    uint16_t silent;
    struct timespec begun, ended;
    struct addr loopback;
    struct sockaddr_storage at;
    int full = bound(&silent), waiting[4];
    ck_assert_int_eq(listen(full, 0), 0);
    ck_assert(addr_parse(&loopback, "127.0.0.1"));
    socklen_t size = addr_to_sockaddr(&loopback, silent, &at);
    for (size_t i = 0; i < 4; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(waiting[i], (struct sockaddr *)&at, size);
    }
    conf.dial_seconds = 1;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    ck_assert_int_eq(dial("127.0.0.1", silent), IPC_DESKTOP_ASLEEP);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    ck_assert_int_ge(ended.tv_sec - begun.tv_sec, 0);
    ck_assert_int_le(ended.tv_sec - begun.tv_sec, 20); /* the kernel would take minutes */
    for (size_t i = 0; i < 4; i++)
        close(waiting[i]);
    close(full);
}
END_TEST

START_TEST(refuses_a_name_that_does_not_fit)
{
    char name[300];
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_assert_int_eq(start(name, port), -ENAMETOOLONG);
    ck_assert_uint_eq(got.calls, 0);
}
END_TEST

static int keepalive(int fd, int name)
{
    int value;
    socklen_t size = sizeof(value);
    ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, name, &value, &size), 0);
    return value;
}

/* Thousands of desktops that are asked at once overflow a queue of the kernel's, and the same ones
 * went unasked each time until they counted as lost. */
START_TEST(desktops_are_asked_one_after_the_other_and_often)
{
    enum { COUNT = 64, SECONDS = 90 };
    int fds[COUNT], times[SECONDS] = {0}, most = 0;
    for (int i = 0; i < COUNT; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        fd_lost_after(fds[i], SECONDS);
        int first = keepalive(fds[i], TCP_KEEPIDLE), each = keepalive(fds[i], TCP_KEEPINTVL);
        ck_assert_int_lt(first, SECONDS / 2);
        ck_assert_int_ge(SECONDS - first, 6 * each);
        ck_assert_int_eq(keepalive(fds[i], TCP_USER_TIMEOUT), SECONDS * 1000);
        if (++times[first] > most)
            most = times[first];
    }
    ck_assert_int_le(most, COUNT / 8);
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dial");
    TCase *tests = tcase_create("dial");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, connects, 0, 3);
    tcase_add_loop_test(tests, forbidden_addresses_see_no_packet, 0, 3);
    tcase_add_test(tests, says_refused);
    tcase_add_test(tests, says_which_name);
    tcase_add_test(tests, gives_up_in_time);
    tcase_add_test(tests, refuses_a_name_that_does_not_fit);
    tcase_add_test(tests, desktops_are_asked_one_after_the_other_and_often);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

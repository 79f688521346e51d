/* Magic packets, and dialling a desktop that sleeps: a listener with a full queue, which swallows
 * what comes, until the packet arrives. */
#include "dial.h"
#include "fd.h"
#include "suite.h"
#include "wake.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const uint8_t mac[WAKE_MAC_SIZE] = {0xaa, 0xbb, 0xcc, 0x00, 0x01, 0xff};

START_TEST(a_packet)
{
    uint8_t packet[WAKE_PACKET_SIZE];
    wake_packet(packet, mac);
    for (size_t i = 0; i < 6; i++)
        ck_assert_uint_eq(packet[i], 0xff);
    for (size_t i = 6; i < sizeof(packet); i++)
        ck_assert_uint_eq(packet[i], mac[i % 6]);
}
END_TEST

START_TEST(a_card)
{
    static const char *const bad[] = {
        "",
        "aa:bb:cc:dd:ee",
        "aa:bb:cc:dd:ee:ff:00",
        "aa-bb-cc-dd-ee-ff",
        "ag:bb:cc:dd:ee:ff",
        "AA:bb:cc:dd:ee:ff",
        "aa:bb:cc:dd:ee:f ",
        "aabb:cc:dd:ee:fff",
    };
    uint8_t got[WAKE_MAC_SIZE];
    ck_assert(wake_mac(got, "aa:bb:cc:00:01:ff"));
    ck_assert_mem_eq(got, mac, sizeof(mac));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!wake_mac(got, bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(which_network)
{
    static const struct {
        const char *interface, *mask, *machine;
        bool near;
    } table[] = {
        {"192.168.1.2", "255.255.255.0", "192.168.1.77", true},
        {"192.168.1.2", "255.255.255.0", "192.168.2.77", false},
        {"192.168.1.2", "255.255.254.0", "192.168.0.77", true},
        {"10.0.0.1", "255.255.255.255", "10.0.0.1", false},
        {"10.0.0.1", "255.0.0.0", "11.0.0.1", false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        ck_assert_msg(wake_near(inet_addr(table[i].interface), inet_addr(table[i].mask),
                                inet_addr(table[i].machine)) == table[i].near,
                      "line %zu", i);
}
END_TEST

/* ---- a desktop that sleeps ---- */

static struct conf conf;
static struct loop *loop;
static struct pool *resolvers;
static int listener, knocking[4];
static uint16_t port;
static struct loop_source ear; /* where packets come */
static unsigned packets, packets_needed, wakings;
static size_t waking_packets;
static enum ipc_status got_status;
static int got_fd;

static int bound(int type, uint16_t *number)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *number = ntohs(at.sin_port);
    return fd;
}

static void wake_up(void)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        close(fd);
    listen(listener, 16);
}

static void on_packet(struct loop_source *source, uint32_t events)
{
    uint8_t packet[200], wanted[WAKE_PACKET_SIZE];
    (void)events;
    ck_assert_int_eq(recv(source->fd, packet, sizeof(packet), 0), WAKE_PACKET_SIZE);
    wake_packet(wanted, mac);
    ck_assert_mem_eq(packet, wanted, sizeof(wanted));
    if (++packets == packets_needed)
        wake_up();
}

static void setup(void)
{
    uint16_t udp;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    conf_defaults(&conf, "/nonexistent");
    conf.dial_loopback = true;
    ck_assert(addr_net_parse(&conf.dial_allow[conf.dial_allow_count++], "127.0.0.0/8"));
    conf.dial_seconds = 3;
    conf.wake_seconds = 10;
    packets = wakings = 0;
    packets_needed = 1;
    got_fd = -1;
    ck_assert_int_eq(loop_new(&loop), 0);
    ck_assert_int_eq(pool_new(&resolvers, loop, 1, 4, false), 0);
    ear.ready = on_packet;
    ck_assert_int_eq(loop_add(loop, &ear, bound(SOCK_DGRAM, &udp), EPOLLIN), 0);
    ck_assert(addr_parse(&conf.wake_broadcast[0].address, "127.0.0.1"));
    conf.wake_broadcast[0].port = udp;
    conf.wake_broadcast_count = 1;
    listener = bound(SOCK_STREAM, &port);
    ck_assert_int_eq(listen(listener, 0), 0);
    at.sin_port = htons(port);
    for (size_t i = 0; i < 4; i++) {
        knocking[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(knocking[i], (struct sockaddr *)&at, sizeof(at));
    }
}

static void teardown(void)
{
    for (size_t i = 0; i < 4; i++)
        close(knocking[i]);
    fd_close(&got_fd);
    close(listener);
    close(ear.fd);
}

static void done(void *owner, enum ipc_status status, int fd)
{
    (void)owner;
    got_status = status;
    got_fd = fd;
    loop_stop(loop);
}

static void waking(void *owner, size_t sent)
{
    (void)owner;
    wakings++;
    waking_packets = sent;
}

/* Returns the milliseconds it took. */
static long dial(struct dial_meter *meter)
{
    struct timespec begun, ended;
    struct dial_setup dial = {.loop = loop,
                              .resolvers = resolvers,
                              .conf = &conf,
                              .host = "127.0.0.1",
                              .port = port,
                              .done = done,
                              .meter = meter,
                              .mac = mac,
                              .waking = waking};
    clock_gettime(CLOCK_MONOTONIC, &begun);
    ck_assert_int_eq(dial_start(&dial), 0);
    ck_assert_int_eq(loop_run(loop), 0);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    return (ended.tv_sec - begun.tv_sec) * 1000 + (ended.tv_nsec - begun.tv_nsec) / 1000000;
}

START_TEST(wakes_up)
{
    struct dial_meter meter = {0};
    packets_needed = (unsigned)_i; /* a packet may be lost */
    long took = dial(&meter);
    ck_assert_int_eq(got_status, IPC_OK);
    ck_assert_uint_eq(wakings, 1);
    ck_assert_uint_eq(waking_packets, 1);
    ck_assert_uint_ge(packets, packets_needed);
    ck_assert_int_ge(took, 1000);
    ck_assert_int_le(took, 30000);
    ck_assert(meter.woken == 1 && meter.silent == 0 && meter.under_way == 0);
}
END_TEST

START_TEST(is_given_up_in_time)
{
    struct dial_meter meter = {0};
    packets_needed = 99;
    conf.wake_seconds = 4;
    long took = dial(&meter);
    ck_assert_int_eq(got_status, IPC_DESKTOP_ASLEEP);
    ck_assert_uint_eq(packets, 3);
    ck_assert_int_ge(took, 4900);
    ck_assert_int_le(took, 20000);
    ck_assert(meter.woken == 0 && meter.silent == 1);
    ck_assert_uint_eq(meter.outcomes[IPC_DESKTOP_ASLEEP], 1);
}
END_TEST

START_TEST(is_not_woken_when_there_is_nowhere_to_send_to)
{
    conf.wake_broadcast_count = 0; /* and loopback has no broadcast address */
    conf.dial_seconds = 2;
    long took = dial(NULL);
    ck_assert_int_eq(got_status, IPC_DESKTOP_ASLEEP);
    ck_assert_uint_eq(wakings, 1);
    ck_assert_uint_eq(waking_packets, 0);
    ck_assert_int_le(took, 15000);
}
END_TEST

START_TEST(is_not_woken_when_it_may_not_be)
{
    conf.wake_seconds = 0;
    conf.dial_seconds = 2;
    dial(NULL);
    ck_assert_int_eq(got_status, IPC_DESKTOP_ASLEEP);
    ck_assert_uint_eq(wakings + packets, 0);
}
END_TEST

/* Its address is forbidden: no packet either. */
START_TEST(is_not_woken_where_it_is_not_dialled)
{
    conf.dial_loopback = false;
    dial(NULL);
    ck_assert_int_eq(got_status, IPC_DESKTOP_ADDRESS);
    ck_assert_uint_eq(wakings + packets, 0);
}
END_TEST

START_TEST(who_is_awake_gets_no_packet)
{
    wake_up();
    dial(NULL);
    ck_assert_int_eq(got_status, IPC_OK);
    ck_assert_uint_eq(wakings + packets, 0);
}
END_TEST

/* A machine that is up, but without remote desktop. */
START_TEST(who_refuses_is_awake)
{
    shutdown(listener, SHUT_RDWR); /* listens no more */
    dial(NULL);
    ck_assert_int_eq(got_status, IPC_DESKTOP_REFUSED);
    ck_assert_uint_eq(wakings + packets, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wake");
    TCase *plain = tcase_create("packet");
    tcase_add_test(plain, a_packet);
    tcase_add_test(plain, a_card);
    tcase_add_test(plain, which_network);
    suite_add_tcase(suite, plain);
    TCase *tests = tcase_create("dial");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, wakes_up, 1, 3);
    tcase_add_test(tests, is_given_up_in_time);
    tcase_add_test(tests, is_not_woken_when_there_is_nowhere_to_send_to);
    tcase_add_test(tests, is_not_woken_when_it_may_not_be);
    tcase_add_test(tests, is_not_woken_where_it_is_not_dialled);
    tcase_add_test(tests, who_is_awake_gets_no_packet);
    tcase_add_test(tests, who_refuses_is_awake);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

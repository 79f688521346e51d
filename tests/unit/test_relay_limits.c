/* What peers that read slowly, or not at all, or only ask, can do to a relay: little. */
#include "relay_rig.h"
#include "relay_state.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOON_MS 1500 /* less than the deadline of a close: it was not waited for */

static int steps;
static uint8_t wire[200000];
static size_t wire_size, wire_at;

/* Sends what there is of `wire`, over and over. */
static void pour(int fd)
{
    ssize_t wrote;
    do {
        wrote = send(fd, wire + wire_at, wire_size - wire_at, MSG_NOSIGNAL);
        if (wrote > 0)
            wire_at = (wire_at + (size_t)wrote) % wire_size;
    } while (wrote > 0);
}

static size_t swallow(int fd, size_t most)
{
    static uint8_t data[65536];
    ssize_t got = recv(fd, data, most < sizeof(data) ? most : sizeof(data), 0);
    return got > 0 ? (size_t)got : 0;
}

static void check_bounds(void)
{
    const struct relay *relay = rig.relay;
    ck_assert_uint_le(relay->to_plain.size, RELAY_BACKLOG);
    ck_assert_uint_le(relay->to_framed.size, 64 * 1024 + 300); /* a frame; control frames */
}

static void binary_wire(void)
{
    static const uint8_t zeros[60000];
    wire_at = wire_size = 0;
    for (size_t size = 0; size < sizeof(zeros); size = size * 3 + 1)
        wire_size += relay_rig_frame(wire + wire_size, WS_BINARY, true, zeros, size);
}

/* ---- nobody reads ---- */

static uint64_t stuck_up, stuck_down;

static bool step_nobody_reads(void)
{
    uint64_t up, down;
    pour(rig.client);
    while (send(rig.desktop, wire, sizeof(wire), MSG_NOSIGNAL) > 0)
        ;
    check_bounds();
    relay_counts(rig.relay, &up, &down);
    steps = up == stuck_up && down == stuck_down ? steps + 1 : 0;
    stuck_up = up;
    stuck_down = down;
    return steps == 50;
}

START_TEST(memory_is_bounded_when_nobody_reads)
{
    int large = 1 << 20;
    binary_wire();
    steps = 0;
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    setsockopt(rig.desktop, SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
    relay_rig_run(rig.loop, step_nobody_reads);
    ck_assert_ptr_nonnull(rig.relay->to_plain.data);
    ck_assert_uint_gt(stuck_up, 0);
    ck_assert_uint_gt(stuck_down, 0);
    ck_assert_uint_le(stuck_up, RELAY_BACKLOG + 65536);
    ck_assert_uint_le(stuck_down, RELAY_BACKLOG + 65536);
}
END_TEST

static bool step_then_all_is_read(void)
{
    if (steps < 50)
        return step_nobody_reads() && false;
    size_t got = swallow(rig.client, 65536) + swallow(rig.desktop, 65536);
    steps = got ? 50 : steps + 1;
    return steps == 100;
}

START_TEST(no_memory_is_held_when_all_is_read)
{
    binary_wire();
    steps = 0;
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    relay_rig_run(rig.loop, step_then_all_is_read);
    ck_assert_ptr_null(rig.relay->to_plain.data);
    ck_assert_ptr_null(rig.relay->to_framed.data);
    ck_assert_ptr_null(rig.relay->pong);
    ck_assert_uint_le(sizeof(struct relay), 512);
}
END_TEST

/* ---- pings ---- */

static bool step_flood(void)
{
    pour(rig.client);
    check_bounds();
    return ++steps == 200;
}

START_TEST(a_flood_of_pings_is_answered_with_few_pongs)
{
    wire_at = wire_size = 0;
    while (wire_size + 200 < sizeof(wire)) {
        uint8_t payload[125];
        memset(payload, (int)(wire_size % 251), sizeof(payload));
        wire_size += relay_rig_frame(wire + wire_size, WS_PING, true, payload, sizeof(payload));
    }
    steps = 0;
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    relay_rig_run(rig.loop, step_flood); /* the test reads nothing: pongs must not pile up */
    ck_assert(!rig.over);
    ck_assert_uint_le(rig.relay->to_framed.size, 2 * (WS_HEADER_MOST + WS_CONTROL_MOST));
}
END_TEST

static bool step_last_ping(void)
{
    if (steps++ == 0) {
        wire_size = 0;
        for (uint8_t i = 1; i <= 100; i++)
            wire_size += relay_rig_frame(wire + wire_size, WS_PING, true, &i, 1);
        ck_assert_int_eq(send(rig.client, wire, wire_size, 0), (ssize_t)wire_size);
    }
    relay_rig_listen();
    return steps == 50;
}

START_TEST(the_newest_ping_is_answered)
{
    steps = 0;
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    relay_rig_run(rig.loop, step_last_ping);
    ck_assert_uint_eq(relay_rig_told_pongs(), 1); /* they came at once */
    ck_assert_mem_eq(rig.told, "\x8a\x01\x64", 3);
}
END_TEST

/* ---- silence ---- */

/* Never a pong, but now and then it reads. */
static bool step_reads_slowly(void)
{
    while (send(rig.desktop, wire, sizeof(wire), MSG_NOSIGNAL) > 0)
        ;
    swallow(rig.client, 3000);
    usleep(1000);
    ck_assert(!rig.over);
    return ++steps == 600;
}

START_TEST(a_slow_reader_is_alive)
{
    steps = 0;
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER, .ping_ms = 60});
    relay_rig_run(rig.loop, step_reads_slowly);
}
END_TEST

static bool step_reads_nothing(void)
{
    while (send(rig.desktop, wire, sizeof(wire), MSG_NOSIGNAL) > 0)
        ;
    return rig.over;
}

START_TEST(who_reads_nothing_is_lost)
{
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER, .ping_ms = 60});
    relay_rig_run(rig.loop, step_reads_nothing);
    ck_assert_int_eq(rig.result.end, RELAY_FRAMED_LOST);
    ck_assert_int_eq(rig.result.error, -ETIMEDOUT);
}
END_TEST

static bool step_pongs(void)
{
    relay_rig_listen();
    if (rig.told_size) {
        rig.told_size = 0;
        ck_assert_int_eq(send(rig.client, "\x8a\x80\x00\x00\x00\x00", 6, 0), 6);
        steps++;
    }
    return rig.over || steps == 10;
}

START_TEST(pongs_are_life_but_not_activity)
{
    steps = 0;
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER,
                                         .ping_ms = 50,
                                         .idle_ms = (1ULL << 32) +
                                                    100 /* 50 days, which 32 bits do not hold */});
    relay_rig_run(rig.loop, step_pongs);
    ck_assert(!rig.over);
}
END_TEST

START_TEST(who_only_pongs_is_idle)
{
    steps = -1000;
    relay_rig_begin(
        (struct relay_setup){.framing = RELAY_WS_SERVER, .ping_ms = 50, .idle_ms = 300});
    relay_rig_run(rig.loop, step_pongs);
    ck_assert_int_eq(rig.result.end, RELAY_IDLE);
    ck_assert_uint_eq(rig.result.close_code, RELAY_IDLE_CODE);
}
END_TEST

/* ---- ends that wait for nothing ---- */

static bool step_desktop_dies(void)
{
    if (steps++ < 10) {
        pour(rig.client);
    } else if (steps == 11) {
        close(rig.desktop); /* with bytes unread: a reset */
        rig.desktop = -1;
    }
    relay_rig_listen();
    /* Answer the close frame, in the middle of a frame or not: what matters is that it is read. */
    if (relay_rig_told_code() && wire_at) {
        ssize_t wrote = send(rig.client, wire + wire_at, wire_size - wire_at, MSG_NOSIGNAL);
        wire_at = (wire_at + (size_t)(wrote > 0 ? wrote : 0)) % wire_size;
    } else if (relay_rig_told_code() && steps < 100000) {
        if (send(rig.client, "\x88\x82\x00\x00\x00\x00\x03\xf3", 8, MSG_NOSIGNAL) == 8)
            steps = 100000;
    }
    return rig.over;
}

START_TEST(the_answer_is_heard_though_the_desktop_is_gone)
{
    binary_wire();
    steps = 0;
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    uint64_t begun = loop_now(rig.loop);
    relay_rig_run(rig.loop, step_desktop_dies);
    ck_assert_int_eq(rig.result.end, RELAY_PLAIN_LOST);
    ck_assert_uint_eq(relay_rig_told_code(), WS_INTERNAL_ERROR);
    ck_assert_uint_le(loop_now(rig.loop) - begun, SOON_MS);
}
END_TEST

/* Until nothing has moved for a while. */
static bool step_pour(void)
{
    size_t before = wire_at;
    pour(rig.desktop);
    steps = wire_at == before ? steps + 1 : 0;
    return steps > 1000;
}

/* What waits in the kernel for a line that takes less than the desktop gives is old when it
 * arrives, and the answer to a click comes behind it. */
START_TEST(little_waits_for_a_narrow_line)
{
    int unsent;
    wire_size = sizeof(wire);
    wire_at = 0;
    steps = 0;
    relay_rig_tcp_pair(&rig.gate_client, &rig.client);
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    relay_rig_run(rig.loop, step_pour);
    ck_assert_int_eq(ioctl(rig.gate_client, SIOCOUTQNSD, &unsent), 0);
    ck_assert_int_gt(unsent, 0);
    ck_assert_int_le(unsent, 128 * 1024); /* a limit's worth, and the one write that crossed it */
}
END_TEST

static bool step_client_dies(void)
{
    if (steps++ == 0)
        ck_assert_int_gt(send(rig.desktop, wire, 100, MSG_NOSIGNAL), 0);
    if (steps == 10) {
        close(rig.client); /* with bytes unread: a reset */
        rig.client = -1;
    }
    return rig.over;
}

START_TEST(a_lost_client_is_not_waited_for)
{
    steps = 0;
    relay_rig_begin((struct relay_setup){.framing = _i ? RELAY_WS_SERVER : RELAY_RAW});
    uint64_t begun = loop_now(rig.loop);
    relay_rig_run(rig.loop, step_client_dies);
    ck_assert_int_eq(rig.result.end, RELAY_FRAMED_LOST);
    ck_assert_int_eq(rig.result.error, -ECONNRESET);
    ck_assert_uint_le(loop_now(rig.loop) - begun, SOON_MS);
}
END_TEST

int main(void)
{
    const struct relay_rig_test tests[] = {
        {memory_is_bounded_when_nobody_reads, 0},
        {no_memory_is_held_when_all_is_read, 0},
        {a_flood_of_pings_is_answered_with_few_pongs, 0},
        {the_newest_ping_is_answered, 0},
        {a_slow_reader_is_alive, 0},
        {who_reads_nothing_is_lost, 0},
        {pongs_are_life_but_not_activity, 0},
        {who_only_pongs_is_idle, 0},
        {the_answer_is_heard_though_the_desktop_is_gone, 0},
        {little_waits_for_a_narrow_line, 0},
        {a_lost_client_is_not_waited_for, 2},
    };
    return relay_rig_main("relay_limits", tests, sizeof(tests) / sizeof(*tests));
}

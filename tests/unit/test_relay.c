/* The relay over real sockets and a real loop. The test is the framed peer (writing frames by hand)
 * and the desktop; everything runs in one thread, so it can cut bytes where it likes. */
#include "relay.h"

#include "fd.h"
#include "owner.h"
#include "ws.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *loop;
static struct stream_scratch *scratch;
static struct stream_plain framed, plain;
static struct relay *relay;
static struct relay_result result;
static bool over;
static int client, desktop; /* the test's ends */
static int gate_client, gate_desktop;

static void on_ended(struct relay *which, void *owner, const struct relay_result *how)
{
    ck_assert_ptr_eq(which, relay);
    ck_assert_ptr_eq(owner, &over);
    ck_assert(!over);
    over = true;
    result = *how;
}

static void pair(int *ours, int *theirs)
{
    int ends[2], small = 8192;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    for (int i = 0; i < 2; i++) /* small buffers: writes come in parts */
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    *ours = ends[0];
    *theirs = ends[1];
}

static void begin(struct relay_setup setup)
{
    pair(&gate_client, &client);
    pair(&gate_desktop, &desktop);
    stream_plain_init(&framed, gate_client);
    stream_plain_init(&plain, gate_desktop);
    setup.loop = loop;
    setup.scratch = scratch;
    setup.framed = &framed.stream;
    setup.plain = &plain.stream;
    setup.ended = on_ended;
    setup.owner = &over;
    ck_assert_int_eq(relay_new(&relay, &setup), 0);
}

static void setup(void)
{
    over = false;
    ck_assert_int_eq(loop_new(&loop), 0);
    ck_assert_int_eq(stream_scratch_new(&scratch), 0);
}

static void teardown(void)
{
    relay_free(relay);
    relay = NULL;
    stream_scratch_free(scratch);
    loop_free(loop);
    close(client);
    close(desktop);
    close(gate_client);
    close(gate_desktop);
}

static void on_stop(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(loop);
}

/* Lets the loop work for some milliseconds. loop_stop() is for good, so a fresh loop would be
 * needed to go on; the tests that need several turns use run_until(). */
struct turn {
    struct loop_timer timer;
    bool (*step)(void);
    uint64_t until;
};

static void on_turn(struct loop_timer *timer)
{
    struct turn *turn = OWNER_OF(timer, struct turn, timer);
    if (turn->step() || loop_now(loop) > turn->until)
        loop_stop(loop);
    else
        loop_timer_set(loop, timer, 0);
}

/* Calls `step` between the loop's rounds until it says true; fails after ten seconds. */
static void run_until(bool (*step)(void))
{
    struct turn turn = {.timer.fire = on_turn, .step = step, .until = loop_now(loop) + 10000};
    loop_timer_set(loop, &turn.timer, 0);
    ck_assert_int_eq(loop_run(loop), 0);
    ck_assert_msg(loop_now(loop) <= turn.until, "nothing happened for ten seconds");
}

static bool is_over(void)
{
    return over;
}

/* ---- bytes in random pieces ---- */

#define TOTAL (3U << 20)
static uint8_t *sent, *wire;
static size_t wire_size, wire_at, got_size, down_at;
static struct ws_reader reader;
static uint8_t *down_got;
static size_t down_got_size;

static size_t put_frame(uint8_t *to, enum ws_opcode opcode, bool final, const uint8_t *data,
                        size_t size)
{
    uint8_t head[WS_HEADER_MOST], mask[4] = {9, 8, 7, (uint8_t)size};
    size_t length = ws_header_before(head + WS_HEADER_MOST, opcode, size, mask);
    memcpy(to, head + WS_HEADER_MOST - length, length);
    if (!final)
        to[0] &= 0x7f;
    memcpy(to + length, data, size);
    ws_mask(to + length, size, mask, 0);
    return length + size;
}

/* TOTAL random bytes as frames of random sizes, some fragmented, with pings between. */
static void make_wire(void)
{
    sent = malloc(TOTAL);
    wire = malloc(TOTAL * 2);
    for (size_t i = 0; i < TOTAL; i++)
        sent[i] = (uint8_t)rand();
    bool inside = false;
    wire_size = 0;
    for (size_t at = 0; at < TOTAL;) {
        size_t size = (size_t)rand() % (rand() % 4 ? 300 : 90000);
        if (size > TOTAL - at)
            size = TOTAL - at;
        bool final = at + size == TOTAL || rand() % 2;
        wire_size += put_frame(wire + wire_size, inside ? WS_CONTINUATION : WS_BINARY, final,
                               sent + at, size);
        inside = !final;
        at += size;
        if (rand() % 50 == 0)
            wire_size += put_frame(wire + wire_size, WS_PING, true, (const uint8_t *)"p", 1);
    }
}

static bool step_bulk(void)
{
    uint8_t piece[70000];
    if (wire_at < wire_size) {
        size_t size = (size_t)rand() % 60000 + 1;
        ssize_t wrote = send(client, wire + wire_at,
                             size < wire_size - wire_at ? size : wire_size - wire_at, MSG_NOSIGNAL);
        wire_at += wrote > 0 ? (size_t)wrote : 0;
    }
    if (down_at < TOTAL) {
        size_t size = (size_t)rand() % 60000 + 1;
        ssize_t wrote = send(desktop, sent + down_at,
                             size < TOTAL - down_at ? size : TOTAL - down_at, MSG_NOSIGNAL);
        down_at += wrote > 0 ? (size_t)wrote : 0;
    }
    if (rand() % 3 == 0) { /* slow readers */
        ssize_t got = recv(desktop, piece, (size_t)rand() % 5000 + 1, 0);
        if (got > 0) {
            ck_assert_mem_eq(piece, sent + got_size, (size_t)got);
            got_size += (size_t)got;
        }
    }
    if (rand() % 3 == 0) {
        ssize_t got = recv(client, piece, (size_t)rand() % 5000 + 1, 0);
        for (size_t at = 0; got > 0 && at < (size_t)got;) {
            struct ws_event event;
            at += ws_read(&reader, piece + at, (size_t)got - at, &event);
            ck_assert_int_ne(event.kind, WS_EVENT_BAD);
            if (event.kind == WS_EVENT_DATA) {
                memcpy(down_got + down_got_size, event.data, event.size);
                down_got_size += event.size;
            }
        }
    }
    return got_size == TOTAL && down_got_size == TOTAL;
}

START_TEST(bytes_arrive_unchanged)
{
    srand((unsigned)_i + 1);
    wire_at = got_size = down_at = down_got_size = 0;
    reader = (struct ws_reader){0};
    down_got = malloc(TOTAL);
    make_wire();
    begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    run_until(step_bulk);
    ck_assert_mem_eq(down_got, sent, TOTAL);
    uint64_t up, down;
    relay_counts(relay, &up, &down);
    ck_assert_uint_eq(up, TOTAL);
    ck_assert_uint_eq(down, TOTAL);
    free(sent);
    free(wire);
    free(down_got);
}
END_TEST

/* ---- single cases: what the framed peer sends, how it ends, what it is told ---- */

static uint8_t told[4096];
static size_t told_size;

static bool step_listen(void)
{
    ssize_t got = recv(client, told + told_size, sizeof(told) - told_size, 0);
    if (got > 0)
        told_size += (size_t)got;
    return over;
}

/* The close frame's code that the client was told; 0: none. */
static unsigned told_code(void)
{
    struct ws_reader listener = {0};
    for (size_t at = 0; at < told_size;) {
        struct ws_event event;
        at += ws_read(&listener, told + at, told_size - at, &event);
        ck_assert_int_ne(event.kind, WS_EVENT_BAD);
        if (event.kind == WS_EVENT_CLOSE)
            return event.code;
    }
    return 0;
}

static const struct {
    const char *bytes;
    size_t size;
    enum relay_end end;
    unsigned code;
} conversations[] = {
#define SAYS(bytes, end, code)                                                                     \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, end, code                                                        \
    }
    SAYS("\x81\x81\x00\x00\x00\x00x", RELAY_PROTOCOL, 1003),
    SAYS("\x82\x01x", RELAY_PROTOCOL, 1002),
    SAYS("\xf2\x81\x00\x00\x00\x00x", RELAY_PROTOCOL, 1002),
    SAYS("\x89\xfe\x00\x7e\x00\x00\x00\x00", RELAY_PROTOCOL, 1002),
    SAYS("\x88\x82\x00\x00\x00\x00\x03\xe9", RELAY_FRAMED_CLOSED, 1001),
    SAYS("\x88\x80\x00\x00\x00\x00", RELAY_FRAMED_CLOSED, 1005),
    SAYS("\x88\x81\x00\x00\x00\x00\x03", RELAY_PROTOCOL, 1002),
};

START_TEST(how_conversations_end)
{
    char bytes[4];
    told_size = 0;
    begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    /* Whatever comes, a byte sent before it is delivered. */
    ck_assert_int_eq(send(client, "\x82\x81\x00\x00\x00\x00!", 7, 0), 7);
    ck_assert_int_eq(send(client, conversations[_i].bytes, conversations[_i].size, 0),
                     (ssize_t)conversations[_i].size);
    run_until(step_listen);
    step_listen();
    ck_assert_int_eq(result.end, conversations[_i].end);
    ck_assert_uint_eq(told_code(), conversations[_i].code);
    ck_assert_int_eq(recv(desktop, bytes, sizeof(bytes), 0), 1);
    ck_assert_int_eq(bytes[0], '!');
}
END_TEST

static int step_count;
static bool step_desktop_leaves(void)
{
    if (step_count++ == 3) {
        ck_assert_int_eq(send(desktop, "last", 4, MSG_NOSIGNAL), 4);
        shutdown(desktop, SHUT_WR);
    }
    return step_listen();
}

START_TEST(the_desktops_end_is_told_after_its_last_bytes)
{
    step_count = 0;
    told_size = 0;
    begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    run_until(step_desktop_leaves);
    ck_assert_int_eq(result.end, RELAY_PLAIN_CLOSED);
    ck_assert_mem_eq(told, "\x82\x04last\x88", 7);
    ck_assert_uint_eq(told_code(), 1000);
}
END_TEST

START_TEST(a_client_that_vanishes_is_lost)
{
    char bytes[4];
    begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    shutdown(client, SHUT_WR);
    run_until(is_over);
    ck_assert_int_eq(result.end, RELAY_FRAMED_CLOSED);
    ck_assert_int_eq(recv(desktop, bytes, sizeof(bytes), 0), 0); /* the desktop hears of it */
}
END_TEST

static bool step_close(void)
{
    if (step_count++ == 2)
        relay_close(relay, 4002, "your session was ended");
    if (told_size > 5 && step_count < 1000) { /* the close frame is there: answer it */
        step_count = 1000;
        ck_assert_int_eq(send(client, "\x88\x82\x00\x00\x00\x00\x0f\xa2", 8, 0), 8);
    }
    return step_listen();
}

START_TEST(we_close_politely)
{
    step_count = 0;
    told_size = 0;
    begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    run_until(step_close);
    ck_assert_int_eq(result.end, RELAY_CLOSED);
    ck_assert_uint_eq(told_code(), 4002);
    ck_assert_ptr_nonnull(memmem(told, told_size, "your session was ended", 22));
}
END_TEST

START_TEST(a_close_that_nobody_answers_has_a_limit)
{
    begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    uint64_t begun = loop_now(loop);
    relay_close(relay, 1001, "bye");
    ck_assert(!over); /* never from within */
    run_until(is_over);
    ck_assert_int_eq(result.end, RELAY_CLOSED);
    ck_assert_uint_le(loop_now(loop) - begun, 4000);
}
END_TEST

START_TEST(idle_and_silent_peers_are_ended)
{
    told_size = 0;
    begin((struct relay_setup){.framing = RELAY_WS_SERVER, .idle_ms = 100});
    run_until(step_listen);
    ck_assert_int_eq(result.end, RELAY_IDLE);
    ck_assert_uint_eq(told_code(), 4006);
}
END_TEST

START_TEST(missing_pongs_are_noticed)
{
    told_size = 0;
    begin((struct relay_setup){.framing = RELAY_WS_SERVER, .ping_ms = 50});
    run_until(step_listen);
    ck_assert_int_eq(result.end, RELAY_FRAMED_LOST);
    ck_assert_int_eq(result.error, -ETIMEDOUT);
    ck_assert_mem_eq(told, "\x89\x00", 2);
}
END_TEST

static int floods;
static bool step_flood(void)
{
    static const char ping[] = "\x89\x81\x00\x00\x00\x00p";
    char many[7 * 500];
    for (int i = 0; i < 500; i++)
        memcpy(many + i * 7, ping, 7);
    /* Whole pings only: the socket takes all or, when full, what it takes is a multiple by chance;
     * so send them one by one. */
    for (int i = 0; i < 500 && send(client, many + i * 7, 7, MSG_NOSIGNAL) == 7; i++)
        ;
    return ++floods == 200;
}

START_TEST(a_flood_of_pings_is_answered_with_few_pongs)
{
    floods = 0;
    begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    run_until(step_flood); /* the test reads nothing: pongs must not pile up in memory */
    ck_assert(!over);
    ck_assert_int_eq(
        send(client, "\x82\x81\x00\x00\x00\x00!", 7, MSG_NOSIGNAL) == 7 || errno == EAGAIN, 1);
}
END_TEST

START_TEST(early_bytes_come_first)
{
    uint8_t early[32];
    char bytes[8];
    size_t size = put_frame(early, WS_BINARY, true, (const uint8_t *)"early", 5);
    /* Cut inside the frame: the rest comes over the socket. */
    begin((struct relay_setup){.framing = RELAY_WS_SERVER, .early = early, .early_size = size - 2});
    ck_assert_int_eq(send(client, early + size - 2, 2, 0), 2);
    struct loop_timer stop = {.fire = on_stop};
    loop_timer_set(loop, &stop, 50);
    ck_assert_int_eq(loop_run(loop), 0);
    ck_assert_int_eq(recv(desktop, bytes, sizeof(bytes), 0), 5);
    ck_assert_mem_eq(bytes, "early", 5);
}
END_TEST

static bool step_answer_early(void)
{
    char bytes[100];
    static const char zeros[20000];
    ssize_t sent_now;
    do
        sent_now = send(client, zeros, sizeof(zeros), MSG_NOSIGNAL);
    while (sent_now > 0);
    if (step_count++ == 5) { /* much is under way to the plain side, and it has read a little */
        ck_assert_int_gt(recv(desktop, bytes, sizeof(bytes), 0), 0);
        ck_assert_int_eq(send(desktop, "431 no", 6, MSG_NOSIGNAL), 6);
        close(desktop);
        desktop = -1;
    }
    return step_listen();
}

START_TEST(who_answers_before_the_end_of_the_question_is_heard)
{
    step_count = 0;
    told_size = 0;
    begin((struct relay_setup){.framing = RELAY_RAW});
    run_until(step_answer_early);
    step_listen();
    ck_assert_uint_eq(told_size, 6);
    ck_assert_mem_eq(told, "431 no", 6);
}
END_TEST

START_TEST(a_raw_relay_gives_up_what_it_holds)
{
    /* Fill towards the far side until it takes no more, then take the relay apart: what was taken
     * from the client and not delivered comes back, in order. */
    static uint8_t data[400000], arrived[400000];
    struct relay_rest rest;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)rand();
    begin((struct relay_setup){.framing = RELAY_RAW});
    size_t put = 0;
    ssize_t wrote;
    while ((wrote = send(client, data + put, sizeof(data) - put, MSG_NOSIGNAL)) > 0)
        put += (size_t)wrote;
    struct loop_timer stop = {.fire = on_stop};
    loop_timer_set(loop, &stop, 50);
    ck_assert_int_eq(loop_run(loop), 0);
    while ((wrote = send(client, data + put, sizeof(data) - put, MSG_NOSIGNAL)) > 0)
        put += (size_t)wrote;
    ck_assert_int_eq(relay_take(relay, &rest), 0);
    relay = NULL;
    size_t have = 0;
    ssize_t got;
    while ((got = recv(desktop, arrived + have, sizeof(arrived) - have, 0)) > 0)
        have += (size_t)got;
    if (rest.to_plain)
        memcpy(arrived + have, rest.to_plain, rest.to_plain_size);
    have += rest.to_plain_size;
    while ((got = recv(gate_client, arrived + have, sizeof(arrived) - have, 0)) > 0)
        have += (size_t)got;
    ck_assert_uint_eq(have, put);
    ck_assert_mem_eq(arrived, data, put);
    ck_assert_uint_eq(rest.to_framed_size, 0);
    free(rest.to_plain);
    free(rest.to_framed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("relay");
    TCase *tests = tcase_create("relay");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, bytes_arrive_unchanged, 0, 5);
    tcase_add_loop_test(tests, how_conversations_end, 0,
                        (int)(sizeof(conversations) / sizeof(*conversations)));
    tcase_add_test(tests, the_desktops_end_is_told_after_its_last_bytes);
    tcase_add_test(tests, a_client_that_vanishes_is_lost);
    tcase_add_test(tests, we_close_politely);
    tcase_add_test(tests, a_close_that_nobody_answers_has_a_limit);
    tcase_add_test(tests, idle_and_silent_peers_are_ended);
    tcase_add_test(tests, missing_pongs_are_noticed);
    tcase_add_test(tests, a_flood_of_pings_is_answered_with_few_pongs);
    tcase_add_test(tests, early_bytes_come_first);
    tcase_add_test(tests, who_answers_before_the_end_of_the_question_is_heard);
    tcase_add_test(tests, a_raw_relay_gives_up_what_it_holds);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

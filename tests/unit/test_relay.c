/* What a relay carries and how it ends. */
#include "relay_rig.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- bytes in random pieces ---- */

#define TOTAL (3U << 20)
static uint8_t *sent, *wire;
static size_t wire_size, wire_at, got_size, down_at;
static struct ws_reader reader;
static uint8_t *down_got;
static size_t down_got_size;

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
        wire_size += relay_rig_frame(wire + wire_size, inside ? WS_CONTINUATION : WS_BINARY, final,
                                     sent + at, size);
        inside = !final;
        at += size;
        if (rand() % 50 == 0)
            wire_size += relay_rig_frame(wire + wire_size, WS_PING, true, (const uint8_t *)"p", 1);
    }
}

static bool step_bulk(void)
{
    uint8_t piece[70000];
    if (wire_at < wire_size) {
        size_t size = (size_t)rand() % 60000 + 1;
        ssize_t wrote = send(rig.client, wire + wire_at,
                             size < wire_size - wire_at ? size : wire_size - wire_at, MSG_NOSIGNAL);
        wire_at += wrote > 0 ? (size_t)wrote : 0;
    }
    if (down_at < TOTAL) {
        size_t size = (size_t)rand() % 60000 + 1;
        ssize_t wrote = send(rig.desktop, sent + down_at,
                             size < TOTAL - down_at ? size : TOTAL - down_at, MSG_NOSIGNAL);
        down_at += wrote > 0 ? (size_t)wrote : 0;
    }
    if (rand() % 3 == 0) { /* slow readers */
        ssize_t got = recv(rig.desktop, piece, (size_t)rand() % 5000 + 1, 0);
        if (got > 0) {
            ck_assert_mem_eq(piece, sent + got_size, (size_t)got);
            got_size += (size_t)got;
        }
    }
    if (rand() % 3 == 0) {
        ssize_t got = recv(rig.client, piece, (size_t)rand() % 5000 + 1, 0);
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
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    relay_rig_run(rig.loop, step_bulk);
    ck_assert_mem_eq(down_got, sent, TOTAL);
    uint64_t up, down;
    relay_counts(rig.relay, &up, &down);
    ck_assert_uint_eq(up, TOTAL);
    ck_assert_uint_eq(down, TOTAL);
    free(sent);
    free(wire);
    free(down_got);
}
END_TEST

/* ---- single cases: what the framed peer sends, how it ends, what it is told ---- */

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
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    /* Whatever comes, a byte sent before it is delivered. */
    ck_assert_int_eq(send(rig.client, "\x82\x81\x00\x00\x00\x00!", 7, 0), 7);
    ck_assert_int_eq(send(rig.client, conversations[_i].bytes, conversations[_i].size, 0),
                     (ssize_t)conversations[_i].size);
    relay_rig_run(rig.loop, relay_rig_listen);
    relay_rig_listen();
    ck_assert_int_eq(rig.result.end, conversations[_i].end);
    ck_assert_uint_eq(relay_rig_told_code(), conversations[_i].code);
    ck_assert_int_eq(recv(rig.desktop, bytes, sizeof(bytes), 0), 1);
    ck_assert_int_eq(bytes[0], '!');
}
END_TEST

static int step_count;
static bool step_desktop_leaves(void)
{
    if (step_count++ == 3) {
        ck_assert_int_eq(send(rig.desktop, "last", 4, MSG_NOSIGNAL), 4);
        shutdown(rig.desktop, SHUT_WR);
    }
    return relay_rig_listen();
}

START_TEST(the_desktops_end_is_told_after_its_last_bytes)
{
    step_count = 0;
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    relay_rig_run(rig.loop, step_desktop_leaves);
    ck_assert_int_eq(rig.result.end, RELAY_PLAIN_CLOSED);
    ck_assert_mem_eq(rig.told, "\x82\x04last\x88", 7);
    ck_assert_uint_eq(relay_rig_told_code(), 1000);
}
END_TEST

START_TEST(a_client_that_vanishes_is_lost)
{
    char bytes[4];
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    shutdown(rig.client, SHUT_WR);
    relay_rig_run(rig.loop, relay_rig_is_over);
    ck_assert_int_eq(rig.result.end, RELAY_FRAMED_CLOSED);
    ck_assert_int_eq(recv(rig.desktop, bytes, sizeof(bytes), 0), 0); /* the desktop hears of it */
}
END_TEST

static bool step_close(void)
{
    if (step_count++ == 2)
        relay_close(rig.relay, 4002, "your session was ended");
    if (rig.told_size > 5 && step_count < 1000) { /* the close frame is there: answer it */
        step_count = 1000;
        ck_assert_int_eq(send(rig.client, "\x88\x82\x00\x00\x00\x00\x0f\xa2", 8, 0), 8);
    }
    return relay_rig_listen();
}

START_TEST(we_close_politely)
{
    step_count = 0;
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    relay_rig_run(rig.loop, step_close);
    ck_assert_int_eq(rig.result.end, RELAY_CLOSED);
    ck_assert_uint_eq(relay_rig_told_code(), 4002);
    ck_assert_ptr_nonnull(memmem(rig.told, rig.told_size, "your session was ended", 22));
}
END_TEST

START_TEST(a_close_that_nobody_answers_has_a_limit)
{
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER});
    uint64_t begun = loop_now(rig.loop);
    relay_close(rig.relay, 1001, "bye");
    ck_assert(!rig.over); /* never from within */
    relay_rig_run(rig.loop, relay_rig_is_over);
    ck_assert_int_eq(rig.result.end, RELAY_CLOSED);
    ck_assert_uint_le(loop_now(rig.loop) - begun, 20000);
}
END_TEST

START_TEST(idle_and_silent_peers_are_ended)
{
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER, .idle_ms = 100});
    relay_rig_run(rig.loop, relay_rig_listen);
    ck_assert_int_eq(rig.result.end, RELAY_IDLE);
    ck_assert_uint_eq(relay_rig_told_code(), 4006);
}
END_TEST

START_TEST(missing_pongs_are_noticed)
{
    relay_rig_begin((struct relay_setup){.framing = RELAY_WS_SERVER, .ping_ms = 50});
    relay_rig_run(rig.loop, relay_rig_listen);
    ck_assert_int_eq(rig.result.end, RELAY_FRAMED_LOST);
    ck_assert_int_eq(rig.result.error, -ETIMEDOUT);
    ck_assert_mem_eq(rig.told, "\x89\x00", 2);
}
END_TEST

static bool step_rounds(void)
{
    return step_count++ == 50;
}

START_TEST(early_bytes_come_first)
{
    uint8_t early[32];
    char bytes[8];
    size_t size = relay_rig_frame(early, WS_BINARY, true, (const uint8_t *)"early", 5);
    /* Cut inside the frame: the rest comes over the socket. */
    relay_rig_begin(
        (struct relay_setup){.framing = RELAY_WS_SERVER, .early = early, .early_size = size - 2});
    ck_assert_int_eq(send(rig.client, early + size - 2, 2, 0), 2);
    step_count = 0;
    relay_rig_run(rig.loop, step_rounds);
    ck_assert_int_eq(recv(rig.desktop, bytes, sizeof(bytes), 0), 5);
    ck_assert_mem_eq(bytes, "early", 5);
}
END_TEST

static bool step_answer_early(void)
{
    char bytes[100];
    static const char zeros[20000];
    ssize_t sent_now;
    do
        sent_now = send(rig.client, zeros, sizeof(zeros), MSG_NOSIGNAL);
    while (sent_now > 0);
    if (step_count++ == 5) { /* much is under way to the plain side, and it has read a little */
        ck_assert_int_gt(recv(rig.desktop, bytes, sizeof(bytes), 0), 0);
        ck_assert_int_eq(send(rig.desktop, "431 no", 6, MSG_NOSIGNAL), 6);
        close(rig.desktop);
        rig.desktop = -1;
    }
    return relay_rig_listen();
}

START_TEST(who_answers_before_the_end_of_the_question_is_heard)
{
    step_count = 0;
    relay_rig_begin((struct relay_setup){.framing = RELAY_RAW});
    relay_rig_run(rig.loop, step_answer_early);
    relay_rig_listen();
    ck_assert_uint_eq(rig.told_size, 6);
    ck_assert_mem_eq(rig.told, "431 no", 6);
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
    relay_rig_begin((struct relay_setup){.framing = RELAY_RAW});
    size_t put = 0;
    ssize_t wrote;
    while ((wrote = send(rig.client, data + put, sizeof(data) - put, MSG_NOSIGNAL)) > 0)
        put += (size_t)wrote;
    step_count = 0;
    relay_rig_run(rig.loop, step_rounds);
    while ((wrote = send(rig.client, data + put, sizeof(data) - put, MSG_NOSIGNAL)) > 0)
        put += (size_t)wrote;
    relay_take(rig.relay, &rest);
    rig.relay = NULL;
    size_t have = 0;
    ssize_t got;
    while ((got = recv(rig.desktop, arrived + have, sizeof(arrived) - have, 0)) > 0)
        have += (size_t)got;
    if (rest.to_plain)
        memcpy(arrived + have, rest.to_plain, rest.to_plain_size);
    have += rest.to_plain_size;
    while ((got = recv(rig.gate_client, arrived + have, sizeof(arrived) - have, 0)) > 0)
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
    const struct relay_rig_test tests[] = {
        {bytes_arrive_unchanged, 5},
        {how_conversations_end, (int)(sizeof(conversations) / sizeof(*conversations))},
        {the_desktops_end_is_told_after_its_last_bytes, 0},
        {a_client_that_vanishes_is_lost, 0},
        {we_close_politely, 0},
        {a_close_that_nobody_answers_has_a_limit, 0},
        {idle_and_silent_peers_are_ended, 0},
        {missing_pongs_are_noticed, 0},
        {early_bytes_come_first, 0},
        {who_answers_before_the_end_of_the_question_is_heard, 0},
        {a_raw_relay_gives_up_what_it_holds, 0},
    };
    return relay_rig_main("relay", tests, sizeof(tests) / sizeof(*tests));
}

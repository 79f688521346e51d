/* The relay over the legacy pair of an RD Gateway client: packets come in on one channel, chunked,
 * and go out on the other. */
#include "fd.h"
#include "relay_rig.h"
#include "tsgu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOTAL 200000

static int in = -1, gate_in = -1; /* the channel that comes in */
static struct stream_plain in_stream;
static uint8_t sent[TOTAL], wire[2 * TOTAL];
static size_t wire_size, wire_at, got;

static void begin(struct relay_setup setup)
{
    relay_rig_pair(&gate_in, &in);
    stream_plain_init(&in_stream, gate_in);
    setup.framing = RELAY_RDG;
    setup.framed_in = &in_stream.stream;
    relay_rig_begin(setup);
}

static size_t put_data(uint8_t *to, const uint8_t *data, size_t size)
{
    memcpy(to + TSGU_DATA_HEADER, data, size);
    return tsgu_header_before(to + TSGU_DATA_HEADER, (uint16_t)size) + size;
}

static void make_packets(void)
{
    wire_size = wire_at = got = 0;
    for (size_t i = 0; i < TOTAL; i++)
        sent[i] = (uint8_t)rand();
    for (size_t at = 0; at < TOTAL;) {
        size_t piece = (size_t)rand() % (rand() % 3 ? 200 : 60000) + 1;
        piece = piece > TOTAL - at ? TOTAL - at : piece;
        wire_size += put_data(wire + wire_size, sent + at, piece);
        at += piece;
        if (rand() % 4 == 0)
            wire_size += tsgu_write_keepalive(wire + wire_size);
    }
}

static void push(int fd)
{
    size_t piece = (size_t)rand() % 9000 + 1;
    piece = piece > wire_size - wire_at ? wire_size - wire_at : piece;
    ssize_t wrote = piece ? send(fd, wire + wire_at, piece, MSG_NOSIGNAL) : 0;
    wire_at += wrote > 0 ? (size_t)wrote : 0;
}

static void take_sent(void)
{
    static uint8_t data[70000];
    ssize_t size = recv(rig.desktop, data, sizeof(data), 0);
    if (size > 0) {
        ck_assert_mem_eq(data, sent + got, (size_t)size);
        got += (size_t)size;
    }
}

static bool step_in(void)
{
    push(in);
    take_sent();
    ck_assert(!rig.over);
    return got == TOTAL;
}

START_TEST(what_comes_in_reaches_the_desktop)
{
    srand((unsigned)_i + 1);
    make_packets();
    begin((struct relay_setup){0});
    relay_rig_run(rig.loop, step_in);
}
END_TEST

static bool step_told(void)
{
    relay_rig_listen();
    return rig.told_size >= 15;
}

START_TEST(the_desktops_bytes_go_out_on_the_other)
{
    begin((struct relay_setup){0});
    ck_assert_int_eq(send(rig.desktop, "hello", 5, 0), 5);
    relay_rig_run(rig.loop, step_told);
    ck_assert_mem_eq(rig.told, "\x0a\0\0\0\x0f\0\0\0\x05\0hello", 15);
    char none;
    ck_assert_int_lt(recv(in, &none, 1, 0), 0);
}
END_TEST

START_TEST(a_close_packet_is_answered)
{
    uint8_t packet[TSGU_ANSWER_MOST];
    size_t size = tsgu_write_close(packet, false, TSGU_GRACEFUL);
    begin((struct relay_setup){0});
    ck_assert_int_eq(send(in, packet, size, 0), (ssize_t)size);
    relay_rig_run(rig.loop, relay_rig_is_over);
    relay_rig_listen();
    ck_assert_int_eq(rig.result.end, RELAY_FRAMED_CLOSED);
    ck_assert_uint_eq(rig.told_size, 12);
    ck_assert_mem_eq(rig.told, "\x11\0\0\0\x0c\0\0\0\0\0\0\0", 12);
}
END_TEST

static bool step_answer(void)
{
    uint8_t packet[TSGU_ANSWER_MOST];
    size_t before = rig.told_size;
    relay_rig_listen();
    if (!before && rig.told_size) {
        size_t size = tsgu_write_close(packet, true, TSGU_OK);
        ck_assert_int_eq(send(in, packet, size, 0), (ssize_t)size);
    }
    return rig.over;
}

START_TEST(our_close_packet_waits_for_its_answer)
{
    static const struct {
        uint16_t code;
        uint8_t status[4];
    } cases[] = {{WS_NORMAL, {0xca, 0x04}},
                 {RELAY_IDLE_CODE, {0xf6, 0x59}},
                 {RELAY_LIMIT_CODE, {0xf6, 0x59}},
                 {4003, {0xd4, 0x04}}};
    begin((struct relay_setup){0});
    uint64_t begun = loop_now(rig.loop);
    relay_close(rig.relay, cases[_i].code, "");
    relay_rig_run(rig.loop, step_answer);
    ck_assert_int_eq(rig.result.end, RELAY_CLOSED);
    ck_assert_uint_eq(rig.told_size, 12);
    ck_assert_mem_eq(rig.told, "\x10\0\0\0\x0c\0\0\0", 8);
    ck_assert_mem_eq(rig.told + 8, cases[_i].status, 4);
    ck_assert_uint_lt(loop_now(rig.loop) - begun, 1500); /* not the deadline's end */
}
END_TEST

/* Whichever channel's end is noticed first: the one that takes says how it was. */
START_TEST(the_end_of_both_channels)
{
    begin((struct relay_setup){0});
    if (_i) {
        fd_close(&in);
        fd_close(&rig.client);
    } else {
        fd_close(&rig.client);
        fd_close(&in);
    }
    relay_rig_run(rig.loop, relay_rig_is_over);
    ck_assert_int_eq(rig.result.end, RELAY_FRAMED_CLOSED);
}
END_TEST

START_TEST(half_a_pair_is_a_broken_one)
{
    begin((struct relay_setup){0});
    fd_close(&in);
    relay_rig_run(rig.loop, relay_rig_is_over);
    ck_assert_int_eq(rig.result.end, RELAY_FRAMED_LOST);
}
END_TEST

/* A goodbye on the channel that takes is the client's, though the other one hangs. */
START_TEST(a_goodbye_where_it_takes)
{
    begin((struct relay_setup){0});
    fd_close(&rig.client);
    relay_rig_run(rig.loop, relay_rig_is_over);
    ck_assert_int_eq(rig.result.end, RELAY_FRAMED_CLOSED);
}
END_TEST

/* Where the channel that gives was cut off, the client's goodbye on the other is only its way to
 * come back, whichever is noticed first. */
START_TEST(a_channel_that_was_cut_off)
{
    atomic_bool lost = true;
    begin((struct relay_setup){.in_lost = &lost});
    if (_i == 1)
        fd_close(&rig.client);
    fd_close(&in);
    relay_rig_run(rig.loop, relay_rig_is_over);
    ck_assert_int_eq(rig.result.end, RELAY_FRAMED_LOST);
}
END_TEST

START_TEST(the_channel_that_takes_gives_nothing)
{
    begin((struct relay_setup){0});
    ck_assert_int_eq(send(rig.client, "x", 1, 0), 1);
    relay_rig_run(rig.loop, relay_rig_is_over);
    ck_assert_int_eq(rig.result.end, RELAY_PROTOCOL);
}
END_TEST

START_TEST(rubbish_is_a_broken_rule)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"\x0a\0\0\0\x0b\0\0\0\x02\0x", 11},      /* the counts differ */
        {"\x01\0\0\0\x0e\0\0\0\1\0\0\0\2\0", 14}, /* a handshake, now */
        {"\x0b\0\0\0\x0c\0\0\0\2\0\0\0", 12},     /* only a server says this */
        {"\xff\0\0\0\x08\0\0\0", 8},
        {"\x0d\0\0\0\x07\0\0\0", 8},
    };
    begin((struct relay_setup){0});
    ck_assert_int_eq(send(in, cases[_i].bytes, cases[_i].size, 0), (ssize_t)cases[_i].size);
    relay_rig_run(rig.loop, relay_rig_is_over);
    ck_assert_int_eq(rig.result.end, RELAY_PROTOCOL);
}
END_TEST

static bool step_listen(void)
{
    relay_rig_listen();
    return rig.told_size >= 8;
}

START_TEST(a_keepalive_goes_out)
{
    begin((struct relay_setup){.ping_ms = 50});
    relay_rig_run(rig.loop, step_listen);
    ck_assert_mem_eq(rig.told, "\x0d\0\0\0\x08\0\0\0", 8);
}
END_TEST

START_TEST(words_go_out_whole_and_in_order)
{
    uint8_t packet[TSGU_ANSWER_MOST];
    begin((struct relay_setup){0});
    size_t size = tsgu_write_keepalive(packet); /* any packet is words here */
    ck_assert(relay_say(rig.relay, packet, size));
    ck_assert(relay_say(rig.relay, packet, size));
    relay_rig_run(rig.loop, step_listen);
    ck_assert_mem_eq(rig.told, "\x0d\0\0\0\x08\0\0\0\x0d\0\0\0\x08\0\0\0", 16);
}
END_TEST

START_TEST(too_many_words_are_refused)
{
    uint8_t packet[TSGU_ANSWER_MOST] = {0};
    begin((struct relay_setup){0});
    /* The client reads nothing: the first ones fill the socket, then they wait, then no more. */
    unsigned taken = 0;
    while (taken < 1000 && relay_say(rig.relay, packet, sizeof(packet)))
        taken++;
    ck_assert_uint_gt(taken, 7);
    ck_assert_uint_lt(taken, 1000);
}
END_TEST

/* ---- the channel that comes in, at its own connection ---- */

static void make_chunks(void)
{
    uint8_t *packets = malloc(2 * TOTAL);
    make_packets();
    size_t size = wire_size;
    memcpy(packets, wire, size);
    wire_size = 0;
    for (size_t at = 0; at < size;) {
        size_t piece = (size_t)rand() % (rand() % 2 ? 10 : 9000) + 1;
        piece = piece > size - at ? size - at : piece;
        wire_size += (size_t)sprintf((char *)wire + wire_size, "%zx\r\n", piece);
        memcpy(wire + wire_size, packets + at, piece);
        memcpy(wire + wire_size + piece, "\r\n", 2);
        wire_size += piece + 2;
        at += piece;
    }
    memcpy(wire + wire_size, "0\r\n\r\n", 5);
    wire_size += 5;
    memcpy(sent, packets, size < TOTAL ? size : TOTAL);
    free(packets);
}

static bool step_chunks(void)
{
    static uint8_t data[70000];
    push(rig.client);
    ssize_t size = recv(rig.desktop, data, sizeof(data), 0);
    for (ssize_t i = 0; i < size && got < TOTAL; i++, got++)
        ck_assert_uint_eq(data[i], sent[got]);
    if (size == 0)
        fd_close(&rig.desktop); /* the body's end has come through: the reader goes */
    return rig.over;
}

START_TEST(chunks_become_bytes_and_their_end_an_end)
{
    srand((unsigned)_i + 100);
    make_chunks();
    relay_rig_begin((struct relay_setup){.framing = RELAY_CHUNKED});
    relay_rig_run(rig.loop, step_chunks);
    ck_assert_uint_eq(got, TOTAL);
    ck_assert_int_eq(rig.result.end, RELAY_PLAIN_CLOSED);
}
END_TEST

START_TEST(bad_chunks_end_it)
{
    relay_rig_begin((struct relay_setup){.framing = RELAY_CHUNKED});
    ck_assert_int_eq(send(rig.client, "4\r\nabcdX", 8, 0), 8);
    relay_rig_run(rig.loop, relay_rig_is_over);
    ck_assert_int_eq(rig.result.end, RELAY_PROTOCOL);
    relay_rig_listen();
    ck_assert_uint_eq(rig.told_size, 0); /* nobody speaks on this channel */
}
END_TEST

START_TEST(without_a_reader_it_ends)
{
    relay_rig_begin((struct relay_setup){.framing = RELAY_CHUNKED});
    fd_close(&rig.desktop);
    relay_rig_run(rig.loop, relay_rig_is_over);
    ck_assert_int_eq(rig.result.end, RELAY_PLAIN_CLOSED);
}
END_TEST

int main(void)
{
    const struct relay_rig_test tests[] = {
        {what_comes_in_reaches_the_desktop, 4},
        {the_desktops_bytes_go_out_on_the_other, 0},
        {a_close_packet_is_answered, 0},
        {our_close_packet_waits_for_its_answer, 4},
        {the_end_of_both_channels, 2},
        {half_a_pair_is_a_broken_one, 0},
        {a_goodbye_where_it_takes, 0},
        {a_channel_that_was_cut_off, 2},
        {the_channel_that_takes_gives_nothing, 0},
        {rubbish_is_a_broken_rule, 5},
        {a_keepalive_goes_out, 0},
        {words_go_out_whole_and_in_order, 0},
        {too_many_words_are_refused, 0},
        {chunks_become_bytes_and_their_end_an_end, 4},
        {bad_chunks_end_it, 0},
        {without_a_reader_it_ends, 0},
    };
    return relay_rig_main("relay_pair", tests, sizeof(tests) / sizeof(*tests));
}

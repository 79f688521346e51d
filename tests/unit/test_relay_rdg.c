/* The relay with RD Gateway packets in its messages: what FreeRDP and mstsc speak. */
#include "relay_rig.h"
#include "tsgu.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOTAL 300000

static uint8_t sent[TOTAL], wire[2 * TOTAL], heard[2 * TOTAL];
static size_t wire_size, wire_at, got, put, heard_size;
static unsigned steps;
static bool echoes;

static size_t put_data(uint8_t *to, const uint8_t *data, size_t size)
{
    memcpy(to + TSGU_DATA_HEADER, data, size);
    return tsgu_header_before(to + TSGU_DATA_HEADER, (uint16_t)size) + size;
}

/* Packets of all sizes with keepalives between, cut into messages wherever it falls. */
static void make_wire(void)
{
    static uint8_t packets[2 * TOTAL];
    size_t size = 0, at = 0;
    wire_size = wire_at = got = put = heard_size = steps = 0;
    for (size_t i = 0; i < TOTAL; i++)
        sent[i] = (uint8_t)rand();
    while (at < TOTAL) {
        size_t piece = (size_t)rand() % (rand() % 3 ? 200 : 60000) + 1;
        if (piece > TOTAL - at)
            piece = TOTAL - at;
        size += put_data(packets + size, sent + at, piece);
        at += piece;
        if (rand() % 4 == 0)
            size += tsgu_write_keepalive(packets + size);
    }
    for (at = 0; at < size;) {
        size_t piece = (size_t)rand() % (rand() % 2 ? 10 : 9000) + 1;
        if (piece > size - at)
            piece = size - at;
        wire_size += relay_rig_frame(wire + wire_size, WS_BINARY, true, packets + at, piece);
        at += piece;
    }
}

static bool step_up(void)
{
    static uint8_t data[70000];
    if (wire_at < wire_size) {
        ssize_t wrote = send(rig.client, wire + wire_at, wire_size - wire_at, MSG_NOSIGNAL);
        wire_at += wrote > 0 ? (size_t)wrote : 0;
    }
    ssize_t size = recv(rig.desktop, data, sizeof(data), 0);
    if (size > 0) {
        ck_assert_mem_eq(data, sent + got, (size_t)size);
        got += (size_t)size;
    }
    ck_assert(!rig.over);
    return got == TOTAL;
}

START_TEST(packets_become_bytes)
{
    srand((unsigned)_i + 1);
    make_wire();
    relay_rig_begin((struct relay_setup){.framing = RELAY_RDG_WS});
    relay_rig_run(rig.loop, step_up);
    uint64_t up, down;
    relay_counts(rig.relay, &up, &down);
    ck_assert_uint_eq(up, TOTAL); /* the desktop's bytes, not the wire's */
}
END_TEST

static bool step_down(void)
{
    if (put < TOTAL) {
        ssize_t wrote = send(rig.desktop, sent + put, TOTAL - put, MSG_NOSIGNAL);
        put += wrote > 0 ? (size_t)wrote : 0;
    }
    ssize_t size = recv(rig.client, heard + heard_size, sizeof(heard) - heard_size, 0);
    heard_size += size > 0 ? (size_t)size : 0;
    return heard_size > TOTAL && put == TOTAL && steps++ > 50;
}

START_TEST(bytes_become_packets)
{
    make_wire();
    relay_rig_begin((struct relay_setup){.framing = RELAY_RDG_WS});
    relay_rig_run(rig.loop, step_down);
    struct ws_reader reader = {0};
    struct tsgu_reader packets = {0};
    for (size_t at = 0; at < heard_size;) {
        struct ws_event event;
        at += ws_read(&reader, heard + at, heard_size - at, &event);
        ck_assert(event.kind == WS_EVENT_DATA || event.kind == WS_EVENT_MORE);
        for (size_t in = 0; event.kind == WS_EVENT_DATA && in < event.size;) {
            enum tsgu_event_kind kind;
            size_t size;
            in += tsgu_read_onto(&packets, event.data + in, event.data + in, event.size - in, &kind,
                                 &size);
            ck_assert_int_ne(kind, TSGU_EVENT_BAD);
            if (kind == TSGU_EVENT_DATA)
                ck_assert_mem_eq(event.data + in - size, sent + got, size);
            got += size;
        }
    }
    ck_assert_uint_eq(got, TOTAL);
}
END_TEST

static bool step_silent(void)
{
    relay_rig_listen();
    return rig.told_size >= 10;
}

/* Every client echoes it, which is a sign of life; an echo is not answered. */
START_TEST(a_keepalive_is_the_ping)
{
    relay_rig_begin((struct relay_setup){.framing = RELAY_RDG_WS, .ping_ms = 50});
    relay_rig_run(rig.loop, step_silent);
    ck_assert_mem_eq(rig.told, "\x82\x08\x0d\x00\x00\x00\x08\x00\x00\x00", 10);
}
END_TEST

static uint64_t begun;

static bool step_waits(void)
{
    relay_rig_listen();
    rig.told_size = 0;
    if (echoes && steps++ == 0) {
        uint8_t frame[64], packet[TSGU_ANSWER_MOST];
        size_t size = relay_rig_frame(frame, WS_BINARY, true, packet, tsgu_write_keepalive(packet));
        ck_assert_int_eq(send(rig.client, frame, size, 0), (ssize_t)size);
    }
    return rig.over || (!echoes && loop_now(rig.loop) - begun > 600);
}

/* A client that has never echoed owes nothing; one that has, and is silent now, is lost. */
START_TEST(only_who_echoes_may_be_missed)
{
    echoes = _i == 1;
    steps = 0;
    relay_rig_begin((struct relay_setup){.framing = RELAY_RDG_WS, .ping_ms = 50});
    begun = loop_now(rig.loop);
    relay_rig_run(rig.loop, step_waits);
    ck_assert(rig.over == echoes);
    if (echoes)
        ck_assert_int_eq(rig.result.end, RELAY_FRAMED_LOST);
}
END_TEST

START_TEST(a_closed_channel_is_a_clean_end)
{
    uint8_t frame[64], packet[TSGU_ANSWER_MOST];
    size_t size = relay_rig_frame(frame, WS_BINARY, true, packet,
                                  tsgu_write_close(packet, false, TSGU_GRACEFUL));
    relay_rig_begin((struct relay_setup){.framing = RELAY_RDG_WS});
    ck_assert_int_eq(send(rig.client, frame, size, 0), (ssize_t)size);
    relay_rig_run(rig.loop, relay_rig_is_over);
    relay_rig_listen();
    ck_assert_int_eq(rig.result.end, RELAY_FRAMED_CLOSED);
    /* CLOSE_CHANNEL_RESPONSE with status 0, then the close frame. */
    ck_assert_mem_eq(rig.told, "\x82\x0c\x11\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x88", 15);
}
END_TEST

START_TEST(rubbish_is_a_broken_rule)
{
    uint8_t frame[64];
    size_t size =
        relay_rig_frame(frame, WS_BINARY, true, (const uint8_t *)"\x0a\0\0\0\x0b\0\0\0\x02\0x", 11);
    relay_rig_begin((struct relay_setup){.framing = RELAY_RDG_WS});
    ck_assert_int_eq(send(rig.client, frame, size, 0), (ssize_t)size);
    relay_rig_run(rig.loop, relay_rig_is_over);
    ck_assert_int_eq(rig.result.end, RELAY_PROTOCOL);
}
END_TEST

int main(void)
{
    const struct relay_rig_test tests[] = {
        {packets_become_bytes, 8},
        {bytes_become_packets, 0},
        {a_keepalive_is_the_ping, 0},
        {only_who_echoes_may_be_missed, 2},
        {a_closed_channel_is_a_clean_end, 0},
        {rubbish_is_a_broken_rule, 0},
    };
    return relay_rig_main("relay_rdg", tests, sizeof(tests) / sizeof(*tests));
}

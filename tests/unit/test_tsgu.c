/* RD Gateway packets: bytes by hand, as FreeRDP sends them, and what is wrong with them. */
#include "tsgu.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    uint8_t data[4096];
    size_t size;
};

static struct bytes hex(const char *text)
{
    struct bytes made = {0};
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        char pair[3] = {text[0], text[1], 0};
        made.data[made.size++] = (uint8_t)strtoul(pair, NULL, 16);
        text++;
    }
    return made;
}

static struct tsgu_packet packet_of(const struct bytes *bytes)
{
    struct tsgu_packet packet = {0};
    ck_assert_int_eq(tsgu_packet_read(bytes->data, bytes->size, &packet), (int)bytes->size);
    return packet;
}

START_TEST(packets_are_found_in_the_stream)
{
    struct bytes two = hex("0100 0000 0e000000 01 00 0000 0200 0d00 0000 08000000");
    struct tsgu_packet packet;
    for (size_t size = 0; size < 14; size++)
        ck_assert_int_eq(tsgu_packet_read(two.data, size, &packet), 0);
    for (size_t size = 14; size <= two.size; size++)
        ck_assert_int_eq(tsgu_packet_read(two.data, size, &packet), 14);
    ck_assert_uint_eq(packet.type, TSGU_HANDSHAKE_REQUEST);
    ck_assert_uint_eq(packet.size, 6);
    static const struct {
        const char *head;
        int verdict;
    } bad[] = {{"0100 0000 07000000", -EPROTO},
               {"0100 0000 00000000", -EPROTO},
               {"0100 0000 01200000", -EPROTO},
               {"0100 0000 ffffffff", -EPROTO},
               {"0100 0000 00200000", 0}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct bytes head = hex(bad[i].head);
        ck_assert_int_eq(tsgu_packet_read(head.data, head.size, &packet), bad[i].verdict);
    }
}
END_TEST

START_TEST(handshakes)
{
    struct bytes good = hex("0100 0000 0e000000 01 00 0000 0200");
    struct tsgu_packet packet = packet_of(&good);
    struct tsgu_handshake handshake;
    ck_assert_int_eq(tsgu_handshake_read(&packet, &handshake), 0);
    ck_assert(handshake.major == 1 && handshake.minor == 0 && handshake.extended_auth == 2);
    for (packet.size = 0; packet.size < 9; packet.size++) {
        if (packet.size != 6)
            ck_assert_int_eq(tsgu_handshake_read(&packet, &handshake), -EPROTO);
    }
}
END_TEST

static const struct {
    const char *name, *body;
    int verdict;
    const char *cookie; /* NULL: none */
} creates[] = {
    {"a cookie with its NUL", "0d000000 0100 0000 0800 4100 6200 2d00 0000", 0, "Ab-"},
    {"without", "0d000000 0100 0000 0600 4100 6200 2d00", 0, "Ab-"},
    {"behind a context", "0d000000 0300 0000 0102030405060708 0200 4100", 0, "A"},
    {"none", "0d000000 0000 0000", 0, NULL},
    {"empty", "0d000000 0100 0000 0000", 0, ""},
    {"not ASCII", "0d000000 0100 0000 0400 4100 0104", 0, ""},
    {"a NUL within", "0d000000 0100 0000 0600 4100 0000 4200", 0, ""},
    {"and more behind", "0d000000 0100 0000 0200 4100 ffff", 0, "A"},
    {"a count that lies", "0d000000 0100 0000 0800 4100", -EPROTO, NULL},
    {"an odd count", "0d000000 0100 0000 0300 410041", -EPROTO, NULL},
    {"a context that is not there", "0d000000 0200 0000 01020304", -EPROTO, NULL},
    {"too short", "0d000000 0100 00", -EPROTO, NULL},
};

START_TEST(tunnel_requests)
{
    struct bytes body = hex(creates[_i].body);
    struct tsgu_packet packet = {TSGU_TUNNEL_CREATE, body.data, body.size};
    struct tsgu_tunnel_create create;
    ck_assert_msg(tsgu_tunnel_create_read(&packet, &create) == creates[_i].verdict, "%s",
                  creates[_i].name);
    if (creates[_i].verdict)
        return;
    ck_assert(create.has_cookie == (creates[_i].cookie != NULL));
    ck_assert_uint_eq(create.capabilities, 0xd);
    ck_assert_str_eq(create.cookie, creates[_i].cookie ? creates[_i].cookie : "");
}
END_TEST

START_TEST(a_cookie_has_a_largest_size)
{
    struct bytes body = hex("0d000000 0100 0000");
    for (size_t units = TSGU_COOKIE_SIZE - 1; units <= TSGU_COOKIE_SIZE; units++) {
        struct bytes all = body;
        all.data[all.size++] = (uint8_t)(2 * units);
        all.data[all.size++] = (uint8_t)(2 * units >> 8);
        for (size_t i = 0; i < units; i++) {
            all.data[all.size++] = 'x';
            all.data[all.size++] = 0;
        }
        struct tsgu_packet packet = {TSGU_TUNNEL_CREATE, all.data, all.size};
        struct tsgu_tunnel_create create;
        ck_assert_int_eq(tsgu_tunnel_create_read(&packet, &create),
                         units < TSGU_COOKIE_SIZE ? 0 : -EPROTO);
    }
}
END_TEST

static const struct {
    const char *name, *body;
    int verdict;
    unsigned count;
    const char *first;
} channels[] = {
    {"one name", "01 00 3d0d 0300 0a00 6400 6500 7300 6b00 0000", 0, 1, "desk"},
    {"an alternate", "01 01 3d0d 0300 0400 6100 0000 0400 6200 0000", 0, 2, "a"},
    {"strange letters", "01 00 3d0d 0300 0400 6100 0104", 0, 1, "a?"},
    {"a control character", "01 00 3d0d 0300 0400 6100 0a00", 0, 1, "a?"},
    {"no name", "00 00 3d0d 0300", -EPROTO, 0, NULL},
    {"too many", "01 04 3d0d 0300", -EPROTO, 0, NULL},
    {"one missing", "01 01 3d0d 0300 0400 6100 0000", -EPROTO, 0, NULL},
    {"another protocol", "01 00 3d0d 0100 0400 6100 0000", -EPROTO, 0, NULL},
    {"too short", "01 00 3d0d 03", -EPROTO, 0, NULL},
};

START_TEST(channel_requests)
{
    struct bytes body = hex(channels[_i].body);
    struct tsgu_packet packet = {TSGU_CHANNEL_CREATE, body.data, body.size};
    struct tsgu_channel_create create;
    ck_assert_msg(tsgu_channel_create_read(&packet, &create) == channels[_i].verdict, "%s",
                  channels[_i].name);
    if (channels[_i].verdict)
        return;
    ck_assert_uint_eq(create.port, 3389);
    ck_assert_uint_eq(create.count, channels[_i].count);
    ck_assert_str_eq(create.names[0], channels[_i].first);
}
END_TEST

START_TEST(answers_are_written_to_the_byte)
{
    uint8_t made[TSGU_ANSWER_MOST];
    struct {
        size_t size;
        const char *expected;
    } table[9];
    static const char *const expected[] = {
        "0200 0000 12000000 00000000 01 00 0000 0200",
        "0500 0000 1a000000 0000 00000000 0300 0000 07000000 02000000",
        "0500 0000 12000000 0000 f8590780 0000 0000",
        "0700 0000 18000000 00000000 0300 0000 00000080 3c000000",
        "0900 0000 14000000 00000000 0100 0000 01000000",
        "0900 0000 10000000 dd590780 0000 0000",
        "0d00 0000 08000000",
        "1000 0000 0c000000 ca040000",
        "0b00 0000 10000000 0600 6800 6900 0000",
    };
    for (size_t i = 0; i < 9; i++) {
        struct bytes wanted = hex(expected[i]);
        switch (i) {
        case 0:
            table[i].size = tsgu_write_handshake(made, TSGU_OK, TSGU_AUTH_PAA);
            break;
        case 1:
            table[i].size = tsgu_write_tunnel(made, TSGU_OK, 7, TSGU_CAP_IDLE_TIMEOUT);
            break;
        case 2:
            table[i].size = tsgu_write_tunnel(made, TSGU_E_COOKIE_DENIED, 7, 2);
            break;
        case 3:
            table[i].size = tsgu_write_tunnel_auth(made, TSGU_OK, TSGU_REDIRECT_ALL, 60);
            break;
        case 4:
            table[i].size = tsgu_write_channel(made, TSGU_OK, 1);
            break;
        case 5:
            table[i].size = tsgu_write_channel(made, TSGU_E_CONNECT_FAILED, 1);
            break;
        case 6:
            table[i].size = tsgu_write_keepalive(made);
            break;
        case 7:
            table[i].size = tsgu_write_close(made, false, TSGU_GRACEFUL);
            break;
        default:
            table[i].size = tsgu_write_service_message(made, "hi");
            break;
        }
        ck_assert_uint_eq(table[i].size, wanted.size);
        ck_assert_mem_eq(made, wanted.data, wanted.size);
    }
    char words[2000];
    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    ck_assert_uint_le(tsgu_write_service_message(made, words), TSGU_ANSWER_MOST);
}
END_TEST

/* ---- the stream ---- */

static size_t put_data(uint8_t *to, size_t size, uint8_t mark)
{
    memset(to + TSGU_DATA_HEADER, mark, size);
    ck_assert_uint_eq(tsgu_header_before(to + TSGU_DATA_HEADER, (uint16_t)size), TSGU_DATA_HEADER);
    return TSGU_DATA_HEADER + size;
}

/* Reads all in pieces of at most `most`; gathers payload in place, as the relay does. */
static size_t read_all(uint8_t *data, size_t size, size_t most, unsigned kinds[5])
{
    struct tsgu_reader reader = {0};
    size_t gathered = 0, at = 0;
    while (at < size) {
        size_t end = at + (size - at < most ? size - at : most);
        while (at < end) {
            enum tsgu_event_kind kind;
            size_t payload;
            at += tsgu_read_onto(&reader, data + gathered, data + at, end - at, &kind, &payload);
            gathered += payload;
            kinds[kind]++;
            if (kind == TSGU_EVENT_BAD)
                return gathered;
        }
    }
    return gathered;
}

START_TEST(the_stream_at_every_boundary)
{
    static uint8_t stream[200000];
    size_t size = 0;
    size += put_data(stream + size, 3, 'a');
    size += tsgu_write_keepalive(stream + size);
    size += put_data(stream + size, 0, 'b');
    size += put_data(stream + size, TSGU_DATA_MOST, 'c');
    size += tsgu_write_service_message(stream + size, "not for us");
    size += put_data(stream + size, 500, 'd');
    size += tsgu_write_close(stream + size, false, 0);
    size_t most = _i < 40 ? (size_t)_i + 1 : (size_t)_i * 977;
    unsigned kinds[5] = {0};
    ck_assert_uint_eq(read_all(stream, size, most, kinds), 3 + TSGU_DATA_MOST + 500);
    ck_assert_uint_eq(kinds[TSGU_EVENT_KEEPALIVE], 1);
    ck_assert_uint_eq(kinds[TSGU_EVENT_CLOSE], 1);
    ck_assert_uint_eq(kinds[TSGU_EVENT_BAD], 0);
    ck_assert_mem_eq(stream, "aaac", 4);
    ck_assert_mem_eq(stream + 3 + TSGU_DATA_MOST - 1, "cddd", 4);
}
END_TEST

START_TEST(a_stream_that_lies_is_bad)
{
    static const char *const streams[] = {
        "0a00 0000 0b000000 0200 61", /* the count is not the length's */
        "0a00 0000 0a000000 0100 61",
        "0d00 0000 07000000",
        "0300 0000 01200000",
    };
    struct bytes stream = hex(streams[_i]);
    unsigned kinds[5] = {0};
    read_all(stream.data, stream.size, 3, kinds);
    ck_assert_uint_eq(kinds[TSGU_EVENT_BAD], 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tsgu");
    TCase *tests = tcase_create("tsgu");
    tcase_add_test(tests, packets_are_found_in_the_stream);
    tcase_add_test(tests, handshakes);
    tcase_add_loop_test(tests, tunnel_requests, 0, (int)(sizeof(creates) / sizeof(*creates)));
    tcase_add_test(tests, a_cookie_has_a_largest_size);
    tcase_add_loop_test(tests, channel_requests, 0, (int)(sizeof(channels) / sizeof(*channels)));
    tcase_add_test(tests, answers_are_written_to_the_byte);
    tcase_add_loop_test(tests, the_stream_at_every_boundary, 0, 60);
    tcase_add_loop_test(tests, a_stream_that_lies_is_bad, 0, 4);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* RD Gateway packets: bytes by hand, as FreeRDP sends them, and what is wrong with them. */
#include "hex_bytes.h"
#include "suite.h"
#include "tsgu.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct tsgu_packet packet_of(const struct hex_bytes *bytes)
{
    struct tsgu_packet packet = {0};
    ck_assert_int_eq(tsgu_packet_read(bytes->data, bytes->size, &packet), (int)bytes->size);
    return packet;
}

START_TEST(packets_are_found_in_the_stream)
{
    struct hex_bytes two = hex_bytes("0100 0000 0e000000 01 00 0000 0200 0d00 0000 08000000");
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
        struct hex_bytes head = hex_bytes(bad[i].head);
        ck_assert_int_eq(tsgu_packet_read(head.data, head.size, &packet), bad[i].verdict);
    }
}
END_TEST

START_TEST(handshakes)
{
    struct hex_bytes good = hex_bytes("0100 0000 0e000000 01 00 0000 0200");
    struct tsgu_packet packet = packet_of(&good);
    struct tsgu_handshake handshake;
    ck_assert_int_eq(tsgu_handshake_read(&packet, &handshake), 0);
    ck_assert_uint_eq(handshake.extended_auth, 2);
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
    {"a context alone", "0d000000 0200 0000 0102030405060708", 0, NULL},
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
    struct hex_bytes body = hex_bytes(creates[_i].body);
    struct tsgu_packet packet = {TSGU_TUNNEL_CREATE, body.data, body.size};
    struct tsgu_tunnel_create create;
    ck_assert_msg(tsgu_tunnel_create_read(&packet, &create) == creates[_i].verdict, "%s",
                  creates[_i].name);
    if (creates[_i].verdict)
        return;
    ck_assert(create.has_cookie == (creates[_i].cookie != NULL));
    ck_assert_uint_eq(create.capabilities, 0xd);
    ck_assert_uint_eq(create.reauth, create.has_reauth ? 0x0807060504030201 : 0);
    ck_assert_str_eq(create.cookie, creates[_i].cookie ? creates[_i].cookie : "");
}
END_TEST

START_TEST(a_cookie_has_a_largest_size)
{
    struct hex_bytes body = hex_bytes("0d000000 0100 0000");
    for (size_t units = TSGU_COOKIE_SIZE - 1; units <= TSGU_COOKIE_SIZE; units++) {
        struct hex_bytes all = body;
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
    {"a pair of surrogates", "01 00 3d0d 0300 0600 6100 3dd8 00de", 0, 1, "a??"},
    {"half a pair", "01 00 3d0d 0300 0400 3dd8 6100", 0, 1, "?a"},
    {"an empty name", "01 00 3d0d 0300 0000", 0, 1, ""},
    {"a name that is a NUL", "01 00 3d0d 0300 0200 0000", 0, 1, ""},
    {"an odd count", "01 00 3d0d 0300 0300 6100 62", -EPROTO, 0, NULL},
    {"no name", "00 00 3d0d 0300", -EPROTO, 0, NULL},
    {"too many", "01 04 3d0d 0300 0000 0000 0000 0000 0000", -EPROTO, 0, NULL},
    {"too many for a byte", "ff 03 3d0d 0300 0000 0000", -EPROTO, 0, NULL},
    {"one missing", "01 01 3d0d 0300 0400 6100 0000", -EPROTO, 0, NULL},
    {"another protocol", "01 00 3d0d 0100 0400 6100 0000", -EPROTO, 0, NULL},
    {"too short", "01 00 3d0d 03", -EPROTO, 0, NULL},
};

START_TEST(channel_requests)
{
    struct hex_bytes body = hex_bytes(channels[_i].body);
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

static const struct {
    const char *name, *body;
    int verdict;
    const char *client;
} authorisations[] = {
    {"a name", "0000 0800 7000 6300 3100 0000", 0, "pc1"},
    {"without its NUL", "0000 0600 7000 6300 3100", 0, "pc1"},
    {"a statement of health behind it", "0100 0200 7000 0200 ffff", 0, "p"},
    {"none", "0000 0000", 0, ""},
    {"strange letters", "0000 0400 0a00 0130", 0, "??"},
    {"a count that lies", "0000 0800 7000 6300", -EPROTO, NULL},
    {"an odd count", "0000 0100 70", -EPROTO, NULL},
};

START_TEST(authorisation_requests)
{
    struct hex_bytes body = hex_bytes(authorisations[_i].body);
    struct tsgu_packet packet = {TSGU_TUNNEL_AUTH, body.data, body.size};
    char name[TSGU_NAME_SIZE];
    ck_assert_msg(tsgu_tunnel_auth_read(&packet, name) == authorisations[_i].verdict, "%s",
                  authorisations[_i].name);
    if (!authorisations[_i].verdict)
        ck_assert_str_eq(name, authorisations[_i].client);
}
END_TEST

START_TEST(names_have_a_largest_size)
{
    struct hex_bytes body = hex_bytes("0000");
    size_t units = TSGU_NAME_SIZE - 1 + (size_t)_i;
    body.data[body.size++] = (uint8_t)(2 * units);
    body.data[body.size++] = (uint8_t)(2 * units >> 8);
    for (size_t i = 0; i < 2 * units; i++)
        body.data[body.size++] = i % 2 ? 0 : 'x';
    struct tsgu_packet packet = {TSGU_TUNNEL_AUTH, body.data, body.size};
    char name[TSGU_NAME_SIZE];
    ck_assert_int_eq(tsgu_tunnel_auth_read(&packet, name), _i ? -EPROTO : 0);
}
END_TEST

static int read_body(const struct tsgu_packet *packet)
{
    struct tsgu_handshake handshake;
    struct tsgu_tunnel_create tunnel;
    struct tsgu_channel_create channel;
    char name[TSGU_NAME_SIZE];
    switch (packet->type) {
    case TSGU_HANDSHAKE_REQUEST:
        return tsgu_handshake_read(packet, &handshake);
    case TSGU_TUNNEL_CREATE:
        return tsgu_tunnel_create_read(packet, &tunnel);
    case TSGU_TUNNEL_AUTH:
        return tsgu_tunnel_auth_read(packet, name);
    default:
        return tsgu_channel_create_read(packet, &channel);
    }
}

START_TEST(truncated_anywhere)
{
    static const struct {
        unsigned type;
        const char *body;
    } table[] = {
        {TSGU_HANDSHAKE_REQUEST, "01 00 0000 0200"},
        {TSGU_TUNNEL_CREATE, "0d000000 0300 0000 0102030405060708 0600 4100 6200 0000"},
        {TSGU_TUNNEL_AUTH, "0000 0600 7000 6300 0000"},
        {TSGU_CHANNEL_CREATE, "01 03 3d0d 0300 0400 6100 0000 0400 6200 0000 0000 0200 6300"},
    };
    struct hex_bytes body = hex_bytes(table[_i].body);
    for (size_t size = 0; size <= body.size; size++) {
        uint8_t *exact = malloc(size ? size : 1); /* a sanitizer sees a read behind it */
        memcpy(exact, body.data, size);
        struct tsgu_packet packet = {table[_i].type, exact, size};
        ck_assert_int_eq(read_body(&packet), size == body.size ? 0 : -EPROTO);
        free(exact);
    }
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
        struct hex_bytes wanted = hex_bytes(expected[i]);
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
}
END_TEST

static void check_made(const uint8_t *made, size_t size, const char *expected)
{
    struct hex_bytes wanted = hex_bytes(expected);
    ck_assert_uint_eq(size, wanted.size);
    ck_assert_mem_eq(made, wanted.data, wanted.size);
}

START_TEST(more_answers_to_the_byte)
{
    uint8_t made[TSGU_ANSWER_MOST];
    check_made(made, tsgu_write_reauth(made, 0x0807060504030201),
               "0c00 0000 10000000 0102030405060708");
    check_made(made, tsgu_write_tunnel_consent(made, 7, TSGU_CAP_CONSENT, "ok?"),
               "0500 0000 24000000 0000 00000000 1300 0000 07000000 04000000"
               "0800 6f00 6b00 3f00 0000");
    check_made(made, tsgu_write_close(made, true, TSGU_OK), "1100 0000 0c000000 00000000");
}
END_TEST

static const struct {
    const char *words, *units;
} messages[] = {
    {"", ""},
    {"\xc3\xa9\xe6\xa9\x9f", "e900 5f6a"},
    {"\xf0\x9f\x98\x80.", "3dd8 00de 2e00"},
    {"\xf4\x8f\xbf\xbf", "ffdb ffdf"},
    {"\xef\xbf\xbf", "ffff"},
    /* What is no UTF-8: one U+FFFD for each byte that begins nothing. */
    {"a\x80", "6100 fdff"},
    {"\xe6\xa9", "fdff fdff"},
    {"\xc0\xaf", "fdff fdff"},
    {"\xed\xa0\x80", "fdff fdff fdff"},
    {"\xf4\x90\x80\x80", "fdff fdff fdff fdff"},
    {"\xf8x", "fdff 7800"},
    {"\xf8\x90\x80\x80", "fdff fdff fdff fdff"},
    {"\xff", "fdff"},
};

START_TEST(messages_are_utf_16)
{
    struct hex_bytes units = hex_bytes(messages[_i].units);
    uint8_t made[TSGU_ANSWER_MOST];
    size_t size = tsgu_write_service_message(made, messages[_i].words);
    ck_assert_uint_eq(size, TSGU_HEADER + 2 + units.size + 2);
    ck_assert_uint_eq(made[4], size);
    ck_assert_uint_eq(made[8], units.size + 2);
    ck_assert_mem_eq(made + 10, units.data, units.size);
    ck_assert_mem_eq(made + size - 2, "\0", 2);
}
END_TEST

/* The longest text that an administrator may write, in the script that takes most room. */
START_TEST(no_message_that_may_be_written_is_cut)
{
    uint8_t made[TSGU_ANSWER_MOST];
    char words[TEXT_WORDS_SIZE];
    memset(words, 'w', sizeof(words));
    words[sizeof(words) - 1] = '\0';
    ck_assert_uint_eq(tsgu_write_service_message(made, words), 12 + 2 * strlen(words));
    ck_assert_uint_eq(tsgu_write_tunnel_consent(made, 1, 0, words), 30 + 2 * strlen(words));
}
END_TEST

/* Before the last unit there is no room for two surrogates. */
START_TEST(messages_are_cut_between_characters)
{
    uint8_t made[TSGU_ANSWER_MOST + 1];
    char words[4 * TSGU_WORDS_MOST];
    memset(words, 'w', sizeof(words));
    words[sizeof(words) - 1] = '\0';
    made[TSGU_ANSWER_MOST] = 0x5a;
    ck_assert_uint_eq(tsgu_write_service_message(made, words), 12 + 2 * TSGU_WORDS_MOST);
    ck_assert_uint_eq(tsgu_write_tunnel_consent(made, 1, 0, words), 30 + 2 * TSGU_WORDS_MOST);
    memcpy(words + TSGU_WORDS_MOST - 1, "\xf0\x9f\x98\x80", 4);
    ck_assert_uint_eq(tsgu_write_service_message(made, words), 12 + 2 * (TSGU_WORDS_MOST - 1));
    memcpy(words + TSGU_WORDS_MOST - 2, "\xf0\x9f\x98\x80", 4);
    ck_assert_uint_eq(tsgu_write_service_message(made, words), 12 + 2 * TSGU_WORDS_MOST);
    ck_assert_uint_eq(made[TSGU_ANSWER_MOST], 0x5a);
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
    tcase_add_loop_test(tests, authorisation_requests, 0,
                        (int)(sizeof(authorisations) / sizeof(*authorisations)));
    tcase_add_loop_test(tests, names_have_a_largest_size, 0, 2);
    tcase_add_loop_test(tests, truncated_anywhere, 0, 4);
    tcase_add_test(tests, answers_are_written_to_the_byte);
    tcase_add_test(tests, more_answers_to_the_byte);
    tcase_add_loop_test(tests, messages_are_utf_16, 0, (int)(sizeof(messages) / sizeof(*messages)));
    tcase_add_test(tests, no_message_that_may_be_written_is_cut);
    tcase_add_test(tests, messages_are_cut_between_characters);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* PROXY protocol version 2: good and bad headers as a table, each cut everywhere. */
#include "proxy2.h"

#include "hex_bytes.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SIGN "0d0a0d0a000d0a515549540a "
#define V4 "c0000201 0a000001 d431 01bb "
#define V6                                                                                         \
    "20010db8000000000000000000000001 20010db8000000000000000000000002 "                           \
    "d431 01bb "
#define ZERO54                                                                                     \
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"   \
    "000000000000000000 "
#define PATHS ZERO54 ZERO54 ZERO54 ZERO54

static const struct {
    const char *name, *header, *source; /* source "": none is told of; NULL: it is bad */
} cases[] = {
    {"TCP over IPv4", SIGN "21 11 000c" V4, "192.0.2.1"},
    {"UDP over IPv4", SIGN "21 12 000c" V4, "192.0.2.1"},
    {"TCP over IPv6", SIGN "21 21 0024" V6, "2001:db8::1"},
    {"UDP over IPv6", SIGN "21 22 0024" V6, "2001:db8::1"},
    {"IPv4 within IPv6",
     SIGN "21 21 0024 00000000000000000000ffffc0000201"
          "00000000000000000000ffff0a000001 d43101bb",
     "192.0.2.1"},
    {"UNIX stream", SIGN "21 31 00d8" PATHS, ""},
    {"UNIX datagram", SIGN "21 32 00d8" PATHS, ""},
    {"UNSPEC", SIGN "21 00 0000", ""},
    {"UNSPEC with bytes", SIGN "21 00 0005 0102030405", ""},
    {"a family without a transport", SIGN "21 10 000c" V4, ""},
    {"LOCAL", SIGN "20 00 0000", ""},
    {"LOCAL with addresses, which do not count", SIGN "20 11 000c" V4, ""},
    {"LOCAL of a family that there is not", SIGN "20 ff 0002 0000", ""},
    {"a TLV: NOOP", SIGN "21 11 0011" V4 "04 0002 0000", "192.0.2.1"},
    {"TLVs: ALPN, empty, authority", SIGN "21 11 001b" V4 "01 0002 6832 05 0000 02 0004 61626364",
     "192.0.2.1"},
    {"a TLV of a type that nobody knows", SIGN "21 11 0010" V4 "ea 0001 00", "192.0.2.1"},
    {"a checksum", SIGN "21 11 0013" V4 "03 0004 7363616d", "192.0.2.1"},
    {"a checksum between others", SIGN "21 11 0017" V4 "04 0001 00 03 0004 4b235fce", "192.0.2.1"},

    {"a wrong checksum", SIGN "21 11 0013" V4 "03 0004 7363616c", NULL},
    {"a short checksum", SIGN "21 11 0012" V4 "03 0003 000000", NULL},
    {"two checksums", SIGN "21 11 001a" V4 "03 0004 00000000 03 0004 00000000", NULL},
    {"a TLV cut short", SIGN "21 11 0010" V4 "04 0002 00", NULL},
    {"half a TLV's head", SIGN "21 11 000e" V4 "04 00", NULL},
    {"version 1", "50524f5859205443503420 3139322e302e322e31", NULL},
    {"TLS", "16030100c8010000c4", NULL},
    {"another signature", "0d0a0d0a000d0a515549540b 21 11 000c" V4, NULL},
    {"version 3", SIGN "31 11 000c" V4, NULL},
    {"another command", SIGN "22 11 000c" V4, NULL},
    {"another family", SIGN "21 41 000c" V4, NULL},
    {"another transport", SIGN "21 13 000c" V4, NULL},
    {"too short for IPv4", SIGN "21 11 000b" V4, NULL},
    {"too short for IPv6", SIGN "21 21 000c" V4, NULL},
    {"too short for UNIX", SIGN "21 31 0024" V6, NULL},
    {"longer than we take", SIGN "21 11 0ff1" V4, NULL},
    {"as long as it could be", SIGN "21 11 ffff" V4, NULL},
};

START_TEST(cases_cut_anywhere)
{
    struct hex_bytes bytes = hex_bytes(cases[_i].header);
    enum proxy2_result due = cases[_i].source ? PROXY2_DONE : PROXY2_BAD;
    struct proxy2 seen;
    bool bad = false;
    for (size_t cut = 0; cut < bytes.size; cut++) {
        enum proxy2_result result = proxy2_read(bytes.data, cut, &seen);
        bad |= result == PROXY2_BAD;
        ck_assert_msg(result == PROXY2_MORE || (due == PROXY2_BAD && result == PROXY2_BAD),
                      "%s, %zu bytes: %d", cases[_i].name, cut, result);
        if (result == PROXY2_MORE)
            ck_assert(seen.size > cut && !seen.told &&
                      (!cases[_i].source || seen.size <= bytes.size));
        ck_assert(!bad || result == PROXY2_BAD); /* and stays so */
    }
    bytes.data[bytes.size] = 0x16; /* what comes behind is nobody's business here */
    for (size_t more = 0; more < 2; more++) {
        enum proxy2_result result = proxy2_read(bytes.data, bytes.size + more, &seen);
        ck_assert_msg(result == due, "%s: %d", cases[_i].name, result);
        if (due == PROXY2_BAD)
            continue;
        ck_assert_uint_eq(seen.size, bytes.size);
        ck_assert_int_eq(seen.told, *cases[_i].source != '\0');
        char text[ADDR_TEXT_SIZE] = "";
        if (seen.told)
            addr_text(&seen.source, text);
        ck_assert_str_eq(text, cases[_i].source);
    }
}
END_TEST

START_TEST(the_longest_header)
{
    struct hex_bytes bytes = hex_bytes(SIGN "21 11 0ff0" V4 "04 0fe1");
    struct proxy2 seen;
    ck_assert_int_eq(proxy2_read(bytes.data, PROXY2_MOST - 1, &seen), PROXY2_MORE);
    ck_assert_int_eq(proxy2_read(bytes.data, PROXY2_MOST, &seen), PROXY2_DONE);
    ck_assert_uint_eq(seen.size, PROXY2_MOST);
    ck_assert(seen.told);
}
END_TEST

/* Any bit that tips over is noticed. */
START_TEST(the_checksum_covers_all)
{
    struct hex_bytes bytes = hex_bytes(SIGN "21 11 0017" V4 "04 0001 00 03 0004 4b235fce");
    struct proxy2 seen;
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        struct hex_bytes other = bytes;
        other.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (bit / 8 == 12 || bit / 8 == 32) /* LOCAL has no checksum that counts; another type */
            continue;
        ck_assert_msg(proxy2_read(other.data, other.size, &seen) != PROXY2_DONE || !seen.told,
                      "bit %zu", bit);
    }
}
END_TEST

START_TEST(begins)
{
    static const char one[] = "PROXY TCP4 192.0.2.1", two[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11";
    static const char *const others[] = {"",
                                         "PROXY",
                                         "PROXYS / HTTP/1.1",
                                         "\r\n\r\nGET / ",
                                         "\x16\x03\x01\x01\xfc",
                                         "GET / HTTP/1.1"};
    for (size_t size = 0; size < sizeof(one); size++)
        ck_assert_int_eq(proxy2_begins((const uint8_t *)one, size), size >= 6);
    for (size_t size = 0; size < sizeof(two); size++)
        ck_assert_int_eq(proxy2_begins((const uint8_t *)two, size), size >= 5);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        ck_assert(!proxy2_begins((const uint8_t *)others[i], strlen(others[i])));
    ck_assert(!proxy2_begins((const uint8_t *)"\r\n\r\n\0\r\nQUIX\n", 12));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy2");
    TCase *tests = tcase_create("proxy2");
    tcase_add_loop_test(tests, cases_cut_anywhere, 0, sizeof(cases) / sizeof(*cases));
    tcase_add_test(tests, the_longest_header);
    tcase_add_test(tests, the_checksum_covers_all);
    tcase_add_test(tests, begins);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

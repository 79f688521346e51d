#include "hex_bytes.h"
#include "suite.h"
#include "x224.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NEG "01 00 0800 0b000000"
#define CORRELATION "06 00 2400" ID16 PAD16
#define ID16 "a1a2a3a4a5a6a7a8a9aaabacadaeafb0"
#define PAD16 "00000000000000000000000000000000"

static const struct {
    const char *name, *pdu;
    bool good;
} requests[] = {
    {"negotiation", "0300 0013 0e e0 0000 0000 00" NEG, true},
    {"nothing more", "0300 000b 06 e0 0000 0000 00", true},
    {"a cookie", "0300 0019 14 e0 0000 0000 00 436f6f6b69 0d0a 0100 0800 03 0000 00", false},
    {"a cookie alone", "0300 0012 0d e0 0000 0000 00 436f6f6b69 0d0a", true},
    {"a cookie without an end", "0300 0012 0d e0 0000 0000 00 436f6f6b69 0d0b", false},
    {"a cookie and negotiation", "0300 001a 15 e0 0000 0000 00 436f6f6b69 0d0a" NEG, true},
    {"correlation", "0300 0037 32 e0 0000 0000 00 01 08 0800 0b000000" CORRELATION, true},
    {"correlation, not announced", "0300 0037 32 e0 0000 0000 00" NEG CORRELATION, false},
    {"correlation, but none", "0300 0013 0e e0 0000 0000 00 01 08 0800 0b000000", false},
    {"a confirm", "0300 0013 0e d0 0000 0000 00" NEG, false},
    {"a request with credit", "0300 0013 0e e1 0000 0000 00" NEG, false},
    {"another TPKT version", "0400 0013 0e e0 0000 0000 00" NEG, false},
    {"another class", "0300 0013 0e e0 0000 0000 40" NEG, false},
    {"a wrong TPKT length", "0300 0014 0e e0 0000 0000 00" NEG, false},
    {"a wrong length indicator", "0300 0013 0d e0 0000 0000 00" NEG, false},
    {"a wrong negotiation length", "0300 0013 0e e0 0000 0000 00 01 00 0900 0b000000", false},
    {"a negotiation cut short", "0300 0012 0d e0 0000 0000 00 01 00 0800 0b0000", false},
    {"a response in a request", "0300 0013 0e e0 0000 0000 00 02 00 0800 0b000000", false},
    {"two cookies", "0300 0017 12 e0 0000 0000 00 436f6f6b69 0d0a 436f6f 0d0a", false},
    {"correlation of a wrong length",
     "0300 0037 32 e0 0000 0000 00 01 08 0800 0b000000 06 00 2500" ID16 PAD16, false},
    {"a tail", "0300 0014 0f e0 0000 0000 00" NEG "ff", false},
    {"nothing", "", false},
};

START_TEST(only_proper_requests_pass)
{
    struct hex_bytes pdu = hex_bytes(requests[_i].pdu);
    ck_assert_msg(x224_request_ok(pdu.data, pdu.size) == requests[_i].good, "%s",
                  requests[_i].name);
    if (!requests[_i].good)
        return;
    for (size_t cut = 0; cut < pdu.size; cut++)
        ck_assert_msg(!x224_request_ok(pdu.data, cut), "%s cut at %zu", requests[_i].name, cut);
    pdu.data[pdu.size] = 0;
    ck_assert_msg(!x224_request_ok(pdu.data, pdu.size + 1), "%s and a byte", requests[_i].name);
}
END_TEST

/* A request that is one long cookie, whose length fields agree as far as they can. */
static struct hex_bytes long_request(size_t size)
{
    struct hex_bytes made = {.data = {3, 0, (uint8_t)(size >> 8), (uint8_t)size}, .size = size};
    made.data[4] = (uint8_t)(size - 5);
    made.data[5] = 0xe0;
    memset(made.data + 11, 'a', size - 13);
    memcpy(made.data + size - 2, "\r\n", 2);
    return made;
}

START_TEST(requests_are_bounded)
{
    static const struct {
        size_t size;
        bool good;
    } table[] = {{13, true},   {259, true},  {260, false}, /* the reserved indicator */
                 {261, false}, {512, false}, {517, false}, /* its low byte would agree */
                 {600, false}};
    struct hex_bytes pdu = long_request(table[_i].size);
    ck_assert_msg(x224_request_ok(pdu.data, pdu.size) == table[_i].good, "%zu", pdu.size);
}
END_TEST

START_TEST(confirms_are_read_as_they_come)
{
    static const struct {
        const char *pdu;
        struct x224_confirm expected;
    } table[] = {
        {"0300 0013 0e d0 0000 1234 00 02 1f 0800 02000000",
         {.negotiated = true, .protocol = X224_PROTOCOL_HYBRID}},
        {"0300 0013 0e d0 0000 1234 00 02 00 0800 01000000",
         {.negotiated = true, .protocol = X224_PROTOCOL_TLS}},
        {"0300 0013 0e d0 0000 1234 00 03 00 0800 05000000",
         {.negotiated = true, .failure = true, .reason = 5}},
        {"0300 000b 06 d0 0000 1234 00", {0}},
    };
    struct hex_bytes pdu = hex_bytes(table[_i].pdu);
    struct x224_confirm confirm;
    for (size_t size = 0; size < pdu.size; size++)
        ck_assert_int_eq(x224_confirm_read(pdu.data, size, &confirm), 0);
    pdu.data[pdu.size] = 0x16; /* what follows is not its business */
    for (size_t more = 0; more < 2; more++) {
        ck_assert_int_eq(x224_confirm_read(pdu.data, pdu.size + more, &confirm), (int)pdu.size);
        ck_assert(confirm.negotiated == table[_i].expected.negotiated);
        ck_assert(confirm.failure == table[_i].expected.failure);
        ck_assert_uint_eq(confirm.protocol, table[_i].expected.protocol);
        ck_assert_uint_eq(confirm.reason, table[_i].expected.reason);
    }
}
END_TEST

START_TEST(what_is_no_confirm_is_known_soon)
{
    static const struct {
        const char *bytes;
        int verdict; /* at the last byte */
    } table[] = {
        {"53", -EPROTO},                                               /* SSH-2.0 */
        {"0300 0201", -EPROTO},                                        /* 513 bytes are promised */
        {"0300 000a", -EPROTO},                                        /* too short for any */
        {"0300 0013 0e e0 0000 1234 00 02 00 0800 01000000", -EPROTO}, /* a request */
        {"0300 0013 0e d1 0000 1234 00 02 00 0800 01000000", -EPROTO}, /* credit */
        {"0300 0013 0d d0 0000 1234 00 02 00 0800 01000000", -EPROTO}, /* a wrong indicator */
        {"0300 0000", -EPROTO},
        {"0300 ffff", -EPROTO},
        {"0300 0014 0f d0 0000 1234 00 02 00 0800 01000000 00", -EPROTO}, /* a tail in it */
        {"0300 0013 0e d0 0000 1234 00 04 00 0800 01000000", -EPROTO},    /* an unknown type */
        {"0300 0013 0e d0 0000 1234 00 02 00 0700 01000000", -EPROTO},    /* a wrong length in it */
        {"0300 0012 0d d0 0000 1234 00 02 00 0800 010000", -EPROTO},
    };
    struct hex_bytes pdu = hex_bytes(table[_i].bytes);
    struct x224_confirm confirm;
    for (size_t size = 0; size < pdu.size; size++)
        ck_assert_int_eq(x224_confirm_read(pdu.data, size, &confirm), 0);
    ck_assert_int_eq(x224_confirm_read(pdu.data, pdu.size, &confirm), table[_i].verdict);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("x224");
    TCase *tests = tcase_create("x224");
    tcase_add_loop_test(tests, only_proper_requests_pass, 0,
                        (int)(sizeof(requests) / sizeof(*requests)));
    tcase_add_loop_test(tests, requests_are_bounded, 0, 7);
    tcase_add_loop_test(tests, confirms_are_read_as_they_come, 0, 4);
    tcase_add_loop_test(tests, what_is_no_confirm_is_known_soon, 0, 12);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

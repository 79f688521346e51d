#include "text.h"

#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(copies_and_cuts)
{
    char to[4];
    ck_assert(text_copy(to, sizeof(to), "abc"));
    ck_assert_str_eq(to, "abc");
    ck_assert(!text_copy(to, sizeof(to), "abcd"));
    ck_assert_str_eq(to, "abc");
    ck_assert(text_copy(to, sizeof(to), ""));
    ck_assert_str_eq(to, "");
}
END_TEST

START_TEST(numbers)
{
    static const struct {
        const char *text;
        uint64_t most;
        bool good;
        uint64_t value;
    } table[] = {
        {"0", 10, true, 0},
        {"10", 10, true, 10},
        {"11", 10, false, 0},
        {"", 10, false, 0},
        {"-1", 10, false, 0},
        {"+1", 10, false, 0},
        {" 1", 10, false, 0},
        {"1 ", 10, false, 0},
        {"0x1", 10, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999999", UINT64_MAX, false, 0},
        {"007", 10, true, 7},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        uint64_t value = 0;
        ck_assert_msg(text_number(table[i].text, table[i].most, &value) == table[i].good, "%s",
                      table[i].text);
        ck_assert_uint_eq(value, table[i].value);
    }
}
END_TEST

START_TEST(hex_digits)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    for (int byte = 0; byte < 256; byte++) {
        const char *at = byte ? strchr(digits, byte) : NULL;
        ck_assert_int_eq(text_hex_digit((char)byte), at ? (int)(at - digits) % 16 : -1);
    }
}
END_TEST

START_TEST(base64url_goes_round)
{
    uint8_t data[48], back[48];
    char text[text_base64url_size(sizeof(data))];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37 + 200);
    for (size_t size = 0; size <= sizeof(data); size++) {
        text_base64url(text, data, size);
        ck_assert_uint_eq(strlen(text), text_base64url_size(size) - 1);
        ck_assert(text_base64url_decode(text, strlen(text), back, size));
        ck_assert_mem_eq(back, data, size);
    }
    ck_assert_uint_eq(text_base64url_size(32) - 1, 43);
}
END_TEST

START_TEST(base64url_refuses)
{
    uint8_t to[2];
    ck_assert(text_base64url_decode("AAA", 3, to, 2));
    ck_assert(!text_base64url_decode("AAB", 3, to, 2)); /* not canonical */
    ck_assert(!text_base64url_decode("AA", 2, to, 2));
    ck_assert(!text_base64url_decode("AAAA", 4, to, 2));
    ck_assert(!text_base64url_decode("AA=", 3, to, 2));
    ck_assert(!text_base64url_decode("AA+", 3, to, 2));
    ck_assert(!text_base64url_decode("AA\0", 3, to, 2));
}
END_TEST

START_TEST(base64_known)
{
    /* RFC 4648 section 10 */
    static const char *const table[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        char to[16];
        text_base64(to, (const uint8_t *)table[i][0], strlen(table[i][0]));
        ck_assert_str_eq(to, table[i][1]);
    }
}
END_TEST

START_TEST(names)
{
    static const char *const good[] = {"a", "9", "alice", "alice.b@example.com", "pc-1_x+y"};
    static const char *const bad[] = {"",  "-a",  ".a",   "a b", "a/b",    "a\nb",
                                      "ä", "a:b", "a%41", "@a",  "../etc", "a\x7f"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ck_assert_msg(text_is_name(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!text_is_name(bad[i]), "%s", bad[i]);
    char longest[TEXT_NAME_SIZE + 1];
    memset(longest, 'a', sizeof(longest));
    longest[TEXT_NAME_SIZE - 1] = '\0';
    ck_assert(text_is_name(longest));
    longest[TEXT_NAME_SIZE - 1] = 'a';
    longest[TEXT_NAME_SIZE] = '\0';
    ck_assert(!text_is_name(longest));
}
END_TEST

START_TEST(utf8)
{
    static const struct {
        const char *bytes;
        bool good;
    } table[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xa4", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xc0\xaf", false},         /* overlong */
        {"\xe0\x80\xaf", false},
        {"\xf0\x80\x80\xaf", false},
        {"\xc3", false},
        {"\xe2\x82", false},
        {"\x80", false},
        {"\xff", false},
        {"\xc3\x28", false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        ck_assert_msg(text_is_utf8((const uint8_t *)table[i].bytes, strlen(table[i].bytes)) ==
                          table[i].good,
                      "row %zu", i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    tcase_add_test(tests, copies_and_cuts);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, hex_digits);
    tcase_add_test(tests, base64url_goes_round);
    tcase_add_test(tests, base64url_refuses);
    tcase_add_test(tests, base64_known);
    tcase_add_test(tests, names);
    tcase_add_test(tests, utf8);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

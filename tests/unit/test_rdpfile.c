#include "rdpfile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(a_file_for_a_desktop)
{
    char text[RDPFILE_MOST + 1] = "";
    struct rdpfile_way way = {.desktop = "office",
                              .gateway = "gate.example.com",
                              .port = _i ? 8443 : 443,
                              .ticket = "AbC-_9",
                              .username = _i ? "anna" : NULL};
    text[rdpfile_write(&way, text)] = '\0';
    ck_assert_str_eq(text, _i ? "full address:s:office\r\n"
                                "username:s:anna\r\n"
                                "gatewayhostname:s:gate.example.com:8443\r\n"
                                "gatewayusagemethod:i:1\r\n"
                                "gatewayprofileusagemethod:i:1\r\n"
                                "gatewaycredentialssource:i:5\r\n"
                                "gatewayaccesstoken:s:AbC-_9\r\n"
                                "promptcredentialonce:i:0\r\n"
                              : "full address:s:office\r\n"
                                "gatewayhostname:s:gate.example.com\r\n"
                                "gatewayusagemethod:i:1\r\n"
                                "gatewayprofileusagemethod:i:1\r\n"
                                "gatewaycredentialssource:i:5\r\n"
                                "gatewayaccesstoken:s:AbC-_9\r\n"
                                "promptcredentialonce:i:0\r\n");
}
END_TEST

START_TEST(a_value_begins_no_line_of_its_own)
{
    char text[100];
    struct rdpfile file;
    rdpfile_begin(&file, text, sizeof(text));
    rdpfile_text(&file, "username", "a\r\nremoteapplicationcmdline:s:evil\x7f\t\x01\xc3\xa9");
    size_t size = rdpfile_end(&file);
    ck_assert_uint_gt(size, 0);
    text[size] = '\0';
    ck_assert_str_eq(text, "username:s:aremoteapplicationcmdline:s:evil\xc3\xa9\r\n");
}
END_TEST

START_TEST(separators_of_any_alphabet_are_left_out)
{
    static const struct {
        const char *value, *kept;
    } table[] = {
        {"a\xc2\x85"
         "b",
         "ab"},                                   /* U+0085 */
        {"a\xc2\x80\xc2\x9f", "a"},               /* the ends of C1 */
        {"\xc2\xa0\xc3\x85", "\xc2\xa0\xc3\x85"}, /* what is next to them */
        {"\xe2\x80\xa8x\xe2\x80\xa9", "x"},
        {"\xe2\x80\xa7\xe2\x80\xaa", "\xe2\x80\xa7\xe2\x80\xaa"},
        {"a\xc2", "a\xc2"}, /* cut short: nothing behind the end is read */
        {"a\xe2\x80", "a\xe2\x80"},
        {"", ""},
    };
    char text[100], expected[100], value[16];
    struct rdpfile file;
    memcpy(value, table[_i].value, strlen(table[_i].value) + 1);
    rdpfile_begin(&file, text, sizeof(text));
    rdpfile_text(&file, "n", value);
    text[rdpfile_end(&file)] = '\0';
    snprintf(expected, sizeof(expected), "n:s:%s\r\n", table[_i].kept);
    ck_assert_str_eq(text, expected);
}
END_TEST

START_TEST(a_name_too_long_is_no_file)
{
    char text[RDPFILE_MOST], host[400];
    struct rdpfile_way way = {.desktop = "d", .gateway = host, .port = 8443, .ticket = "t"};
    memset(host, 'a', sizeof(host) - 1);
    host[253] = '\0'; /* a DNS name's most */
    ck_assert_uint_gt(rdpfile_write(&way, text), 0);
    host[253] = 'a';
    host[sizeof(host) - 1] = '\0';
    ck_assert_uint_eq(rdpfile_write(&way, text), 0);
}
END_TEST

START_TEST(what_does_not_fit_is_no_file)
{
    char text[32];
    struct rdpfile file;
    for (size_t room = 0; room <= 18; room++) {
        rdpfile_begin(&file, text, room);
        rdpfile_text(&file, "name", "value");    /* 14 with its end */
        rdpfile_number(&file, "n", 4294967295U); /* 16 */
        ck_assert_uint_eq(rdpfile_end(&file), 0);
    }
    rdpfile_begin(&file, text, 30);
    rdpfile_text(&file, "name", "value");
    rdpfile_number(&file, "n", 4294967295U);
    ck_assert_uint_eq(rdpfile_end(&file), 30);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rdpfile");
    TCase *tests = tcase_create("rdpfile");
    tcase_add_loop_test(tests, a_file_for_a_desktop, 0, 2);
    tcase_add_test(tests, a_value_begins_no_line_of_its_own);
    tcase_add_loop_test(tests, separators_of_any_alphabet_are_left_out, 0, 8);
    tcase_add_test(tests, a_name_too_long_is_no_file);
    tcase_add_test(tests, what_does_not_fit_is_no_file);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

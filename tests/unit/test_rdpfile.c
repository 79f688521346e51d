#include "rdpfile.h"

#include <check.h>
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
    tcase_add_test(tests, what_does_not_fit_is_no_file);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

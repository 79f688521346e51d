#include "rdpfile.h"
#include "rdpfile_sign.h"
#include "suite.h"

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

START_TEST(what_is_forbidden_and_what_is_added)
{
    char text[RDPFILE_MOST + 1] = "";
    struct rdpfile_way way = {.desktop = "office",
                              .gateway = "gate.example.com",
                              .port = 443,
                              .ticket = "AbC-_9",
                              .forbidden = 0x1f,
                              .settings = "use multimon:i:1\naudiomode:i:0\n"};
    text[rdpfile_write(&way, text)] = '\0';
    ck_assert_ptr_nonnull(strstr(text, "\r\npromptcredentialonce:i:0\r\n"
                                       "drivestoredirect:s:\r\nredirectprinters:i:0\r\n"
                                       "redirectcomports:i:0\r\nredirectclipboard:i:0\r\n"
                                       "devicestoredirect:s:\r\nusbdevicestoredirect:s:\r\n"
                                       "use multimon:i:1\r\naudiomode:i:0\r\n"));
    way.forbidden = 0x8;
    way.settings = "";
    text[rdpfile_write(&way, text)] = '\0';
    ck_assert_ptr_nonnull(strstr(text, "redirectclipboard:i:0\r\n"));
    ck_assert_ptr_null(strstr(text, "redirectprinters"));
}
END_TEST

static const struct {
    const char *line, *why; /* NULL: it is good */
} settings[] = {
    {"use multimon:i:1", NULL},
    {"Use Multimon:i:0", NULL},
    {"desktopwidth:i:1920", NULL},
    {"session bpp:i:4294967295", NULL},
    {"selectedmonitors:s:0,1", NULL},
    {"remoteapplicationmode:i:1", NULL},
    {"remoteapplicationname:s:Buchhaltung \xc3\xbc", NULL},
    {"remoteapplicationprogram:s:||app", NULL},
    {"remoteapplicationcmdline:s:C:\\a b:c", NULL},
    {"winposstr:s:", NULL},
    {"redirectwebauthn:i:0", NULL},
    {"remoteapplicationname:s:a\xff", "no UTF-8"},
    {"remoteapplicationname:s:\xc3", "no UTF-8"},
    {"remoteapplicationname:s:\xed\xa0\x80", "no UTF-8"},
    {"", "form NAME:"},
    {"use multimon", "form NAME:"},
    {"use multimon:i", "form NAME:"},
    {":i:1", "form NAME:"},
    {"use multimon:1", "form NAME:"},
    {"use multimon:ii:1", "form NAME:"},
    {"use multimon:s:1", "NAME:i:NUMBER"},
    {"selectedmonitors:i:1", "NAME:s:TEXT"},
    {"use multimon:b:01", "NAME:i:NUMBER"},
    {"use multimon:i:", "whole number"},
    {"use multimon:i:1x", "whole number"},
    {"use multimon:i:-1", "whole number"},
    {"use multimon:i:4294967296", "whole number"},
    {"use multimon :i:1", "not one of those"},
    {"full address:s:evil", "writes this setting itself"},
    {"alternate full address:s:evil", "writes this setting itself"},
    {"gatewayhostname:s:evil", "writes this setting itself"},
    {"gatewayaccesstoken:s:x", "writes this setting itself"},
    {"gatewaycredentialssource:i:4", "writes this setting itself"},
    {"username:s:x", "writes this setting itself"},
    {"password 51:b:00", "writes this setting itself"},
    {"signature:s:x", "writes this setting itself"},
    {"signscope:s:x", "writes this setting itself"},
    {"redirectclipboard:i:1", "writes this setting itself"},
    {"drivestoredirect:s:*", "writes this setting itself"},
    {"authentication level:i:0", "writes this setting itself"},
    {"enablecredsspsupport:i:0", "writes this setting itself"},
    {"selectedmonitors:s:0\r\nfull address:s:evil", "line break"},
    {"selectedmonitors:s:0\nx", "line break"},
    {"selectedmonitors:s:a\xe2\x80\xa8"
     "b",
     "line break"},
    {"selectedmonitors:s:\x1b[0m", "control character"},
};

START_TEST(settings_of_a_desktop)
{
    char why[256] = "";
    bool good = rdpfile_setting_ok(settings[_i].line, why, sizeof(why));
    ck_assert_msg(good == !settings[_i].why, "'%s': %s", settings[_i].line, why);
    if (!good)
        ck_assert_msg(strstr(why, settings[_i].why) != NULL, "'%s': %s", settings[_i].line, why);
}
END_TEST

START_TEST(settings_are_bounded)
{
    char line[700] = "remoteapplicationname:s:", why[256];
    memset(line + strlen(line), 'a', 512);
    ck_assert(rdpfile_setting_ok(line, why, sizeof(why)));
    line[strlen(line)] = 'a';
    ck_assert(!rdpfile_setting_ok(line, why, sizeof(why)));
    ck_assert_ptr_nonnull(strstr(why, "too long"));
}
END_TEST

START_TEST(bytes_as_clients_read_them)
{
    uint8_t to[RDPFILE_ENCODED_MOST(16)];
    ck_assert_uint_eq(rdpfile_encode("a:s:b\r\n", 7, to), 7);
    ck_assert_mem_eq(to, "a:s:b\r\n", 7);
    ck_assert_uint_eq(rdpfile_encode("\xc3\xbc\r\n", 4, to), 8);
    ck_assert_mem_eq(to, "\xff\xfe\xfc\0\r\0\n\0", 8);
    ck_assert_uint_eq(rdpfile_encode("\xf0\x9f\x96\xa5", 4, to), 6);
    ck_assert_mem_eq(to, "\xff\xfe\x3d\xd8\xa5\xdd", 6);
}
END_TEST

START_TEST(the_signed_form)
{
    char text[1024] = "full address:s:office\r\ngatewayaccesstoken:s:x\r\n"
                      "redirectclipboard:i:0\r\ngatewayhostname:s:gate\r\n";
    uint8_t message[RDPFILE_SIGNED_MOST(sizeof(text))];
    static const char expected[] =
        "full address:s:office\r\nalternate full address:s:office\r\ngatewayhostname:s:gate\r\n"
        "redirectclipboard:i:0\r\n"
        "signscope:s:Full Address,Alternate Full Address,GatewayHostname,RedirectClipboard\r\n";
    size_t size = rdpfile_sign_scope(text, strlen(text), sizeof(text));
    ck_assert_uint_gt(size, 0);
    text[size] = '\0';
    ck_assert_ptr_nonnull(strstr(text,
                                 "gate\r\nalternate full address:s:office\r\nsignscope:s:Full "
                                 "Address,Alternate Full Address,GatewayHostname,"
                                 "RedirectClipboard\r\n"));
    ck_assert_uint_eq(rdpfile_sign_message(text, size, message), 2 * sizeof(expected));
    for (size_t i = 0; i < sizeof(expected); i++) { /* the NUL included */
        ck_assert_uint_eq(message[2 * i], (unsigned char)expected[i]);
        ck_assert_uint_eq(message[2 * i + 1], 0);
    }
    uint8_t der[60] = {0x30};
    size = rdpfile_sign_add(text, size, sizeof(text), der, sizeof(der));
    ck_assert_uint_gt(size, 0);
    text[size] = '\0';
    /* AQABAAEAAAA8AAAAMAAA…: 72 bytes are 96 characters, in two groups. */
    const char *line = strstr(text, "signature:s:AQABAAEAAAA8AAAAMAAA");
    ck_assert_ptr_nonnull(line);
    ck_assert_uint_eq(strlen(line), strlen("signature:s:") + 96 + 2 * 2 + 2);
    ck_assert_mem_eq(line + strlen("signature:s:") + 64, "  ", 2);
    ck_assert_str_eq(line + strlen(line) - 4, "  \r\n");
}
END_TEST

/* Each signed name stands where rdpsign has it, whatever the file's own order; this one came last.
 */
START_TEST(scope_in_the_order_of_rdpsign)
{
    char text[1024] = "redirectwebauthn:i:0\r\nloadbalanceinfo:s:x\r\nuse multimon:i:1\r\n"
                      "remoteapplicationmode:i:1\r\nRemoteApplicationProgram:s:||a\r\n"
                      "full address:s:office\r\n";
    size_t size = rdpfile_sign_scope(text, strlen(text), sizeof(text));
    ck_assert_uint_gt(size, 0);
    text[size] = '\0';
    ck_assert_ptr_nonnull(
        strstr(text, "signscope:s:Full Address,Alternate Full Address,RemoteApplicationProgram,"
                     "RemoteApplicationMode,LoadBalanceInfo,RedirectWebAuthn\r\n"));
}
END_TEST

START_TEST(no_room_for_a_signature)
{
    char text[200] = "full address:s:office\r\n";
    uint8_t der[100] = {0};
    size_t size = strlen(text);
    for (size_t room = size; room < size + 82; room++)
        ck_assert_uint_eq(rdpfile_sign_scope(text, size, room), 0);
    ck_assert_uint_eq(rdpfile_sign_scope(text, size, sizeof(text)), size + 82);
    ck_assert_uint_eq(rdpfile_sign_add(text, size + 82, sizeof(text), der, sizeof(der)), 0);
    strcpy(text, "audiomode:i:1\r\n");
    ck_assert_uint_eq(rdpfile_sign_scope(text, strlen(text), sizeof(text)), 0);
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
    tcase_add_test(tests, what_is_forbidden_and_what_is_added);
    tcase_add_loop_test(tests, settings_of_a_desktop, 0,
                        (int)(sizeof(settings) / sizeof(*settings)));
    tcase_add_test(tests, settings_are_bounded);
    tcase_add_test(tests, bytes_as_clients_read_them);
    tcase_add_test(tests, the_signed_form);
    tcase_add_test(tests, scope_in_the_order_of_rdpsign);
    tcase_add_test(tests, no_room_for_a_signature);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

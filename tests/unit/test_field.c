/* What an administrator types about a desktop, and "did you mean". */
#include "field.h"
#include "nearest.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define A63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

START_TEST(test_host)
{
    static const struct {
        const char *typed, *host; /* NULL: refused */
    } cases[] = {
        {"desk7", "desk7"},
        {"desk7.example.com", "desk7.example.com"},
        {"desk7.example.com.", "desk7.example.com."},
        {"WIN_7", "WIN_7"},
        {"7desk", "7desk"},
        {A63 ".example", A63 ".example"},
        {"192.0.2.10", "192.0.2.10"},
        {"2001:db8::10", "2001:db8::10"},
        {"[2001:db8::10]", "2001:db8::10"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"", NULL},
        {"[]", NULL},
        {"[desk7]", NULL},
        {"[192.0.2.10]", NULL},
        {"[2001:db8::10", NULL},
        {"[2001:db8::10]:3389", NULL},
        {"desk7:3389", NULL},
        {"192.0.2.10:3389", NULL},
        {"2001:db8:::10", NULL},
        {"fe80::1%eth0", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2", NULL},
        {"0x7f.1", NULL},
        {"desk.0x7f", NULL},
        {"2130706433", NULL},
        {"-desk", NULL},
        {"desk-", NULL},
        {".desk", NULL},
        {"desk..example", NULL},
        {"desk 7", NULL},
        {"desk\033[m", NULL},
        {"bürο", NULL},
        {A63 "h", NULL},
        {A63 "." A63 "." A63 "." A63 "." A63, NULL},
        {"rdp://desk", NULL},
    };
    char host[256];
    const char *why = field_host(cases[_i].typed, host, sizeof(host));

    ck_assert_msg((why == NULL) == (cases[_i].host != NULL), "%s", cases[_i].typed);
    if (why == NULL)
        ck_assert_str_eq(host, cases[_i].host);
}
END_TEST
#define HOST_CASES 35

START_TEST(test_port)
{
    static const char *const bad[] = {"", "0", "65536", "-1", "+1", "3389x", "0x22", " 22", "1e3"};
    uint16_t port = 0;

    ck_assert_ptr_null(field_port("1", &port));
    ck_assert_uint_eq(port, 1);
    ck_assert_ptr_null(field_port("65535", &port));
    ck_assert_uint_eq(port, 65535);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(field_port(bad[i], &port) != NULL, "%s", bad[i]);
    ck_assert_uint_eq(port, 65535);
}
END_TEST

START_TEST(test_port_note)
{
    static const uint16_t noted[] = {22, 80, 135, 443, 445, 5900, 49152, 65535};
    static const uint16_t usual[] = {1, 3388, 3389, 3390, 13389, 49151};

    for (size_t i = 0; i < sizeof(noted) / sizeof(noted[0]); i++)
        ck_assert_msg(field_port_note(noted[i]) != NULL, "%u", noted[i]);
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        ck_assert_msg(field_port_note(usual[i]) == NULL, "%u", usual[i]);
}
END_TEST

START_TEST(test_mac)
{
    static const struct {
        const char *typed, *mac;
    } cases[] = {
        {"", ""},
        {"none", ""},
        {"None", NULL},
        {"00:1A:2b:3C:4d:5E", "00:1a:2b:3c:4d:5e"},
        {"00-1a-2b-3c-4d-5e", "00:1a:2b:3c:4d:5e"},
        {"001A2B3C4D5E", "00:1a:2b:3c:4d:5e"},
        {"00:1a:2b:3c:4d", NULL},
        {"00:1a-2b:3c:4d:5e", NULL},
        {"00:1a:2b:3c:4d:5g", NULL},
        {"00:1a:2b:3c:4d:5e:6f", NULL},
        {"0x:1a:2b:3c:4d:5e", NULL},
        {" 0:1a:2b:3c:4d:5e", NULL},
        {"ff:ff:ff:ff:ff:ff", NULL},
        {"01:00:5e:00:00:01", NULL},
        {"00:00:00:00:00:00", NULL},
    };
    char mac[FIELD_MAC_SIZE] = "";
    const char *why = field_mac(cases[_i].typed, mac);

    ck_assert_msg((why == NULL) == (cases[_i].mac != NULL), "%s", cases[_i].typed);
    if (why == NULL)
        ck_assert_str_eq(mac, cases[_i].mac);
}
END_TEST
#define MAC_CASES 13

START_TEST(test_description)
{
    char text[201], long_text[202];

    ck_assert_ptr_null(field_description("Büro 東京", text, sizeof(text)));
    ck_assert_str_eq(text, "Büro 東京");
    ck_assert_ptr_null(field_description("", text, sizeof(text)));
    ck_assert_ptr_nonnull(field_description("a\nb", text, sizeof(text)));
    ck_assert_ptr_nonnull(field_description("\033]0;x\a", text, sizeof(text)));
    ck_assert_ptr_nonnull(field_description("\xff", text, sizeof(text)));
    memset(long_text, 'a', sizeof(long_text) - 1);
    long_text[201] = '\0';
    ck_assert_ptr_nonnull(field_description(long_text, text, sizeof(text)));
    long_text[200] = '\0';
    ck_assert_ptr_null(field_description(long_text, text, sizeof(text)));
}
END_TEST

START_TEST(test_nearest)
{
    struct nearest nearest;

    nearest_init(&nearest, "lsit");
    nearest_offer(&nearest, "add");
    ck_assert_str_eq(nearest.name, "");
    nearest_offer(&nearest, "list");
    ck_assert_str_eq(nearest.name, "list");
    nearest_init(&nearest, "alise");
    nearest_offer(&nearest, "bob");
    nearest_offer(&nearest, "Alice");
    nearest_offer(&nearest, "alan");
    ck_assert_str_eq(nearest.name, "Alice");
    nearest_init(&nearest, "x");
    nearest_offer(&nearest, "remove");
    ck_assert_str_eq(nearest.name, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("field");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, test_host, 0, HOST_CASES);
    tcase_add_test(all, test_port);
    tcase_add_test(all, test_port_note);
    tcase_add_loop_test(all, test_mac, 0, MAC_CASES);
    tcase_add_test(all, test_description);
    tcase_add_test(all, test_nearest);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}

/* Reverse proxies' lists, and who is the client behind 192.0.2.1, 10.0.0.0/8 and 2001:db8:1::/48.
 */
#include "forwarded.h"

#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define PEER "192.0.2.1"

static const struct {
    enum forwarded_kind kind;
    const char *fields[3], *client;
} cases[] = {
    {FORWARDED_X_FOR, {NULL}, PEER},
    {FORWARDED_X_FOR, {""}, PEER},
    {FORWARDED_X_FOR, {"203.0.113.5"}, "203.0.113.5"},
    {FORWARDED_X_FOR, {"203.0.113.5:4711"}, "203.0.113.5"},
    {FORWARDED_X_FOR, {"2001:db8::5"}, "2001:db8::5"},
    {FORWARDED_X_FOR, {"[2001:db8::5]"}, "2001:db8::5"},
    {FORWARDED_X_FOR, {"[2001:db8::5]:4711"}, "2001:db8::5"},
    {FORWARDED_X_FOR, {"::ffff:203.0.113.5"}, "203.0.113.5"},
    {FORWARDED_X_FOR, {"\t 203.0.113.5 ,"}, "203.0.113.5"},
    {FORWARDED_X_FOR, {"198.51.100.9, 203.0.113.5"}, "203.0.113.5"}, /* made up */
    {FORWARDED_X_FOR, {"198.51.100.9,203.0.113.5,10.1.2.3"}, "203.0.113.5"},
    {FORWARDED_X_FOR, {"198.51.100.9", "203.0.113.5", "10.1.2.3"}, "203.0.113.5"},
    {FORWARDED_X_FOR, {"198.51.100.9", "203.0.113.5, 2001:db8:1::7", "10.1.2.3"}, "203.0.113.5"},
    {FORWARDED_X_FOR, {"10.9.9.9, 10.1.2.3"}, "10.9.9.9"}, /* from within */
    {FORWARDED_X_FOR, {"203.0.113.5, unknown"}, PEER},
    {FORWARDED_X_FOR, {"203.0.113.5, unknown, 10.1.2.3"}, "10.1.2.3"},
    {FORWARDED_X_FOR, {"203.0.113.5, <script>"}, PEER},
    {FORWARDED_X_FOR, {"203.0.113.5:80:80"}, PEER},
    {FORWARDED_X_FOR, {"203.0.113"}, PEER},
    {FORWARDED_X_FOR, {"203.0.113.5 198.51.100.9"}, PEER},
    {FORWARDED_X_FOR, {"[2001:db8::5"}, PEER},
    {FORWARDED_X_FOR, {"[2001:db8::5]x"}, PEER},
    {FORWARDED_X_FOR, {"[]"}, PEER},
    {FORWARDED_X_FOR, {"203.0.113.5, , ,"}, "203.0.113.5"},
    {FORWARDED_X_FOR,
     {"1111111111111111111111111111111111111111111111111111111111111111111111111111111111111"},
     PEER},

    {FORWARDED_STANDARD, {"for=203.0.113.5"}, "203.0.113.5"},
    {FORWARDED_STANDARD, {"For=203.0.113.5;proto=https;by=192.0.2.1"}, "203.0.113.5"},
    {FORWARDED_STANDARD, {"proto=https; for=203.0.113.5"}, "203.0.113.5"},
    {FORWARDED_STANDARD, {"for=\"203.0.113.5:4711\""}, "203.0.113.5"},
    {FORWARDED_STANDARD, {"for=\"[2001:db8::5]:4711\""}, "2001:db8::5"},
    {FORWARDED_STANDARD, {"for=198.51.100.9, for=203.0.113.5"}, "203.0.113.5"},
    {FORWARDED_STANDARD,
     {"for=198.51.100.9", "for=203.0.113.5;by=_x", "for=10.1.2.3"},
     "203.0.113.5"},
    {FORWARDED_STANDARD, {"for=203.0.113.5, for=_hidden"}, PEER},
    {FORWARDED_STANDARD, {"for=203.0.113.5, for=unknown, for=10.1.2.3"}, "10.1.2.3"},
    {FORWARDED_STANDARD, {"for=203.0.113.5, proto=https"}, PEER},
    {FORWARDED_STANDARD, {"for=203.0.113.5;for=198.51.100.9"}, PEER},
    {FORWARDED_STANDARD, {"203.0.113.5"}, PEER},
    /* What a client has left open does not swallow what the proxy says. */
    {FORWARDED_STANDARD, {"for=\"198.51.100.9, for=203.0.113.5"}, "203.0.113.5"},
    {FORWARDED_STANDARD, {"for=198.51.100.9;host=\"a, for=203.0.113.5"}, "203.0.113.5"},
    {FORWARDED_STANDARD, {"for=203.0.113.5;host=\"a,for=198.51.100.9\""}, PEER},
    {FORWARDED_STANDARD, {"for=203.0.113.5;host=\"a;for=198.51.100.9\""}, "203.0.113.5"},
    {FORWARDED_STANDARD, {"for=203.0.113.5;host=\"a\\\";for=198.51.100.9\""}, "203.0.113.5"},
    {FORWARDED_STANDARD, {"for=\"203.0.113.5\\\""}, PEER},
    {FORWARDED_STANDARD, {"for=\"203.0.113.5"}, PEER},
    {FORWARDED_STANDARD, {"for="}, PEER},
    {FORWARDED_STANDARD, {"for=\"\""}, PEER},
    {FORWARDED_STANDARD, {";;;"}, PEER},
};

static struct addr at(const char *text)
{
    struct addr addr;
    ck_assert(addr_parse(&addr, text));
    return addr;
}

static void expect(const struct forwarded *list, const char *due, const char *what)
{
    static const char *const nets[] = {"192.0.2.1", "10.0.0.0/8", "2001:db8:1::/48"};
    struct addr_net trusted[3];
    struct addr peer = at(PEER);
    char text[ADDR_TEXT_SIZE];
    for (size_t i = 0; i < 3; i++)
        ck_assert(addr_net_parse(&trusted[i], nets[i]));
    struct addr client = forwarded_client(list, &peer, trusted, 3);
    addr_text(&client, text);
    ck_assert_msg(strcmp(text, due) == 0, "'%s': %s, not %s", what, text, due);
}

START_TEST(the_client)
{
    struct forwarded list = {0};
    for (size_t i = 0; i < 3 && cases[_i].fields[i]; i++)
        forwarded_add(&list, cases[_i].kind, cases[_i].fields[i]);
    expect(&list, cases[_i].client, cases[_i].fields[0] ? cases[_i].fields[0] : "nothing");
}
END_TEST

/* However long the list is that a client brings, its end is what counts. */
START_TEST(of_a_long_list_the_end)
{
    struct forwarded list = {0};
    for (int i = 0; i < 1000; i++)
        forwarded_add(&list, FORWARDED_X_FOR, i % 2 ? "198.51.100.9" : "rubbish");
    forwarded_add(&list, FORWARDED_X_FOR, "203.0.113.5, 10.1.2.3");
    ck_assert_uint_eq(list.count, FORWARDED_MOST);
    expect(&list, "203.0.113.5", "a long list");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forwarded");
    TCase *tests = tcase_create("forwarded");
    tcase_add_loop_test(tests, the_client, 0, sizeof(cases) / sizeof(*cases));
    tcase_add_test(tests, of_a_long_list_the_end);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

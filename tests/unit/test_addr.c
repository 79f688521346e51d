#include "addr.h"

#include "suite.h"

#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

START_TEST(text_goes_round)
{
    static const char *const table[] = {"0.0.0.0", "127.0.0.1", "255.255.255.255",        "::",
                                        "::1",     "fe80::1",   "2001:db8::8a2e:370:7334"};
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct addr addr, back;
        char text[ADDR_TEXT_SIZE];
        struct sockaddr_storage storage;
        ck_assert(addr_parse(&addr, table[i]));
        addr_text(&addr, text);
        ck_assert_str_eq(text, table[i]);
        addr_to_sockaddr(&addr, 3389, &storage);
        ck_assert(addr_from_sockaddr(&back, (struct sockaddr *)&storage));
        ck_assert(addr_equal(&addr, &back));
        ck_assert_int_eq(storage.ss_family, strchr(table[i], ':') ? AF_INET6 : AF_INET);
    }
}
END_TEST

START_TEST(mapped_is_v4)
{
    struct addr v4, mapped;
    ck_assert(addr_parse(&v4, "127.0.0.1"));
    ck_assert(addr_parse(&mapped, "::ffff:127.0.0.1"));
    ck_assert(addr_equal(&v4, &mapped));
    ck_assert(addr_is_v4(&mapped));
}
END_TEST

START_TEST(refuses)
{
    static const char *const bad[] = {"",     "1.2.3", "1.2.3.4.5", "256.1.1.1",
                                      "host", ":::",   "1.2.3.4/8", " 1.2.3.4"};
    struct addr addr;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!addr_parse(&addr, bad[i]), "%s", bad[i]);
    static const char *const bad_nets[] = {"10.0.0.0/33", "::/129", "10.0.0.0/",    "10.0.0.0/-1",
                                           "10.0.0.0/8x", "/8",     "10.0.0.0/0008"};
    struct addr_net net;
    for (size_t i = 0; i < sizeof(bad_nets) / sizeof(*bad_nets); i++)
        ck_assert_msg(!addr_net_parse(&net, bad_nets[i]), "%s", bad_nets[i]);
}
END_TEST

START_TEST(nets)
{
    static const struct {
        const char *net, *address;
        bool in;
    } table[] = {
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "::ffff:10.1.1.1", true},
        {"172.16.0.0/12", "172.31.255.255", true},
        {"172.16.0.0/12", "172.32.0.0", false},
        {"0.0.0.0/0", "1.2.3.4", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "1.2.3.4", true},
        {"fc00::/7", "fdff::1", true},
        {"fc00::/7", "fe00::1", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::ffff:10.0.0.0/104", "10.9.9.9", true},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct addr_net net;
        struct addr addr;
        ck_assert(addr_net_parse(&net, table[i].net));
        ck_assert(addr_parse(&addr, table[i].address));
        ck_assert_msg(addr_in(&addr, &net) == table[i].in, "%s in %s", table[i].address,
                      table[i].net);
    }
}
END_TEST

START_TEST(subscribers)
{
    struct addr a, b;
    addr_parse(&a, "2001:db8:1:2:3:4:5:6");
    addr_parse(&b, "2001:db8:1:2:ffff::");
    a = addr_subscriber(&a);
    b = addr_subscriber(&b);
    ck_assert(addr_equal(&a, &b));
    addr_parse(&a, "192.0.2.1");
    addr_parse(&b, "192.0.2.2");
    a = addr_subscriber(&a);
    b = addr_subscriber(&b);
    ck_assert(!addr_equal(&a, &b));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("addr");
    TCase *tests = tcase_create("addr");
    tcase_add_test(tests, text_goes_round);
    tcase_add_test(tests, mapped_is_v4);
    tcase_add_test(tests, refuses);
    tcase_add_test(tests, nets);
    tcase_add_test(tests, subscribers);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

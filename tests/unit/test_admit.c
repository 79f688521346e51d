#include "admit.h"

#include <check.h>
#include <stdlib.h>

static struct addr at(const char *text)
{
    struct addr addr;
    ck_assert(addr_parse(&addr, text));
    return addr;
}

START_TEST(limits_hold)
{
    struct admit *admit;
    struct addr a = at("192.0.2.1"), b = at("192.0.2.2");
    ck_assert_int_eq(admit_new(&admit, 3, 2), 0);
    ck_assert(admit_enter(admit, &a));
    ck_assert(admit_enter(admit, &a));
    ck_assert(!admit_enter(admit, &a)); /* per address */
    ck_assert(admit_enter(admit, &b));
    ck_assert(!admit_enter(admit, &b)); /* in total */
    ck_assert_uint_eq(admit_count(admit), 3);
    admit_leave(admit, &a, false);
    ck_assert(admit_enter(admit, &b));
    admit_free(admit);
}
END_TEST

START_TEST(a_refusal_in_total_does_not_count_for_the_address)
{
    struct admit *admit;
    struct addr a = at("192.0.2.1"), b = at("192.0.2.2");
    ck_assert_int_eq(admit_new(&admit, 1, 1), 0);
    ck_assert(admit_enter(admit, &a));
    ck_assert(!admit_enter(admit, &b));
    admit_leave(admit, &a, false);
    ck_assert(admit_enter(admit, &b));
    admit_free(admit);
}
END_TEST

START_TEST(tunnels_do_not_count_for_their_address)
{
    struct admit *admit;
    struct addr a = at("192.0.2.1");
    ck_assert_int_eq(admit_new(&admit, 100, 1), 0);
    for (int i = 0; i < 10; i++) {
        ck_assert(admit_enter(admit, &a));
        ck_assert(!admit_enter(admit, &a));
        admit_promote(admit, &a);
    }
    for (int i = 0; i < 10; i++)
        admit_leave(admit, &a, true);
    ck_assert_uint_eq(admit_count(admit), 0);
    admit_free(admit);
}
END_TEST

START_TEST(an_ipv6_subscriber_is_one)
{
    struct admit *admit;
    struct addr a = at("2001:db8::1"), b = at("2001:db8::2"), c = at("2001:db8:0:1::1");
    ck_assert_int_eq(admit_new(&admit, 100, 1), 0);
    ck_assert(admit_enter(admit, &a));
    ck_assert(!admit_enter(admit, &b));
    ck_assert(admit_enter(admit, &c));
    admit_free(admit);
}
END_TEST

START_TEST(many_addresses)
{
    struct admit *admit;
    struct addr a = at("10.0.0.0");
    ck_assert_int_eq(admit_new(&admit, 100000, 1), 0);
    for (unsigned i = 0; i < 20000; i++) {
        a.bytes[14] = (uint8_t)(i >> 8);
        a.bytes[15] = (uint8_t)i;
        ck_assert(admit_enter(admit, &a));
    }
    for (unsigned i = 0; i < 20000; i++) {
        a.bytes[14] = (uint8_t)(i >> 8);
        a.bytes[15] = (uint8_t)i;
        admit_leave(admit, &a, false);
    }
    ck_assert_uint_eq(admit_count(admit), 0);
    admit_free(admit);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("admit");
    TCase *tests = tcase_create("admit");
    tcase_add_test(tests, limits_hold);
    tcase_add_test(tests, a_refusal_in_total_does_not_count_for_the_address);
    tcase_add_test(tests, tunnels_do_not_count_for_their_address);
    tcase_add_test(tests, an_ipv6_subscriber_is_one);
    tcase_add_test(tests, many_addresses);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#include "admit.h"

#include "suite.h"

#include <check.h>
#include <stdlib.h>

static struct addr at(const char *text)
{
    struct addr addr;
    ck_assert(addr_parse(&addr, text));
    return addr;
}

static struct admit *make(uint32_t total, uint32_t each)
{
    struct admit *admit;
    struct admit_limits limits = {total, total, total, each, total, 0};
    ck_assert_int_eq(admit_new(&admit, &limits), 0);
    return admit;
}

static enum admit_answer enter(struct admit *admit, struct admit_slot *slot, const char *address)
{
    struct addr from = at(address);
    return admit_enter(admit, slot, ADMIT_HANDSHAKE, &from);
}

START_TEST(limits_hold)
{
    struct admit_slot slots[6] = {0};
    struct admit *admit = make(3, 2);
    ck_assert_int_eq(enter(admit, &slots[0], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[1], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[2], "192.0.2.1"), ADMIT_ADDRESS_FULL);
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.2"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[4], "192.0.2.2"), ADMIT_FULL);
    ck_assert_uint_eq(admit_count(admit), 3);
    admit_leave(admit, &slots[0]);
    admit_leave(admit, &slots[0]);
    ck_assert_uint_eq(admit_count(admit), 2);
    ck_assert_int_eq(enter(admit, &slots[4], "192.0.2.2"), ADMIT_OK);
    admit_free(admit);
}
END_TEST

START_TEST(a_refusal_in_total_does_not_count_for_the_address)
{
    struct admit_slot slots[2] = {0};
    struct admit *admit = make(1, 1);
    ck_assert_int_eq(enter(admit, &slots[0], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[1], "192.0.2.2"), ADMIT_FULL);
    admit_leave(admit, &slots[1]); /* was never in */
    admit_leave(admit, &slots[0]);
    ck_assert_int_eq(enter(admit, &slots[1], "192.0.2.2"), ADMIT_OK);
    admit_free(admit);
}
END_TEST

START_TEST(a_tunnel_gives_a_descriptor_back)
{
    struct admit_slot slots[4] = {0};
    struct admit *admit;
    struct admit_limits limits = {10, 10, 10, 10, 10, .descriptors = 8};
    ck_assert_int_eq(admit_new(&admit, &limits), 0);
    ck_assert_int_eq(enter(admit, &slots[0], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[1], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[2], "192.0.2.1"), ADMIT_FULL); /* 6 of 8 are held */
    ck_assert(admit_lacks_descriptors(admit));
    admit_stage(admit, &slots[0], ADMIT_TUNNEL);
    ck_assert_int_eq(enter(admit, &slots[2], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.1"), ADMIT_FULL);
    admit_leave(admit, &slots[1]);
    ck_assert(!admit_lacks_descriptors(admit));
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.1"), ADMIT_OK);
    admit_free(admit);
}
END_TEST

START_TEST(tunnels_do_not_count_for_their_address)
{
    struct admit_slot slots[11] = {0};
    struct admit *admit = make(100, 1);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(enter(admit, &slots[i], "192.0.2.1"), ADMIT_OK);
        ck_assert_int_eq(enter(admit, &slots[10], "192.0.2.1"), ADMIT_ADDRESS_FULL);
        admit_stage(admit, &slots[i], ADMIT_STRANGER);
        admit_stage(admit, &slots[i], ADMIT_KNOWN);
        ck_assert_int_eq(enter(admit, &slots[10], "192.0.2.1"), ADMIT_ADDRESS_FULL);
        admit_stage(admit, &slots[i], ADMIT_TUNNEL);
    }
    admit_stage(admit, &slots[0], ADMIT_STRANGER); /* never back */
    ck_assert_int_eq(slots[0].stage, ADMIT_TUNNEL);
    for (int i = 0; i < 10; i++)
        admit_leave(admit, &slots[i]);
    ck_assert_uint_eq(admit_count(admit), 0);
    ck_assert_int_eq(enter(admit, &slots[10], "192.0.2.1"), ADMIT_OK);
    admit_free(admit);
}
END_TEST

START_TEST(strangers_leave_room)
{
    struct admit *admit;
    struct admit_limits limits = {
        .total = 6, .strangers = 4, .handshakes = 2, .each = 100, .handshakes_each = 100};
    struct admit_slot slots[8] = {0};
    uint32_t strangers, handshakes;
    ck_assert_int_eq(admit_new(&admit, &limits), 0);
    ck_assert_int_eq(enter(admit, &slots[0], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[1], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[2], "192.0.2.1"), ADMIT_HANDSHAKES_FULL);
    admit_stage(admit, &slots[0], ADMIT_STRANGER);
    admit_stage(admit, &slots[1], ADMIT_STRANGER);
    ck_assert_int_eq(enter(admit, &slots[2], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[4], "192.0.2.1"), ADMIT_FULL);
    admit_strangers(admit, &strangers, &handshakes);
    ck_assert_uint_eq(strangers, 4);
    ck_assert_uint_eq(handshakes, 2);
    admit_stage(admit, &slots[0], ADMIT_KNOWN);
    admit_stage(admit, &slots[2], ADMIT_STRANGER);
    ck_assert_int_eq(enter(admit, &slots[4], "192.0.2.1"), ADMIT_OK);
    admit_stage(admit, &slots[1], ADMIT_KNOWN);
    ck_assert_int_eq(enter(admit, &slots[5], "192.0.2.1"), ADMIT_HANDSHAKES_FULL);
    admit_stage(admit, &slots[3], ADMIT_STRANGER);
    ck_assert_int_eq(enter(admit, &slots[5], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[6], "192.0.2.1"), ADMIT_FULL); /* in total */
    admit_free(admit);
}
END_TEST

START_TEST(handshakes_per_address)
{
    struct admit *admit;
    struct admit_limits limits = {
        .total = 100, .strangers = 100, .handshakes = 100, .each = 3, .handshakes_each = 1};
    struct admit_slot slots[5] = {0};
    ck_assert_int_eq(admit_new(&admit, &limits), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(enter(admit, &slots[i], "192.0.2.1"), ADMIT_OK);
        ck_assert_int_eq(enter(admit, &slots[4], "192.0.2.1"), ADMIT_ADDRESS_HANDSHAKES_FULL);
        admit_stage(admit, &slots[i], ADMIT_STRANGER);
    }
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.1"), ADMIT_ADDRESS_FULL); /* each */
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.2"), ADMIT_OK);
    admit_free(admit);
}
END_TEST

START_TEST(an_address_is_asked_before_all)
{
    struct admit *admit;
    struct admit_limits limits = {
        .total = 4, .strangers = 3, .handshakes = 3, .each = 3, .handshakes_each = 2};
    struct admit_slot slots[5] = {0};
    ck_assert_int_eq(admit_new(&admit, &limits), 0);
    ck_assert_int_eq(enter(admit, &slots[0], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[1], "192.0.2.1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[2], "192.0.2.2"), ADMIT_OK);
    /* All is full: whoever is one too many at his own address makes nobody of another one go … */
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.1"), ADMIT_ADDRESS_HANDSHAKES_FULL);
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.3"), ADMIT_FULL);
    admit_leave(admit, &slots[2]);
    admit_stage(admit, &slots[0], ADMIT_STRANGER);
    ck_assert_int_eq(enter(admit, &slots[2], "192.0.2.1"), ADMIT_OK);
    /* … and of his own, one in a handshake makes more room than any other. */
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.1"), ADMIT_ADDRESS_HANDSHAKES_FULL);
    admit_stage(admit, &slots[2], ADMIT_STRANGER);
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.1"), ADMIT_ADDRESS_FULL);
    admit_free(admit);
}
END_TEST

START_TEST(a_share_of_an_address_is_kept_for_those_who_are_known)
{
    struct admit *admit;
    struct admit_limits limits = {
        .total = 40, .strangers = 30, .handshakes = 40, .each = 8, .handshakes_each = 8};
    struct admit_slot slots[8] = {0};
    struct addr here = at("2001:db8::7"), there = at("2001:db8:1::7");
    ck_assert_int_eq(admit_new(&admit, &limits), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert(!admit_known_to_spare(admit, &here));
        ck_assert_int_eq(enter(admit, &slots[i], "2001:db8::1"), ADMIT_OK);
        admit_stage(admit, &slots[i], ADMIT_KNOWN);
    }
    ck_assert(admit_known_to_spare(admit, &here)); /* three, where a quarter of eight is kept */
    ck_assert(!admit_known_to_spare(admit, &there));
    admit_stage(admit, &slots[0], ADMIT_TUNNEL);
    ck_assert(!admit_known_to_spare(admit, &here));
    ck_assert_int_eq(enter(admit, &slots[3], "2001:db8::1"), ADMIT_OK);
    ck_assert(!admit_known_to_spare(admit, &here));
    admit_stage(admit, &slots[3], ADMIT_KNOWN);
    ck_assert(admit_known_to_spare(admit, &here));
    admit_stage(admit, &slots[3], ADMIT_STRANGER); /* signed out */
    ck_assert(!admit_known_to_spare(admit, &here));
    for (int i = 0; i < 4; i++)
        admit_leave(admit, &slots[i]);
    ck_assert_uint_eq(admit_count(admit), 0);
    admit_free(admit);
}
END_TEST

START_TEST(in_vain_for_a_while)
{
    struct addr here = at("2001:db8::7"), there = at("2001:db8:1::7");
    struct admit_slot slots[2] = {0};
    struct admit *admit = make(4, 1);
    ck_assert_int_eq(enter(admit, &slots[0], "2001:db8::1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[1], "2001:db8:1::1"), ADMIT_OK);
    ck_assert(admit_worth_a_look(admit, &here, 1000));
    admit_in_vain(admit, &here, 1000);
    ck_assert(!admit_worth_a_look(admit, &here, 1050));
    ck_assert(admit_worth_a_look(admit, &there, 1050));
    admit_in_vain(admit, &here, 1050); /* does not put it off */
    ck_assert(admit_worth_a_look(admit, &here, 1100));
    admit_free(admit);
}
END_TEST

/* A balancer's connection counts for nobody until it has said for whom, a reverse proxy's for one
 * after another. */
START_TEST(passed_on)
{
    struct addr a = at("192.0.2.1"), b = at("192.0.2.2");
    struct admit_slot slots[4] = {0};
    struct admit *admit = make(100, 1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(admit_enter(admit, &slots[i], ADMIT_HANDSHAKE, NULL), ADMIT_OK);
    ck_assert_int_eq(admit_address(admit, &slots[0], &a), ADMIT_OK);
    ck_assert_int_eq(admit_address(admit, &slots[0], &a), ADMIT_OK);
    ck_assert_int_eq(admit_address(admit, &slots[1], &a), ADMIT_ADDRESS_FULL);
    ck_assert_int_eq(admit_address(admit, &slots[1], &b), ADMIT_OK);
    ck_assert_int_eq(admit_address(admit, &slots[2], &b), ADMIT_ADDRESS_FULL);
    admit_stage(admit, &slots[1], ADMIT_STRANGER);
    ck_assert_int_eq(admit_address(admit, &slots[1], NULL), ADMIT_OK);
    ck_assert_int_eq(admit_address(admit, &slots[2], &b), ADMIT_OK);
    admit_stage(admit, &slots[2], ADMIT_TUNNEL);
    ck_assert_int_eq(admit_address(admit, &slots[2], NULL),
                     ADMIT_OK); /* does not count for it anyway */
    ck_assert_int_eq(admit_address(admit, &slots[1], &b), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.2"), ADMIT_ADDRESS_FULL);
    for (int i = 0; i < 3; i++)
        admit_leave(admit, &slots[i]);
    ck_assert_int_eq(admit_address(admit, &slots[1], &b), ADMIT_OK); /* has gone: nothing happens */
    ck_assert_uint_eq(admit_count(admit), 0);
    ck_assert_int_eq(enter(admit, &slots[3], "192.0.2.2"), ADMIT_OK);
    admit_free(admit);
}
END_TEST

START_TEST(an_ipv6_subscriber_is_one)
{
    struct admit_slot slots[3] = {0};
    struct admit *admit = make(100, 1);
    ck_assert_int_eq(enter(admit, &slots[0], "2001:db8::1"), ADMIT_OK);
    ck_assert_int_eq(enter(admit, &slots[1], "2001:db8::2"), ADMIT_ADDRESS_FULL);
    ck_assert_int_eq(enter(admit, &slots[2], "2001:db8:0:1::1"), ADMIT_OK);
    admit_free(admit);
}
END_TEST

START_TEST(many_addresses)
{
    static struct admit_slot slots[20000];
    struct addr a = at("10.0.0.0");
    struct admit *admit = make(100000, 1);
    for (unsigned i = 0; i < 20000; i++) {
        a.bytes[14] = (uint8_t)(i >> 8);
        a.bytes[15] = (uint8_t)i;
        ck_assert_int_eq(admit_enter(admit, &slots[i], ADMIT_HANDSHAKE, &a), ADMIT_OK);
    }
    for (unsigned i = 0; i < 20000; i++)
        admit_leave(admit, &slots[i]);
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
    tcase_add_test(tests, a_tunnel_gives_a_descriptor_back);
    tcase_add_test(tests, strangers_leave_room);
    tcase_add_test(tests, handshakes_per_address);
    tcase_add_test(tests, an_address_is_asked_before_all);
    tcase_add_test(tests, a_share_of_an_address_is_kept_for_those_who_are_known);
    tcase_add_test(tests, in_vain_for_a_while);
    tcase_add_test(tests, passed_on);
    tcase_add_test(tests, an_ipv6_subscriber_is_one);
    tcase_add_test(tests, many_addresses);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

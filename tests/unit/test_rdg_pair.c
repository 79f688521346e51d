/* Legacy pairs that are not whole yet: which two channels belong together. */
#include "fd.h"
#include "rdg_pair.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rdg_pairs *pairs;

static void setup(void)
{
    ck_assert_int_eq(rdg_pairs_new(&pairs), 0);
}

static void teardown(void)
{
    rdg_pairs_free(pairs);
}

static struct rdg_pair_key key(const char *name, const char *address, uint8_t identity)
{
    struct rdg_pair_key made = {.identity = {identity}};
    snprintf(made.name, sizeof(made.name), "%s", name);
    ck_assert(addr_parse(&made.address, address));
    return made;
}

START_TEST(bytes_of_one_reach_the_other)
{
    struct rdg_pair *pair, *same;
    struct rdg_pair_key here = key("{a}", "192.0.2.1", 0);
    char byte = 'x';
    int in;
    ck_assert_int_eq(rdg_pair_offer(pairs, &here, &pair, &in), 0);
    int feed = rdg_pair_join(pairs, &here, &same);
    ck_assert_int_ge(feed, 0);
    ck_assert_ptr_eq(pair, same);
    ck_assert_int_eq(send(feed, &byte, 1, 0), 1);
    ck_assert_int_eq(recv(in, &byte, 1, 0), 1);
    ck_assert(!atomic_load(rdg_pair_lost(pair)));
    rdg_pair_lose(same);
    fd_close(&feed);
    rdg_pair_withdraw(pairs, same);
    ck_assert(atomic_load(rdg_pair_lost(pair)));
    ck_assert_int_eq(recv(in, &byte, 1, 0), 0);
    rdg_pair_withdraw(pairs, pair);
    fd_close(&in);
}
END_TEST

START_TEST(what_does_not_agree_stays_apart)
{
    static const struct {
        const char *name, *address;
        uint8_t identity;
    } strangers[] = {{"{b}", "192.0.2.1", 7},
                     {"{a}", "192.0.2.2", 7},
                     {"{a}", "192.0.2.1", 0},
                     {"{a}", "192.0.2.1", 8},
                     {"", "192.0.2.1", 7}};
    struct rdg_pair_key here = key("{a}", "192.0.2.1", 7);
    struct rdg_pair *pair, *other;
    int in, feed;
    ck_assert_int_eq(rdg_pair_offer(pairs, &here, &pair, &in), 0);
    for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++) {
        struct rdg_pair_key there =
            key(strangers[i].name, strangers[i].address, strangers[i].identity);
        ck_assert_int_eq(rdg_pair_join(pairs, &there, &other), -ENOENT);
    }
    feed = rdg_pair_join(pairs, &here, &other); /* nobody has used it up */
    ck_assert_int_ge(feed, 0);
    ck_assert_int_eq(rdg_pair_join(pairs, &here, &pair), -ENOENT); /* one for each */
    fd_close(&feed);
    rdg_pair_withdraw(pairs, other);
    rdg_pair_withdraw(pairs, other);
    fd_close(&in);
}
END_TEST

START_TEST(a_name_is_taken_until_it_is_withdrawn)
{
    struct rdg_pair_key here = key("{a}", "192.0.2.1", 0), there = key("{a}", "192.0.2.9", 0);
    struct rdg_pair *pair, *other;
    int in, more = -1;
    ck_assert_int_eq(rdg_pair_offer(pairs, &here, &pair, &in), 0);
    ck_assert_int_eq(rdg_pair_offer(pairs, &here, &other, &more), -EEXIST);
    ck_assert_int_eq(rdg_pair_offer(pairs, &there, &other, &more), -EEXIST);
    ck_assert_int_eq(more, -1);
    rdg_pair_withdraw(pairs, pair);
    ck_assert_int_eq(rdg_pair_join(pairs, &here, &other), -ENOENT);
    fd_close(&in);
    ck_assert_int_eq(rdg_pair_offer(pairs, &here, &pair, &in), 0);
    rdg_pair_withdraw(pairs, pair);
    fd_close(&in);
    rdg_pair_withdraw(pairs, NULL);
}
END_TEST

/* A pair that is whole leaves its name to others. */
START_TEST(a_whole_pair_is_out_of_the_way)
{
    struct rdg_pair_key here = key("{a}", "192.0.2.1", 0);
    struct rdg_pair *first, *second, *same;
    int in, more, feed;
    ck_assert_int_eq(rdg_pair_offer(pairs, &here, &first, &in), 0);
    feed = rdg_pair_join(pairs, &here, &same);
    ck_assert_int_eq(rdg_pair_offer(pairs, &here, &second, &more), 0);
    rdg_pair_withdraw(pairs, same);
    rdg_pair_withdraw(pairs, first);
    int again = rdg_pair_join(pairs, &here, &same);
    ck_assert_int_ge(again, 0);
    ck_assert_ptr_eq(same, second);
    rdg_pair_withdraw(pairs, same);
    rdg_pair_withdraw(pairs, second);
    close(feed);
    close(again);
    close(in);
    close(more);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rdg_pair");
    TCase *tcase = tcase_create("rdg_pair");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, bytes_of_one_reach_the_other);
    tcase_add_test(tcase, what_does_not_agree_stays_apart);
    tcase_add_test(tcase, a_name_is_taken_until_it_is_withdrawn);
    tcase_add_test(tcase, a_whole_pair_is_out_of_the_way);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

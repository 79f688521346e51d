/* What failed sign-ins leave behind, and which browsers are known all the same. */
#include "store_rig.h"
#include "suite.h"

#include <check.h>
#include <string.h>

START_TEST(throttling)
{
    const struct store_throttle_of of = {.key = "k", .bucket = "address"};
    struct store_throttle row = {.failures = 3, .since = 10, .last_at = 20};
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_NONE);
    ck_assert_int_eq(store_throttle_set(store, &of, &row), STORE_OK);
    row.failures = 4;
    ck_assert_int_eq(store_throttle_set(store, &of, &row), STORE_OK);
    row = (struct store_throttle){0};
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_OK);
    ck_assert_int_eq(row.failures, 4);
    ck_assert_int_eq(store_throttle_sweep(store, 20), STORE_OK);
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_OK);
    ck_assert_int_eq(store_throttle_sweep(store, 21), STORE_OK);
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_NONE);
    ck_assert_int_eq(store_throttle_clear(store, "k"), STORE_OK);
}
END_TEST

static unsigned listed;

static int count_item(void *owner, const struct store_throttle_item *item)
{
    const char *name = owner;
    listed += strcmp(item->user_name, name) == 0;
    return 0;
}

static unsigned listed_of(const char *name)
{
    char copy[TEXT_NAME_SIZE];
    text_copy(copy, sizeof(copy), name);
    listed = 0;
    ck_assert_int_eq(store_throttle_list(store, count_item, copy), STORE_OK);
    return listed;
}

START_TEST(buckets_are_listed_and_cleared)
{
    int64_t alice = store_rig_add_user("alice");
    const struct store_throttle row = {.failures = 3, .since = 10, .last_at = 20};
    struct store_throttle_of of[] = {{.key = "1", .bucket = "person", .user = alice},
                                     {.key = "2", .bucket = "person"},
                                     {.key = "3", .bucket = "address", .has_net = true},
                                     {.key = "4", .bucket = "address-wide", .has_net = true}};
    ck_assert(addr_net_parse(&of[2].net, "192.0.2.7"));
    ck_assert(addr_net_parse(&of[3].net, "192.0.2.0/24"));
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(store_throttle_set(store, &of[i], &row), STORE_OK);
    ck_assert_uint_eq(listed_of("alice"), 1);
    ck_assert_uint_eq(listed_of(""), 3);
    of[1].user = alice; /* somebody has the name by now */
    ck_assert_int_eq(store_throttle_set(store, &of[1], &row), STORE_OK);
    ck_assert_uint_eq(listed_of("alice"), 2);
    ck_assert_int_eq(store_throttle_clear_user(store, alice), STORE_OK);
    ck_assert_int_eq(store_throttle_clear_user(store, alice), STORE_NONE);
    ck_assert_int_eq(store_throttle_clear_place(store, &of[3].net), STORE_OK);
    ck_assert_int_eq(store_throttle_clear_place(store, &of[3].net), STORE_NONE);
    ck_assert_uint_eq(listed_of(""), 1);
    ck_assert_int_eq(store_throttle_clear_all(store), STORE_OK);
    ck_assert_int_eq(store_throttle_clear_all(store), STORE_NONE);
}
END_TEST

/* At most eight of a person; the one that was not used for longest goes. All go with whatever may
 * have come to be known by somebody else. */
START_TEST(browsers_are_known_until_something_changes)
{
    int64_t alice = store_rig_add_user("alice"), bob = store_rig_add_user("bob");
    uint8_t hashes[10][32];
    for (uint8_t i = 0; i < 10; i++) {
        memset(hashes[i], i + 1, 32);
        ck_assert_int_eq(store_browser_add(store, hashes[i], alice, 100 + i), STORE_OK);
        if (i == 7)
            ck_assert_int_eq(store_browser_use(store, hashes[0], 200), STORE_OK);
    }
    ck_assert_int_eq(store_browser_known(store, hashes[0], alice), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], bob), STORE_NONE);
    ck_assert_int_eq(store_browser_known(store, hashes[1], alice), STORE_NONE);
    ck_assert_int_eq(store_browser_known(store, hashes[2], alice), STORE_NONE);
    ck_assert_int_eq(store_browser_known(store, hashes[3], alice), STORE_OK);
    ck_assert_int_eq(store_browser_failed(store, hashes[3], 3), STORE_OK);
    ck_assert_int_eq(store_browser_failed(store, hashes[3], 3), STORE_OK);
    ck_assert_int_eq(store_browser_use(store, hashes[3], 300), STORE_OK);
    ck_assert_int_eq(store_browser_failed(store, hashes[3], 3), STORE_OK);
    ck_assert_int_eq(store_browser_failed(store, hashes[3], 3), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[3], alice), STORE_OK);
    ck_assert_int_eq(store_browser_failed(store, hashes[3], 3), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[3], alice), STORE_NONE);
    ck_assert_int_eq(store_user_use_step(store, alice, 5, 300), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], alice), STORE_OK);
    ck_assert_int_eq(store_user_set_password(store, alice, "another", 300), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], alice), STORE_NONE);
    ck_assert_int_eq(store_browser_add(store, hashes[0], alice, 400), STORE_OK);
    ck_assert_int_eq(store_user_set_seed(store, alice, (const uint8_t *)"new", 3), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], alice), STORE_NONE);
    ck_assert_int_eq(store_browser_add(store, hashes[0], alice, 500), STORE_OK);
    ck_assert_int_eq(store_user_set_disabled(store, alice, true), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], alice), STORE_NONE);
    ck_assert_int_eq(store_browser_add(store, hashes[0], bob, 500), STORE_OK);
    ck_assert_int_eq(store_browser_sweep(store, 501), STORE_OK);
    ck_assert_int_eq(store_browser_known(store, hashes[0], bob), STORE_NONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_throttle");
    TCase *tests = tcase_create("store_throttle");
    tcase_add_checked_fixture(tests, store_rig_setup, store_rig_teardown);
    tcase_add_test(tests, throttling);
    tcase_add_test(tests, buckets_are_listed_and_cleared);
    tcase_add_test(tests, browsers_are_known_until_something_changes);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

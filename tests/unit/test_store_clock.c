/* A clock that was set back: what was written with the time of before. */
#include "store_rig.h"

#include <check.h>
#include <stdlib.h>

START_TEST(a_clock_that_is_set_back)
{
    const struct store_throttle_of of = {.key = "k", .bucket = "address"};
    struct store_throttle row = {.failures = 3, .since = 500, .last_at = 2000};
    int64_t user = store_rig_add_user("a"), early = store_rig_add_session(user, 1, 1300),
            late = store_rig_add_session(user, 2, 1300);
    struct store_session session;
    ck_assert_int_eq(store_throttle_set(store, &of, &row), STORE_OK);
    ck_assert_int_eq(store_session_use(store, late, 1200), STORE_OK);
    ck_assert_int_eq(store_clock_back(store, 1100), STORE_OK);
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_OK);
    ck_assert_int_eq(row.since, 500);
    ck_assert_int_eq(row.last_at, 1100);
    ck_assert_int_eq(store_session_by_id(store, late, &session), STORE_OK);
    ck_assert_int_eq(session.used_at, 1100);
    ck_assert_int_eq(session.expires_at, 1300);
    /* Made in the future: it lives as long as it was to live, from now on. */
    ck_assert_int_eq(store_clock_back(store, 400), STORE_OK);
    ck_assert_int_eq(store_session_by_id(store, early, &session), STORE_OK);
    ck_assert_int_eq(session.created_at, 400);
    ck_assert_int_eq(session.used_at, 400);
    ck_assert_int_eq(session.factor_at, 400);
    ck_assert_int_eq(session.expires_at, 700);
    ck_assert_int_eq(store_throttle_get(store, "k", &row), STORE_OK);
    ck_assert_int_eq(row.since, 400);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_clock");
    TCase *tests = tcase_create("store_clock");
    tcase_add_checked_fixture(tests, store_rig_setup, store_rig_teardown);
    tcase_add_test(tests, a_clock_that_is_set_back);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

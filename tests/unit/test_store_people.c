/* People, groups and what they are granted. */
#include "store_rig.h"
#include "suite.h"

#include <check.h>
#include <string.h>

static int count_grants(void *owner, const struct store_grant *grant)
{
    (void)grant;
    return store_rig_count(owner);
}

START_TEST(users)
{
    struct store_user user, again = {.created_at = 1};
    int64_t id = store_rig_add_user("Alice"), other;
    ck_assert_int_eq(store_user_by_name(store, "aLiCe", &user), STORE_OK);
    ck_assert_str_eq(user.name, "Alice");
    ck_assert_int_eq(user.id, id);
    ck_assert_uint_eq(user.seed_size, 6);
    ck_assert_mem_eq(user.seed, "sealed", 6);
    text_copy(again.name, sizeof(again.name), "ALICE");
    ck_assert_int_eq(store_user_add(store, &again, &other), STORE_EXISTS);
    ck_assert_int_eq(store_user_set_password(store, id, "new", 1500), STORE_OK);
    ck_assert_int_eq(store_user_use_step(store, id, 5, 2000), STORE_OK);
    ck_assert_int_eq(store_user_use_step(store, id, 5, 2001), STORE_REFUSED);
    ck_assert_int_eq(store_user_set_seed(store, id, (const uint8_t *)"two", 3), STORE_OK);
    ck_assert_int_eq(store_user_use_step(store, id, 1, 2000), STORE_OK);
    ck_assert_int_eq(store_user_set_disabled(store, id, true), STORE_OK);
    ck_assert_int_eq(store_user_by_id(store, id, &user), STORE_OK);
    ck_assert_str_eq(user.password, "new");
    ck_assert_int_eq(user.password_at, 1500);
    ck_assert_uint_eq(user.seed_size, 3);
    ck_assert_int_eq(user.signed_in_at, 2000);
    ck_assert(user.disabled);
    ck_assert_int_eq(store_user_set_password(store, 99, "x", 1500), STORE_NONE);
    ck_assert_int_eq(store_user_remove(store, id), STORE_OK);
    ck_assert_int_eq(store_user_remove(store, id), STORE_NONE);
    int count = 0;
    ck_assert_int_eq(store_user_list(store, store_rig_count_user, &count), STORE_OK);
    ck_assert_int_eq(count, 0);
}
END_TEST

START_TEST(a_step_is_used_once)
{
    struct store *other = store_rig_open_again();
    int64_t id = store_rig_add_user("a");
    ck_assert_int_eq(store_user_use_step(store, id, 100, 1), STORE_OK);
    ck_assert_int_eq(store_user_use_step(other, id, 100, 1), STORE_REFUSED);
    ck_assert_int_eq(store_user_use_step(other, id, 99, 1), STORE_REFUSED);
    ck_assert_int_eq(store_user_use_step(other, id, 101, 1), STORE_OK);
    ck_assert_int_eq(store_user_use_step(store, id, 101, 1), STORE_REFUSED);
    ck_assert_int_eq(store_user_set_disabled(store, id, true), STORE_OK);
    ck_assert_int_eq(store_user_use_step(store, id, 102, 1), STORE_REFUSED);
    ck_assert_int_eq(store_user_use_step(store, 77, 1, 1), STORE_REFUSED);
    store_close(other);
}
END_TEST

static int collect(void *owner, const struct store_granted *granted)
{
    strcat(owner, granted->desktop.name);
    strcat(owner, " ");
    return 0;
}

START_TEST(grants)
{
    int64_t alice = store_rig_add_user("alice"), bob = store_rig_add_user("bob"), group;
    int64_t one = store_rig_add_desktop("one"), two = store_rig_add_desktop("Two");
    struct store_desktop found;
    char names[100] = "";
    int count = 0;
    ck_assert_int_eq(store_group_add(store, STORE_OF_PEOPLE, "sales", &group), STORE_OK);
    ck_assert_int_eq(store_group_add(store, STORE_OF_PEOPLE, "SALES", &group), STORE_EXISTS);
    ck_assert_int_eq(store_granted(store, alice, "one", &found), STORE_NONE);
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = alice, .what = one}),
                     STORE_OK);
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = alice, .what = one}),
                     STORE_EXISTS);
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = 99, .what = one}),
                     STORE_NONE);
    ck_assert_int_eq(
        store_grant_add(store, &(struct store_grant_key){.group = true, .who = group, .what = two}),
        STORE_OK);
    ck_assert_int_eq(store_granted(store, alice, "ONE", &found), STORE_OK);
    ck_assert_str_eq(found.host, "10.0.0.1");
    ck_assert_int_eq(store_granted(store, alice, "two", &found), STORE_NONE);
    ck_assert_int_eq(store_group_join(store, STORE_OF_PEOPLE, group, alice), STORE_OK);
    ck_assert_int_eq(store_group_join(store, STORE_OF_PEOPLE, group, alice), STORE_EXISTS);
    ck_assert_int_eq(store_granted(store, alice, "two", &found), STORE_OK);
    ck_assert_int_eq(store_granted(store, bob, "two", &found), STORE_NONE);
    ck_assert_int_eq(store_granted_list(store, alice, "", 10, collect, names), STORE_OK);
    ck_assert_str_eq(names, "one Two ");
    names[0] = '\0';
    ck_assert_int_eq(store_granted_list(store, alice, "ONE", 10, collect, names), STORE_OK);
    ck_assert_str_eq(names, "Two ");
    ck_assert_int_eq(store_grant_list(store, count_grants, &count), STORE_OK);
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(store_user_set_disabled(store, alice, true), STORE_OK);
    ck_assert_int_eq(store_granted(store, alice, "one", &found), STORE_NONE);
    ck_assert_int_eq(store_user_set_disabled(store, alice, false), STORE_OK);
    ck_assert_int_eq(store_group_leave(store, STORE_OF_PEOPLE, group, alice), STORE_OK);
    ck_assert_int_eq(store_granted(store, alice, "two", &found), STORE_NONE);
    ck_assert_int_eq(
        store_grant_remove(store, &(struct store_grant_key){.who = alice, .what = one}), STORE_OK);
    ck_assert_int_eq(
        store_grant_remove(store, &(struct store_grant_key){.who = alice, .what = one}),
        STORE_NONE);
    ck_assert_int_eq(store_granted(store, alice, "one", &found), STORE_NONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_people");
    TCase *tests = tcase_create("store_people");
    tcase_add_checked_fixture(tests, store_rig_setup, store_rig_teardown);
    tcase_add_test(tests, users);
    tcase_add_test(tests, a_step_is_used_once);
    tcase_add_test(tests, grants);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

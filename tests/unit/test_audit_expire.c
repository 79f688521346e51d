/* Old rows of the audit log leave in files of a bounded size, since each must fit into a backup. */
#include "act.h"
#include "admin_audit_archive.h"
#include "audit_seal.h"
#include "store_rig.h"
#include "suite.h"

#include <check.h>
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define NOW 1800000000
#define LONG_AGO (NOW - 400 * 24 * 3600)

static struct act act;
static char *printed;
static size_t printed_size;

static void add_rows(int count, int64_t at)
{
    struct store_audit row = {.at_ms = at * 1000, .event = "sign-in", .outcome = "ok"};
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(store_audit_add(store, &row), STORE_OK);
}

static void setup(void)
{
    struct secret_key key;
    char state[STORE_RIG_PATH], path[CONF_PATH_SIZE], why[256];
    store_rig_setup();
    ck_assert(text_copy(state, sizeof(state), store_rig_path));
    *strrchr(state, '/') = '\0';
    act = (struct act){.store = store, .now = NOW, .err = stderr};
    conf_defaults(&act.conf, state);
    act.conf.audit_keep_days = 30;
    act.out = open_memstream(&printed, &printed_size);
    conf_path(&act.conf, CONF_SECRET_KEY, path);
    ck_assert_int_eq(secret_init(), 0);
    ck_assert_int_eq(secret_key_load(&key, path, true, why, sizeof(why)), 0);
    ck_assert_int_eq(audit_seal_open(store, &act.conf, &key), STORE_OK);
    secret_key_wipe(&key);
}

static void teardown(void)
{
    fclose(act.out);
    free(printed);
    store_rig_teardown();
}

/* A file holds the rows behind `after`, to `last`. */
static void expect_file(const char *name, json_int_t after, json_int_t last)
{
    char path[CONF_PATH_SIZE], inside[64];
    snprintf(inside, sizeof(inside), "audit/%s", name);
    conf_path(&act.conf, inside, path);
    json_t *head = json_load_file(path, JSON_DISABLE_EOF_CHECK, NULL);
    ck_assert_msg(head != NULL, "%s", path);
    ck_assert_int_eq(json_integer_value(json_object_get(head, "after")), after);
    ck_assert_int_eq(json_integer_value(json_object_get(head, "last")), last);
    json_decref(head);
}

static void expect_files(size_t count)
{
    char pattern[CONF_PATH_SIZE];
    glob_t found = {0};
    conf_path(&act.conf, "audit/*", pattern);
    glob(pattern, 0, NULL, &found);
    ck_assert_uint_eq(found.gl_pathc, count);
    globfree(&found);
}

static void expect_log(int64_t begins_behind)
{
    struct store_audit_walk begin, whole = {0};
    ck_assert_int_eq(store_audit_begin(store, &begin), STORE_OK);
    ck_assert_int_eq(begin.last, begins_behind);
    ck_assert_int_eq(store_audit_verify(store, &whole, 0), STORE_OK);
    ck_assert_int_eq(whole.fault, STORE_AUDIT_WHOLE);
}

START_TEST(many_rows_are_many_files)
{
    add_rows(25, LONG_AGO);
    add_rows(3, NOW);
    ck_assert_int_eq(admin_audit_expire_by(&act, 10), EX_OK);
    expect_files(3);
    expect_file("audit-20270115T080000Z.jsonl", 0, 10);
    expect_file("audit-20270115T080000Z-2.jsonl", 10, 20);
    expect_file("audit-20270115T080000Z-3.jsonl", 20, 25);
    expect_log(25);
}
END_TEST

START_TEST(no_file_is_empty)
{
    add_rows(20, LONG_AGO);
    add_rows(1, NOW);
    ck_assert_int_eq(admin_audit_expire_by(&act, 10), EX_OK);
    expect_files(2);
    expect_log(20);
    act.now++;
    ck_assert_int_eq(admin_audit_expire_by(&act, 10), EX_OK);
    expect_files(2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit_expire");
    TCase *tcase = tcase_create("files");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, many_rows_are_many_files);
    tcase_add_test(tcase, no_file_is_empty);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

/* An administrator's act out of path, query and body: what a page may send, and what nobody may. */
#include "admin_pack.h"

#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ipc_admin record;

static void setup(void)
{
    IPC_INIT(&record, ADMIN, 1);
}

/* The arguments with "|" for each NUL. */
static const char *packed(void)
{
    static char text[IPC_ARGUMENTS_SIZE + 1];
    for (size_t i = 0; i < record.size; i++)
        text[i] = record.arguments[i] ? record.arguments[i] : '|';
    text[record.size] = '\0';
    return text;
}

static bool body(const char *text)
{
    setup();
    return admin_pack_body(&record, text, strlen(text));
}

static bool pair(const char *key, const char *value)
{
    setup();
    return admin_pack_pair(&record, key, value);
}

START_TEST(paths)
{
    ck_assert(admin_pack_path(&record, "/api/admin/grant/add"));
    ck_assert_str_eq(packed(), "grant|add|");
    setup();
    ck_assert(admin_pack_path(&record, "/api/admin/explain"));
    ck_assert_str_eq(packed(), "explain||");
    setup();
    ck_assert(!admin_pack_path(&record, "/api/admin/"));
    ck_assert(!admin_pack_path(&record, "/api/session"));
}
END_TEST

START_TEST(queries)
{
    ck_assert(pair("word", "alice"));
    ck_assert_str_eq(packed(), "walice|");
    ck_assert(pair("word", "--state=/tmp"));
    ck_assert_str_eq(packed(), "w--state=/tmp|");
    ck_assert(pair("word", ""));
    ck_assert_str_eq(packed(), "w|");
    ck_assert(pair("since", "2h%20%2b%3d%25"));
    ck_assert_str_eq(packed(), "osince=2h +=%|");
    ck_assert(pair("all", NULL));
    ck_assert_str_eq(packed(), "oall|");
    ck_assert(pair("user", "\xc3\xa4"));
    ck_assert_str_eq(packed(), "ouser=\xc3\xa4|");

    static const char *const bad[][2] = {
        {"word", NULL},    {"word", "%"}, {"word", "%4"}, {"word", "%4g"}, {"word", "%00"},
        {"word", "a%00"},  {"", "a"},     {"a b", "c"},   {"a=b", "c"},    {"a%3db", "c"},
        {"-a", "b"},       {"--", "b"},   {"Word", "b"},  {"a\tb", "c"},   {"a", "%00"},
        {"\xc3\xa4", "c"}, {"a_b", "c"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!pair(bad[i][0], bad[i][1]), "%s", bad[i][0]);
}
END_TEST

START_TEST(good_bodies)
{
    static const char *const good[][2] = {
        {"{}", ""},
        {"{\"words\": [], \"options\": {}}", ""},
        {"{\"words\": [\"alice\", \"--json\", \"\", \"w\"]}", "walice|w--json|w|ww|"},
        {"{\"options\": {\"hours\": \"mon-fri 08:00-18:00\"}}", "ohours=mon-fri 08:00-18:00|"},
        {"{\"options\": {\"all\": true, \"json\": false}}", "oall|"},
        {"{\"options\": {\"port\": 3389, \"least\": -1}}", "oport=3389|oleast=-1|"},
        {"{\"options\": {\"rdp-setting\": [\"a\", \"b=c\"]}}", "ordp-setting=a|ordp-setting=b=c|"},
        {"{\"options\": {\"host\": \"\"}, \"words\": [\"x\"]}", "wx|ohost=|"},
        {"{\"options\": {\"host\": \"--port=1\"}}", "ohost=--port=1|"},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(body(good[i][0]), "%s", good[i][0]);
        ck_assert_str_eq(packed(), good[i][1]);
    }
}
END_TEST

START_TEST(bad_bodies)
{
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "\"words\"",
        "{\"words\"",
        "{} {}",
        "{\"words\": \"alice\"}",
        "{\"words\": {}}",
        "{\"words\": null}",
        "{\"words\": [1]}",
        "{\"words\": [[\"a\"]]}",
        "{\"words\": [\"a\\u0000b\"]}",
        "{\"words\": [\"\xff\"]}",
        "{\"words\": [], \"words\": []}",
        "{\"words\": [], \"more\": []}",
        "{\"Words\": []}",
        "{\"options\": []}",
        "{\"options\": {\"a\": null}}",
        "{\"options\": {\"a\": {}}}",
        "{\"options\": {\"a\": 1.5}}",
        "{\"options\": {\"a\": [true]}}",
        "{\"options\": {\"a\": [[\"b\"]]}}",
        "{\"options\": {\"a\": \"b\\u0000c\"}}",
        "{\"options\": {\"a\\u0000b\": \"c\"}}",
        "{\"options\": {\"a=b\": \"c\"}}",
        "{\"options\": {\"\": \"c\"}}",
        "{\"options\": {\"-a\": false}}",
        "{\"options\": {\"--state\": \"/tmp\"}}",
        "{\"options\": {\"a\": \"b\", \"a\": \"c\"}}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!body(bad[i]), "%s", bad[i]);
}
END_TEST

/* It fits to the last byte, and not one more. */
START_TEST(sizes)
{
    static char text[IPC_ARGUMENTS_SIZE + 64];
    for (size_t length = IPC_ARGUMENTS_SIZE - 4; length < IPC_ARGUMENTS_SIZE + 4; length++) {
        int size = snprintf(text, sizeof(text), "{\"words\": [\"%0*d\"]}", (int)length, 0);
        setup();
        bool fits = length + 2 <= IPC_ARGUMENTS_SIZE;
        ck_assert_int_eq(admin_pack_body(&record, text, (size_t)size), fits);
        snprintf(text, sizeof(text), "%0*d", (int)length, 0);
        setup();
        ck_assert_int_eq(admin_pack_pair(&record, "word", text), fits);
        if (fits)
            ck_assert_int_eq(record.arguments[record.size - 1], '\0');
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("admin_pack");
    TCase *tcase = tcase_create("admin_pack");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, paths);
    tcase_add_test(tcase, queries);
    tcase_add_test(tcase, good_bodies);
    tcase_add_test(tcase, bad_bodies);
    tcase_add_test(tcase, sizes);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

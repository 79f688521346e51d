#include "ipc.h"
#include "json_body.h"
#include "suite.h"
#include "wiped_json.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    char name[9], secret[IPC_PASSWORD_SIZE], code[8];
} to;

static const struct json_field fields[] = {JSON_BODY_TEXT("name", to.name),
                                           JSON_BODY_TEXT("secret", to.secret),
                                           JSON_BODY_TEXT("code", to.code)};

static bool reads(const char *body)
{
    memset(&to, 'x', sizeof(to));
    return json_body_read(body, strlen(body), fields, 3);
}

START_TEST(good_bodies)
{
    ck_assert(reads("{\"name\":\"a\",\"secret\":\"p\\u00e4\\ud83d\\ude00\",\"code\":\"12 3456\"}"));
    ck_assert_str_eq(to.name, "a");
    ck_assert_str_eq(to.secret, "p\xc3\xa4\xf0\x9f\x98\x80");
    ck_assert_str_eq(to.code, "12 3456");
    ck_assert(reads(" {\"code\":\"\",\"secret\":\"\",\"name\":\"\"}\r\n"));
    ck_assert_str_eq(to.name, "");
    ck_assert(reads("{\"name\":\"12345678\",\"secret\":\"\",\"code\":\"1\"}"));
}
END_TEST

START_TEST(bad_bodies)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "[]",
        "null",
        "\"name\"",
        "{}",
        "{\"name\":\"a\",\"secret\":\"p\"}",                  /* missing */
        "{\"name\":\"a\",\"secret\":\"p\",\"Code\":\"1\"}",   /* misspelt */
        "{\"name\":\"a\",\"secret\":\"p\",\"code\":123456}",  /* no text */
        "{\"name\":\"a\",\"secret\":\"p\",\"code\":null}",    /* no text */
        "{\"name\":\"a\",\"secret\":\"p\",\"code\":true}",    /* no text */
        "{\"name\":[\"a\"],\"secret\":\"p\",\"code\":\"1\"}", /* nested */
        "{\"name\":{\"name\":\"a\"},\"secret\":\"p\",\"code\":\"1\"}",
        "[{\"name\":\"a\",\"secret\":\"p\",\"code\":\"1\"}]",
        "{\"name\":\"a\",\"secret\":\"p\",\"code\":\"1\",\"x\":\"x\"}", /* extra */
        "{\"name\":\"a\",\"name\":\"b\",\"secret\":\"p\",\"code\":\"1\"}",
        "{\"name\":\"a\",\"name\":\"a\",\"secret\":\"p\"}", /* three, of which one is twice */
        "{\"name\":\"a\\u0000b\",\"secret\":\"p\",\"code\":\"1\"}",
        "{\"name\":\"\\ud83d\",\"secret\":\"p\",\"code\":\"1\"}", /* half a character */
        "{\"name\":\"\xff\",\"secret\":\"p\",\"code\":\"1\"}",
        "{\"name\":\"\xc0\x80\",\"secret\":\"p\",\"code\":\"1\"}",
        "{\"name\":\"123456789\",\"secret\":\"p\",\"code\":\"1\"}", /* too long */
        "{\"name\":\"a\",\"secret\":\"p\",\"code\":\"1\"} x",
        "{\"name\":\"a\",\"secret\":\"p\",\"code\":\"1\"}{}",
        "{'name':'a','secret':'p','code':'1'}",
        "{\"name\":\"a\",\"secret\":\"p\",\"code\":\"1\",}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!reads(bad[i]), "%s", bad[i]);
    static const char zero[] = "{\"name\":\"a\",\"secret\":\"p\",\"code\":\"1\"}";
    ck_assert(!json_body_read(zero, sizeof(zero), fields, 3)); /* a NUL behind it */
    ck_assert(!json_body_read(NULL, 0, fields, 3));
}
END_TEST

START_TEST(no_texts_at_all)
{
    ck_assert(json_body_read("{}", 2, NULL, 0));
    ck_assert(json_body_read(" { } ", 5, NULL, 0));
    ck_assert(!json_body_read(NULL, 0, NULL, 0));
    ck_assert(!json_body_read("[]", 2, NULL, 0));
    ck_assert(!json_body_read("{\"a\":\"\"}", 8, NULL, 0));
}
END_TEST

START_TEST(the_longest_text)
{
    char body[2 * IPC_PASSWORD_SIZE], secret[IPC_PASSWORD_SIZE + 1] = "";
    memset(secret, 'p', IPC_PASSWORD_SIZE);
    for (size_t length = IPC_PASSWORD_SIZE; length >= IPC_PASSWORD_SIZE - 1; length--) {
        secret[length] = '\0';
        snprintf(body, sizeof(body), "{\"name\":\"a\",\"secret\":\"%s\",\"code\":\"1\"}", secret);
        ck_assert(reads(body) == (length < IPC_PASSWORD_SIZE));
    }
    ck_assert_str_eq(to.secret, secret);
}
END_TEST

START_TEST(deep_bodies)
{
    static char deep[16384];
    for (const char *piece = "[{"; *piece; piece++) {
        for (size_t i = 0; i < sizeof(deep); i++)
            deep[i] = *piece;
        ck_assert(!json_body_read(deep, sizeof(deep), fields, 3));
    }
    for (size_t i = 0; i + 5 <= sizeof(deep); i += 5)
        memcpy(deep + i, "{\"a\":", 5);
    ck_assert(!json_body_read(deep, sizeof(deep), fields, 3));
}
END_TEST

START_TEST(words)
{
    char text[JSON_BODY_WORDS_SIZE];
    json_body_words(text, fields, 3);
    ck_assert_str_eq(text, "Send a JSON object with exactly these texts: name, secret, code.");
    json_body_words(text, fields, 1);
    ck_assert_str_eq(text, "Send a JSON object with exactly one text: name.");
    json_body_words(text, NULL, 0);
    ck_assert_str_eq(text, "Send an empty JSON object: {}.");
    static const struct json_field longest[] = {
        {"0123456789012345678901234567890123456789012345678901234567890123456789", NULL, 0, false},
        {"0123456789012345678901234567890123456789012345678901234567890123456789", NULL, 0, false},
        {"0123456789012345678901234567890123456789012345678901234567890123456789", NULL, 0, false}};
    json_body_words(text, longest, 3);
    ck_assert_uint_eq(strlen(text), sizeof(text) - 1);
}
END_TEST

START_TEST(codes)
{
    static const struct {
        const char *text, *code; /* NULL: no JSON */
    } table[] = {
        {"123456", "123456"},
        {" 123 456 ", "123456"},
        {"123-456", "123456"},
        {"ABCD-EFGH-IJKL-2345", "abcdefghijkl2345"},
        {"abcd efgh ijkl 2345", "abcdefghijkl2345"},
        {"a b c d - e f g h - i j k l - 2 3 4 5", "abcdefghijkl2345"},
        {"abcd-efgh-ijkl-23456", "?"}, /* too long: wrong, and not cut off to one that is right */
        {"1. abcd-efgh-jkmn-pqrs", "?"},
        {"123456\\t", "123456"},
        {"\\u00a0123\\u3000456\\u00a0", "123456"},
        {"123\\u2013456.", "123456"},
        {"\\uff11\\uff12\\uff13\\uff14\\uff15\\uff16", "123456"},
        {"\\uff10\\uff19\\uff21\\uff3a\\uff41\\uff5a", "09azaz"},
        {"\\uff0f\\uff1a\\ufeff\\ufffd\\uffd1\\uf030", ""},
        {"\\ud835\\udfce\\u0661\\uff", NULL},
        {"\\ud835\\udfce\\u0661", ""},
        {"", ""},
        {" - ", ""},
    };
    char code[IPC_CODE_SIZE], body[80];
    const struct json_field field = JSON_BODY_CODE("code", code);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        snprintf(body, sizeof(body), "{\"code\":\"%s\"}", table[i].text);
        bool good = json_body_read(body, strlen(body), &field, 1);
        ck_assert_msg(good == (table[i].code != NULL), "%s", table[i].text);
        if (good)
            ck_assert_str_eq(code, table[i].code);
    }
    ck_assert(!json_body_read("{\"code\":123456}", 15, &field, 1));
    ck_assert(!json_body_read("{\"code\":\"1\\u00002\"}", 19, &field, 1));
}
END_TEST

int main(void)
{
    wiped_json_init();
    Suite *suite = suite_create("json_body");
    TCase *tests = tcase_create("json_body");
    tcase_add_test(tests, good_bodies);
    tcase_add_test(tests, bad_bodies);
    tcase_add_test(tests, no_texts_at_all);
    tcase_add_test(tests, the_longest_text);
    tcase_add_test(tests, deep_bodies);
    tcase_add_test(tests, words);
    tcase_add_test(tests, codes);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

#include "login_json.h"
#include "wiped_json.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reads(const char *body, struct ipc_sign_in *to)
{
    const char *why = NULL;
    IPC_INIT(to, SIGN_IN, 0);
    bool good = login_json_read(body, strlen(body), to, &why);
    ck_assert(good == (why == NULL));
    return good;
}

START_TEST(good_bodies)
{
    struct ipc_sign_in to;
    ck_assert(reads("{\"username\":\"a\",\"password\":\"p\\u00e4\",\"code\":\"123 456\"}", &to));
    ck_assert_str_eq(to.username, "a");
    ck_assert_str_eq(to.password, "p\xc3\xa4");
    ck_assert_str_eq(to.code, "123456");
    ck_assert(reads(" {\"code\":\"\",\"password\":\"\",\"username\":\"\"} ", &to));
}
END_TEST

START_TEST(bad_bodies)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"username\":\"a\",\"password\":\"p\"}",
        "{\"username\":\"a\",\"password\":\"p\",\"code\":123456}",
        "{\"username\":\"a\",\"password\":\"p\",\"code\":null}",
        "{\"username\":[\"a\"],\"password\":\"p\",\"code\":\"1\"}",
        "{\"username\":\"a\",\"password\":\"p\",\"code\":\"1\",\"more\":\"x\"}",
        "{\"username\":\"a\",\"username\":\"b\",\"password\":\"p\",\"code\":\"1\"}",
        "{\"username\":\"a\\u0000b\",\"password\":\"p\",\"code\":\"1\"}",
        "{\"username\":\"\xff\",\"password\":\"p\",\"code\":\"1\"}",
        "{\"username\":\"a\",\"password\":\"p\",\"code\":\"12345678901234567\"}",
        "{\"username\":\"a\",\"password\":\"p\",\"code\":\"1\"} x",
    };
    struct ipc_sign_in to;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!reads(bad[i], &to), "%s", bad[i]);
}
END_TEST

START_TEST(longest_fields)
{
    struct ipc_sign_in to;
    char body[8192], password[IPC_PASSWORD_SIZE + 1];
    memset(password, 'p', sizeof(password));
    password[IPC_PASSWORD_SIZE - 1] = '\0';
    snprintf(body, sizeof(body), "{\"username\":\"a\",\"password\":\"%s\",\"code\":\"1\"}",
             password);
    ck_assert(reads(body, &to));
    ck_assert_uint_eq(strlen(to.password), IPC_PASSWORD_SIZE - 1);
    password[IPC_PASSWORD_SIZE - 1] = 'p';
    password[IPC_PASSWORD_SIZE] = '\0';
    snprintf(body, sizeof(body), "{\"username\":\"a\",\"password\":\"%s\",\"code\":\"1\"}",
             password);
    ck_assert(!reads(body, &to));
}
END_TEST

int main(void)
{
    wiped_json_init();
    Suite *suite = suite_create("login_json");
    TCase *tests = tcase_create("login_json");
    tcase_add_test(tests, good_bodies);
    tcase_add_test(tests, bad_bodies);
    tcase_add_test(tests, longest_fields);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* What the gateway says, as JSON, and what is said to a person. */
#include "client_failure.h"
#include "client_json.h"
#include "client_status.h"

#include "suite.h"
#include "wiped_json.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

START_TEST(words_are_harmless)
{
    struct client_failure failure;
    ck_assert_int_eq(client_fail(&failure, CLIENT_FAULT_NAME, "%s", "a\x1b[2J\xc2\x9b\tb\nc"), -1);
    ck_assert_str_eq(failure.words, "a?[2J???b\nc");
    ck_assert_int_eq(client_failure_exit(failure.fault), EX_NOHOST);
}
END_TEST

START_TEST(pauses_grow_and_end_growing)
{
    for (uint32_t random = 0; random < 20000; random += 7) {
        uint32_t first = client_failure_backoff(1, random, 0);
        ck_assert_uint_ge(first, 500);
        ck_assert_uint_le(first, 1000);
        uint32_t late = client_failure_backoff(1000, random, 0);
        ck_assert_uint_ge(late, 7500);
        ck_assert_uint_le(late, 15000);
        ck_assert_uint_ge(client_failure_backoff(1, random, 30), 30000);
        ck_assert_uint_le(client_failure_backoff(1, random, UINT32_MAX), 3601000);
    }
}
END_TEST

START_TEST(bytes_for_people)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},          {999, "999 B"},         {1000, "1.0 kB"},       {999999, "999.9 kB"},
        {1000000, "1.0 MB"}, {1234567890, "1.2 GB"}, {UINT64_MAX, "18.4 EB"}};
    char text[CLIENT_STATUS_BYTES_SIZE];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        client_status_bytes(text, cases[i].bytes);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

static void answer_with(struct client_answer *answer, uint16_t status, const char *body)
{
    memset(answer, 0, sizeof(*answer));
    answer->head.status = status;
    answer->body = (char *)answer->bytes;
    answer->body_size = strlen(body);
    memcpy(answer->bytes, body, answer->body_size + 1);
}

START_TEST(login_is_escaped)
{
    char text[128];
    ck_assert(client_json_login(text, sizeof(text), "a\"b", "\\\n\x1f\xc3\xa4", "1"));
    ck_assert_str_eq(text, "{\"username\":\"a\\\"b\",\"password\":\"\\\\\\u000a\\u001f\xc3\xa4\","
                           "\"code\":\"1\"}");
    for (size_t size = 1; size <= strlen(text); size++) {
        char *exact = malloc(size);
        ck_assert(!client_json_login(exact, size, "a\"b", "\\\n\x1f\xc3\xa4", "1"));
        ck_assert_uint_lt(strlen(exact), size);
        free(exact);
    }
}
END_TEST

START_TEST(token_is_checked)
{
    static struct client_answer answer;
    char token[CLIENT_JSON_TOKEN_SIZE];
    int64_t expires;
    answer_with(&answer, 200,
                "{\"token\":\"AAAAAAAAAAAAAAAAAAAA-_9\",\"expires\":\"1970-01-02T00:00:01Z\"}");
    ck_assert(client_json_token(&answer, token, &expires));
    ck_assert_str_eq(token, "AAAAAAAAAAAAAAAAAAAA-_9");
    ck_assert_int_eq(expires, 86401);
    answer_with(&answer, 200, "{\"token\":\"AAAAAAAAAAAAAAAAAAAA\\r\\nX: y\"}");
    ck_assert(!client_json_token(&answer, token, &expires));
    answer_with(&answer, 200, "{\"token\":\"short\"}");
    ck_assert(!client_json_token(&answer, token, &expires));
    answer_with(&answer, 200, "[1]");
    ck_assert(!client_json_token(&answer, token, &expires));
    answer_with(&answer, 200, "");
    ck_assert(!client_json_token(&answer, token, &expires));
}
END_TEST

START_TEST(refusals_have_words)
{
    static struct client_answer answer;
    struct client_failure failure = {0};
    answer_with(&answer, 504,
                "{\"error\":\"desktop_asleep\",\"message\":\"It\\nsleeps.\",\"id\":\"00ff\"}");
    ck_assert_int_eq(client_json_refusal(&answer, &failure), -1);
    ck_assert_int_eq(failure.fault, CLIENT_FAULT_ASLEEP);
    ck_assert_str_eq(failure.words, "It sleeps. [id 00ff]");
    answer_with(&answer, 429, "<html>");
    answer.head.retry_after = 17;
    client_json_refusal(&answer, &failure);
    ck_assert_int_eq(failure.fault, CLIENT_FAULT_THROTTLED);
    ck_assert_uint_eq(failure.retry_seconds, 17);
    ck_assert_str_eq(failure.words, "too many attempts (try again in 17 s)");
    answer_with(&answer, 418, "{}");
    client_json_refusal(&answer, &failure);
    ck_assert_int_eq(failure.fault, CLIENT_FAULT_ANSWER);
}
END_TEST

START_TEST(desktops_are_listed)
{
    static struct client_answer answer;
    char others[16];
    answer_with(&answer, 200,
                "{\"desktops\":[{\"name\":\"one\"},{\"name\":\"two\"},"
                "{\"name\":\"a-long-name-that-does-not-fit\"}]}");
    ck_assert(client_json_has_desktop(&answer, "two", others, sizeof(others)));
    ck_assert(client_json_has_desktop(&answer, "TWO", others, sizeof(others)));
    ck_assert(!client_json_has_desktop(&answer, "three", others, sizeof(others)));
    ck_assert_str_eq(others, "one, two");
    answer_with(&answer, 200, "{\"desktops\":[]}");
    ck_assert(!client_json_has_desktop(&answer, "one", others, sizeof(others)));
    answer_with(&answer, 200, "{}");
    ck_assert(client_json_has_desktop(&answer, "one", others, sizeof(others)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("client_words");
    TCase *tests = tcase_create("client_words");
    wiped_json_init();
    tcase_add_test(tests, words_are_harmless);
    tcase_add_test(tests, pauses_grow_and_end_growing);
    tcase_add_test(tests, bytes_for_people);
    tcase_add_test(tests, login_is_escaped);
    tcase_add_test(tests, token_is_checked);
    tcase_add_test(tests, refusals_have_words);
    tcase_add_test(tests, desktops_are_listed);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

#include "ipc.h"
#include "reason.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static bool is_sentence(const char *text)
{
    size_t length = strlen(text);
    return length > 10 && text[0] >= 'A' && text[0] <= 'Z' && text[length - 1] == '.';
}

START_TEST(each_end_has_its_own_sentence)
{
    for (unsigned end = 0; end < IPC_ENDS; end++) {
        const char *words = reason_words(ipc_end_name(end));
        ck_assert_msg(is_sentence(words), "%s", ipc_end_name(end));
        for (unsigned other = 0; other < end; other++)
            ck_assert_str_ne(words, reason_words(ipc_end_name(other)));
    }
}
END_TEST

START_TEST(each_refusal_has_its_own_sentence)
{
    for (unsigned status = IPC_OK + 1; status <= IPC_FAILED; status++) {
        const char *words = reason_words(ipc_status_name(status));
        ck_assert_uint_gt(strlen(words), 10);
        for (unsigned other = IPC_OK + 1; other < status; other++)
            ck_assert_str_ne(words, reason_words(ipc_status_name(other)));
    }
}
END_TEST

START_TEST(anything_else)
{
    ck_assert_str_eq(reason_words(""), "");
    ck_assert_str_eq(reason_words("no such code"), reason_words("failed"));
    ck_assert_str_eq(reason_words("ok"), reason_words("failed"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reason");
    TCase *tests = tcase_create("reason");
    tcase_add_test(tests, each_end_has_its_own_sentence);
    tcase_add_test(tests, each_refusal_has_its_own_sentence);
    tcase_add_test(tests, anything_else);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

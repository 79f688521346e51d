/* What of a target the routes get to see. */
#include "http_target.h"

#include "suite.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *target, *host, *path; /* path: NULL, two different servers */
} cases[] = {
    {"/", "a", "/"},
    {"/x", NULL, "/x"},
    {"//a/x", "a", "//a/x"},
    {"/x://a/y", "a", "/x://a/y"},
    {"*", "a", "*"},
    {"", "a", ""},
    {"a:22", "a:22", "a:22"},
    {"https:/x", "a", "https:/x"},
    {"https:", "a", "https:"},
    {"://a/x", "a", "://a/x"},
    {"https://a/x", "a", "/x"},
    {"https://a", "a", "/"},
    {"https://a/", "a", "/"},
    {"HTTPS://Gateway.Example:8443/x", "gateway.example:8443", "/x"},
    {"https://[2001:db8::1]/x", "[2001:db8::1]", "/x"},
    {"https://a//x", "a", "//x"},
    {"https://a/x", NULL, NULL},
    {"https://a/x", "", NULL},
    {"https:///x", "", NULL},
    {"https://", "", NULL},
    {"https://a:443/x", "a", NULL},
    {"https://a/x", "a:443", NULL},
    {"https://a/x", "ab", NULL},
    {"https://ab/x", "a", NULL},
    {"https://b/x", "a", NULL},
    {"https://a@b/x", "b", NULL},
    {"https://a?x", "a", "?x"},
    {"http://a/x", "a", NULL},
    {"httpss://a/x", "a", NULL},
    {"ftp://a/x", "a", NULL},
};

START_TEST(paths)
{
    const char *path = http_target_path(cases[_i].target, "https", cases[_i].host);
    if (cases[_i].path)
        ck_assert_str_eq(path ? path : "NULL", cases[_i].path);
    else
        ck_assert_ptr_null(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_target");
    TCase *tests = tcase_create("http_target");
    tcase_add_loop_test(tests, paths, 0, sizeof(cases) / sizeof(*cases));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

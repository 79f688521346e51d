#include "route.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(the_table)
{
    static const struct {
        bool tls;
        const char *method, *path;
        const char *found; /* the route's path; NULL: none */
        const char *name;  /* what the path ends in */
        const char *allow;
    } table[] = {
        {true, "GET", "/", "/", "", NULL},
        {true, "HEAD", "/", "/", "", NULL},
        {true, "POST", "/", NULL, "", "GET, HEAD"},
        {true, "GET", "", NULL, "", NULL},
        {true, "GET", "//", NULL, "", NULL},
        {true, "GET", "/healthz", "/healthz", "", NULL},
        {true, "GET", "/healthz/", NULL, "", NULL},
        {true, "GET", "/HEALTHZ", NULL, "", NULL},
        {true, "POST", "/api/login", "/api/login", "", NULL},
        {true, "GET", "/api/login", NULL, "", "POST"},
        {true, "PUT", "/api/login", NULL, "", "POST"},
        {true, "get", "/healthz", NULL, "", "GET, HEAD"},
        {true, "GET", "/tunnel/desk", "/tunnel/*", "desk", NULL},
        {true, "GET", "/tunnel/de%73k", "/tunnel/*", "desk", NULL},
        {true, "GET", "/tunnel/", NULL, "", NULL},
        {true, "GET", "/tunnel", NULL, "", NULL},
        {true, "GET", "/tunnel/a/b", NULL, NULL, NULL},
        {true, "GET", "/tunnel/a%2fb", NULL, NULL, NULL},
        {true, "GET", "/tunnel/a%00b", NULL, NULL, NULL},
        {true, "GET", "/tunnel/a%0", NULL, NULL, NULL},
        {true, "GET", "/tunnel/a%zz", NULL, NULL, NULL},
        {true, "GET", "/tunnel/a%", NULL, NULL, NULL},
        {true, "GET", "/tunnel/../api/login", NULL, NULL, NULL},
        {true, "GET", "/.well-known/acme-challenge/abc", NULL, "", NULL},
        {false, "GET", "/.well-known/acme-challenge/abc", "/.well-known/acme-challenge/*", "abc",
         NULL},
        {false, "GET", "/anything", NULL, "", NULL},
        {false, "POST", "/api/login", NULL, "", "GET, HEAD"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct request request = {0};
        const char *allow;
        const struct route *route =
            route_find(&request, table[i].tls, table[i].method, table[i].path, &allow);
        if (!table[i].tls && !table[i].found && !table[i].allow) {
            ck_assert_ptr_nonnull(route); /* the redirect */
            ck_assert_ptr_null(route->path);
            continue;
        }
        ck_assert_msg((route != NULL) == (table[i].found != NULL), "%s %s", table[i].method,
                      table[i].path);
        if (route)
            ck_assert_str_eq(route->path, table[i].found);
        if (table[i].name && route)
            ck_assert_str_eq(request.name, table[i].name);
        ck_assert_pstr_eq(allow, table[i].allow);
    }
}
END_TEST

START_TEST(a_long_name_is_no_route)
{
    struct request request = {0};
    const char *allow;
    char path[400] = "/tunnel/";
    memset(path + 8, 'a', sizeof(path) - 9);
    path[8 + sizeof(request.name) - 1] = '\0';
    ck_assert_ptr_nonnull(route_find(&request, true, "GET", path, &allow));
    path[8 + sizeof(request.name) - 1] = 'a';
    path[8 + sizeof(request.name)] = '\0';
    ck_assert_ptr_null(route_find(&request, true, "GET", path, &allow));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route");
    TCase *tests = tcase_create("route");
    tcase_add_test(tests, the_table);
    tcase_add_test(tests, a_long_name_is_no_route);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

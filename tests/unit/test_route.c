#include "route.h"

#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(the_table)
{
    static const struct {
        enum route_table which;
        const char *method, *path;
        const char *found; /* the route's path; NULL: none */
        const char *name;  /* what the path ends in */
        const char *allow;
    } table[] = {
        {ROUTE_TABLE_TLS, "GET", "/", "/", "", NULL},
        {ROUTE_TABLE_TLS, "HEAD", "/", "/", "", NULL},
        {ROUTE_TABLE_TLS, "POST", "/", NULL, "", "GET, HEAD"},
        {ROUTE_TABLE_TLS, "GET", "", NULL, "", NULL},
        {ROUTE_TABLE_TLS, "GET", "//", NULL, "", NULL},
        {ROUTE_TABLE_TLS, "GET", "/healthz", "/healthz", "", NULL},
        {ROUTE_TABLE_TLS, "GET", "/healthz/", NULL, "", NULL},
        {ROUTE_TABLE_TLS, "GET", "/HEALTHZ", NULL, "", NULL},
        {ROUTE_TABLE_TLS, "POST", "/api/login", "/api/login", "", NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/login", NULL, "", "POST"},
        {ROUTE_TABLE_TLS, "PUT", "/api/login", NULL, "", "POST"},
        {ROUTE_TABLE_TLS, "get", "/healthz", NULL, "", "GET, HEAD"},
        {ROUTE_TABLE_TLS, "GET", "/tunnel/desk", "/tunnel/*", "desk", NULL},
        {ROUTE_TABLE_TLS, "GET", "/tunnel/de%73k", "/tunnel/*", "desk", NULL},
        {ROUTE_TABLE_TLS, "GET", "/tunnel/", NULL, "", NULL},
        {ROUTE_TABLE_TLS, "GET", "/tunnel", NULL, "", NULL},
        {ROUTE_TABLE_TLS, "GET", "/tunnel/a/b", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/tunnel/a%2fb", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/tunnel/a%00b", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/tunnel/a%0", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/tunnel/a%zz", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/tunnel/a%", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/tunnel/../api/login", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/desk/state", "/api/desktops/*/state", "desk", NULL},
        {ROUTE_TABLE_TLS, "HEAD", "/api/desktops/de%73k/state", "/api/desktops/*/state", "desk",
         NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/state/state", "/api/desktops/*/state", "state",
         NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/%2e%2e/state", "/api/desktops/*/state", "..", NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/desk/rdp", "/api/desktops/*/rdp", "desk", NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/desk/ticket", NULL, NULL, "POST"},
        {ROUTE_TABLE_TLS, "POST", "/api/desktops/desk/ticket", "/api/desktops/*/ticket", "desk",
         NULL},
        {ROUTE_TABLE_TLS, "POST", "/api/desktops/desk/state", NULL, NULL, "GET, HEAD"},
        {ROUTE_TABLE_TLS, "POST", "/api/desktops/%zz/state", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/desk/state/", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/desk/state/x", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/desk/stat", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/desk/states", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/desk%2fstate", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/desk/%73tate", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/a%2fb/state", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/a%00/state", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/a%/state", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/a%2/state", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops//state", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/desk", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/desktops/a/b/state", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/visits/12", "/api/visits/*", "12", NULL},
        {ROUTE_TABLE_TLS, "DELETE", "/api/visits/12", NULL, NULL, "GET, HEAD"},
        {ROUTE_TABLE_TLS, "GET", "/api/visits/", NULL, NULL, NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/sessions", "/api/sessions", "", NULL},
        {ROUTE_TABLE_TLS, "POST", "/api/sessions/end", "/api/sessions/end", "", NULL},
        {ROUTE_TABLE_TLS, "GET", "/api/sessions/end", NULL, "", "POST"},
        {ROUTE_TABLE_TLS, "OPTIONS", "/api/password", NULL, "", "POST"},
        {ROUTE_TABLE_TLS, "GET", "/rdcleanpath", "/rdcleanpath", "", NULL},
        {ROUTE_TABLE_TLS, "GET", "/rdcleanpath/", NULL, "", NULL},
        {ROUTE_TABLE_TLS, "GET", "/.well-known/acme-challenge/abc", NULL, "", NULL},
        {ROUTE_TABLE_PLAIN, "GET", "/.well-known/acme-challenge/abc",
         "/.well-known/acme-challenge/*", "abc", NULL},
        {ROUTE_TABLE_PLAIN, "GET", "/anything", NULL, "", NULL},
        {ROUTE_TABLE_PLAIN, "POST", "/.well-known/acme-challenge/abc", NULL, NULL, "GET, HEAD"},
        {ROUTE_TABLE_PLAIN, "POST", "/api/login", NULL, "", "GET, HEAD"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct request request = {0};
        const char *allow;
        const struct route *route =
            route_find(&request, table[i].which, table[i].method, table[i].path, &allow);
        if (table[i].which == ROUTE_TABLE_PLAIN && !table[i].found && !table[i].allow) {
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
    ck_assert_ptr_nonnull(route_find(&request, ROUTE_TABLE_TLS, "GET", path, &allow));
    path[8 + sizeof(request.name) - 1] = 'a';
    path[8 + sizeof(request.name)] = '\0';
    ck_assert_ptr_null(route_find(&request, ROUTE_TABLE_TLS, "GET", path, &allow));
}
END_TEST

/* Each listener serves its own table and nothing of another's. */
START_TEST(metrics_are_apart)
{
    struct request request = {0};
    const char *allow;
    ck_assert_ptr_nonnull(route_find(&request, ROUTE_TABLE_METRICS, "GET", "/metrics", &allow));
    ck_assert_ptr_nonnull(route_find(&request, ROUTE_TABLE_METRICS, "HEAD", "/metrics", &allow));
    ck_assert_ptr_null(route_find(&request, ROUTE_TABLE_METRICS, "POST", "/metrics", &allow));
    ck_assert_str_eq(allow, "GET, HEAD");
    ck_assert_ptr_null(route_find(&request, ROUTE_TABLE_METRICS, "GET", "/", &allow));
    ck_assert_ptr_null(route_find(&request, ROUTE_TABLE_METRICS, "GET", "/api/session", &allow));
    ck_assert_ptr_null(route_find(&request, ROUTE_TABLE_METRICS, "POST", "/api/login", &allow));
    ck_assert_ptr_null(route_find(&request, ROUTE_TABLE_TLS, "GET", "/metrics", &allow));
    const struct route *plain = route_find(&request, ROUTE_TABLE_PLAIN, "GET", "/metrics", &allow);
    ck_assert(plain && !plain->path); /* the redirect */
}
END_TEST

/* Nothing that acts in a session's name may be asked by a page of another site. */
START_TEST(what_posts_need)
{
    static const char *const paths[] = {
        "/api/setup",  "/api/setup/finish", "/api/login",
        "/api/logout", "/api/sessions/end", "/api/password",
        "/api/totp",   "/api/totp/confirm", "/api/desktops/d/ticket",
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        struct request request = {0};
        const char *allow;
        const struct route *route = route_find(&request, ROUTE_TABLE_TLS, "POST", paths[i], &allow);
        ck_assert_ptr_nonnull(route);
        ck_assert(route->needs & (ROUTE_OUR_PAGES | ROUTE_SAME_ORIGIN));
        ck_assert(!(route->needs & ROUTE_SESSION) || route->needs & ROUTE_SAME_ORIGIN);
        ck_assert(strcmp(paths[i], "/api/logout") == 0 || route->needs & ROUTE_JSON);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route");
    TCase *tests = tcase_create("route");
    tcase_add_test(tests, the_table);
    tcase_add_test(tests, a_long_name_is_no_route);
    tcase_add_test(tests, metrics_are_apart);
    tcase_add_test(tests, what_posts_need);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

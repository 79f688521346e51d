#include "route.h"

#include "suite.h"

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
        {true, "GET", "/api/desktops/desk/state", "/api/desktops/*/state", "desk", NULL},
        {true, "HEAD", "/api/desktops/de%73k/state", "/api/desktops/*/state", "desk", NULL},
        {true, "GET", "/api/desktops/state/state", "/api/desktops/*/state", "state", NULL},
        {true, "GET", "/api/desktops/%2e%2e/state", "/api/desktops/*/state", "..", NULL},
        {true, "GET", "/api/desktops/desk/rdp", "/api/desktops/*/rdp", "desk", NULL},
        {true, "GET", "/api/desktops/desk/ticket", NULL, NULL, "POST"},
        {true, "POST", "/api/desktops/desk/ticket", "/api/desktops/*/ticket", "desk", NULL},
        {true, "POST", "/api/desktops/desk/state", NULL, NULL, "GET, HEAD"},
        {true, "POST", "/api/desktops/%zz/state", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/desk/state/", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/desk/state/x", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/desk/stat", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/desk/states", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/desk%2fstate", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/desk/%73tate", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/a%2fb/state", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/a%00/state", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/a%/state", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/a%2/state", NULL, NULL, NULL},
        {true, "GET", "/api/desktops//state", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/desk", NULL, NULL, NULL},
        {true, "GET", "/api/desktops/a/b/state", NULL, NULL, NULL},
        {true, "GET", "/api/visits/12", "/api/visits/*", "12", NULL},
        {true, "DELETE", "/api/visits/12", NULL, NULL, "GET, HEAD"},
        {true, "GET", "/api/visits/", NULL, NULL, NULL},
        {true, "GET", "/api/sessions", "/api/sessions", "", NULL},
        {true, "POST", "/api/sessions/end", "/api/sessions/end", "", NULL},
        {true, "GET", "/api/sessions/end", NULL, "", "POST"},
        {true, "OPTIONS", "/api/password", NULL, "", "POST"},
        {true, "GET", "/rdcleanpath", "/rdcleanpath", "", NULL},
        {true, "GET", "/rdcleanpath/", NULL, "", NULL},
        {true, "GET", "/.well-known/acme-challenge/abc", NULL, "", NULL},
        {false, "GET", "/.well-known/acme-challenge/abc", "/.well-known/acme-challenge/*", "abc",
         NULL},
        {false, "GET", "/anything", NULL, "", NULL},
        {false, "POST", "/.well-known/acme-challenge/abc", NULL, NULL, "GET, HEAD"},
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
        const struct route *route = route_find(&request, true, "POST", paths[i], &allow);
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

#include "asset.h"

#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t bytes[] = "x";

static const struct web_asset all = {.path = "/all",
                                     .type = "text/plain",
                                     .identity = {bytes, 1, "\"i\""},
                                     .gzip = {bytes, 1, "\"g\""},
                                     .brotli = {bytes, 1, "\"b\""}};
static const struct web_asset bare = {
    .path = "/bare", .type = "text/plain", .identity = {bytes, 1, "\"i\""}};

/* The Content-Encoding chosen for these lines of Accept-Encoding. */
static const char *chosen(const struct web_asset *asset, const char *line, const char *second)
{
    struct asset_accept accept = ASSET_ACCEPT_NONE;
    const char *coding;
    if (line)
        asset_accept_line(&accept, line);
    if (second)
        asset_accept_line(&accept, second);
    const struct web_body *body = asset_choose(asset, &accept, &coding);
    ck_assert_ptr_eq(body, !coding                     ? &asset->identity
                           : strcmp(coding, "br") == 0 ? &asset->brotli
                                                       : &asset->gzip);
    return coding ? coding : "identity";
}

START_TEST(the_coding_that_is_chosen)
{
    static const struct {
        const char *line, *second, *coding;
    } table[] = {
        {NULL, NULL, "identity"},
        {"", NULL, "identity"},
        {"br", NULL, "br"},
        {"gzip", NULL, "gzip"},
        {"x-gzip", NULL, "gzip"},
        {"GZip", NULL, "gzip"},
        {"gzip, deflate, br", NULL, "br"},
        {"gzip, deflate, br, zstd", NULL, "br"},
        {"gzip", "br", "br"},
        {"deflate", NULL, "identity"},
        {"identity", NULL, "identity"},
        {"*", NULL, "br"},
        {"*;q=0", NULL, "identity"},
        {"gzip, *;q=0", NULL, "gzip"},
        {"br;q=0, *", NULL, "gzip"},
        {"br;q=0, gzip;q=0", NULL, "identity"},
        {"identity;q=0, br;q=0, gzip;q=0", NULL, "identity"},
        {"br;q=0.5, gzip;q=0.8", NULL, "gzip"},
        {"br;q=0.8, gzip;q=0.8", NULL, "br"},
        {"br;q=0.001", NULL, "br"},
        {"gzip;q=0.5, identity", NULL, "identity"},
        {"gzip;q=0.5, identity;q=0.5", NULL, "gzip"},
        {"gzip;q=0.5, identity;q=0.499", NULL, "gzip"},
        {" \t, ,br \t; \tq=1.000 ,, ", NULL, "br"},
        {"br;Q=0.3,gzip;q=0.2", NULL, "br"},
        {"br;q=", NULL, "identity"},
        {"br;q=2", NULL, "identity"},
        {"br;q=1.001", NULL, "identity"},
        {"br;q=0.1234", NULL, "identity"},
        {"br;q=-1", NULL, "identity"},
        {"br;q=0,5", NULL, "identity"},
        {"br;q=1x", NULL, "identity"},
        {"br;level=9", NULL, "identity"},
        {"brotli, bro, b, r", NULL, "identity"},
        {"br gzip", NULL, "identity"},
        {";", NULL, "identity"},
        {";q=1", NULL, "identity"},
        {"*;q=0.1, gzip;q=0.05", NULL, "br"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        ck_assert_msg(strcmp(chosen(&all, table[i].line, table[i].second), table[i].coding) == 0,
                      "%s", table[i].line);
}
END_TEST

START_TEST(a_variant_that_is_not_there_is_not_chosen)
{
    static const char *const lines[] = {"br", "gzip", "*", "gzip, br, identity;q=0"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        ck_assert_str_eq(chosen(&bare, lines[i], NULL), "identity");
}
END_TEST

START_TEST(the_etags_that_are_known)
{
    static const struct {
        const char *header;
        bool known;
    } table[] = {
        {"\"abc-br\"", true},
        {"W/\"abc-br\"", true},
        {"*", true},
        {" * ", true},
        {"\"x\", \"abc-br\"", true},
        {"\"x\",W/\"abc-br\",\"y\"", true},
        {"\"a,b\" , \"abc-br\"", true},
        {"", false},
        {"\"abc\"", false},
        {"\"abc-gz\"", false},
        {"\"abc-br", false},
        {"abc-br", false},
        {"\"x \"abc-br\"", false},
        {"w/\"abc-br\"", false},
        {"*, \"y\"", false},
        {"W/", false},
        {"\"", false},
        {"\"\"", false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        ck_assert_msg(asset_known(table[i].header, "\"abc-br\"") == table[i].known, "%s",
                      table[i].header);
}
END_TEST

START_TEST(files_are_found_by_their_path)
{
    ck_assert_uint_gt(web_asset_count, 1);
    for (size_t i = 0; i < web_asset_count; i++) {
        ck_assert_ptr_eq(asset_find(web_assets[i].path), &web_assets[i]);
        ck_assert_ptr_nonnull(web_assets[i].identity.data);
        if (i > 0)
            ck_assert_int_lt(strcmp(web_assets[i - 1].path, web_assets[i].path), 0);
    }
    ck_assert_str_eq(asset_find("/")->path, "/index.html");
    static const char *const none[] = {"", "index.html", "/index", "/index.html/", "//", "/web.h"};
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        ck_assert_ptr_null(asset_find(none[i]));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("asset");
    TCase *tests = tcase_create("asset");
    tcase_add_test(tests, the_coding_that_is_chosen);
    tcase_add_test(tests, a_variant_that_is_not_there_is_not_chosen);
    tcase_add_test(tests, the_etags_that_are_known);
    tcase_add_test(tests, files_are_found_by_their_path);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

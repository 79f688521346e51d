/* What a person types: the command line, names and codes. */
#include "client_ask.h"
#include "client_options.h"

#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static int parse(struct client_options *options, const char *line)
{
    static char buffer[512];
    static char *words[32];
    int count = 0;
    snprintf(buffer, sizeof(buffer), "%s", line);
    for (char *word = strtok(buffer, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    words[count] = NULL;
    return client_options_parse(options, CLIENT_CONNECT, count, words);
}

START_TEST(options_good)
{
    struct client_options options;
    ck_assert_int_eq(parse(&options, "connect https://gw:8443 pc"), EX_OK);
    ck_assert_str_eq(options.desktop, "pc");
    ck_assert_uint_eq(options.gateway.port, 8443);
    ck_assert_int_eq(options.credentials_fd, -1);
    ck_assert_int_eq(parse(&options, "connect --user a gw pc --retry 0 -- rdp --user b"), EX_OK);
    ck_assert_str_eq(options.user, "a");
    ck_assert_uint_eq(options.retry_ms, 0);
    ck_assert_str_eq(options.words[0], "rdp");
    ck_assert_str_eq(options.words[2], "b");
    ck_assert_int_eq(parse(&options, "connect --allow-remote --listen 0.0.0.0:1 gw pc"), EX_OK);
    ck_assert_int_eq(parse(&options, "connect --stdio --credentials-fd 2 gw pc"), EX_OK);
}
END_TEST

static const char *const bad_lines[] = {
    "connect",
    "connect gw",
    "connect gw pc more",
    "connect gw ../pc",
    "connect http://gw pc",
    "connect --nonsense gw pc",
    "connect gw pc --user",
    "connect --listen 0.0.0.0:1 gw pc",
    "connect --listen x gw pc",
    "connect --fingerprint 12 gw pc",
    "connect --credentials-fd 999 gw pc",
    "connect --credentials-fd x gw pc",
    "connect --retry x gw pc",
    "connect --stdio --credentials-fd 0 gw pc",
    "connect --stdio gw pc -- rdp",
    "connect --exec a gw pc -- rdp",
    "connect gw pc --",
};

START_TEST(options_bad)
{
    struct client_options options;
    ck_assert_msg(parse(&options, bad_lines[_i]) == EX_USAGE, "%s", bad_lines[_i]);
}
END_TEST

static const struct {
    const char *typed, *meant;
} codes[] = {
    {"123456", "123456"},
    {"123 456", "123456"},
    {"1. abcd-EFGH-jkmn-pqrs", "abcdefghjkmnpqrs"},
    {"10)abcd efgh jkmn pqrs", "abcdefghjkmnpqrs"},
    {"1234.", "1234"},
    {"\xef\xbc\x91\xef\xbc\x90\xef\xbc\x99", "109"},          /* U+FF11 FF10 FF19 */
    {"\xef\xbd\x81\xef\xbc\xba\xef\xbc\x8d\x62", "azb"},      /* U+FF41 FF3A FF0D */
    {"\xef\xbd\x9f\xef\xbc\x80\xef\xbd\xa1\xef\xbf\xbf", ""}, /* beyond these */
    {"\xc2\xb9\xe2\x80\x90"
     "1",
     "1"},
    {"\xef\xbc", ""},
    {"--", ""},
    {"", ""},
    {"12345678901234567890", "1234567890123456"},
};

START_TEST(codes_are_as_meant)
{
    char to[17];
    ck_assert(client_ask_code(to, sizeof(to), codes[_i].typed) == (codes[_i].meant[0] != '\0'));
    ck_assert_str_eq(to, codes[_i].meant);
}
END_TEST

START_TEST(spaces_at_the_ends_are_nobodys)
{
    static const char lines[] = " \tanna\xc2\xa0\n\xe3\x80\x80"
                                "a b \xe3\x80\x80\r\n pass \n  \n";
    struct client_failure failure = {0};
    char to[32];
    int ends[2], never[2];
    ck_assert_int_eq(pipe(ends) | pipe(never), 0);
    ck_assert_int_eq(write(ends[1], lines, sizeof(lines) - 1), (ssize_t)sizeof(lines) - 1);
    struct client_ask ask = {.fd = ends[0], .cancel = never[0]};
    ck_assert_int_eq(client_ask(&ask, "", false, to, sizeof(to), &failure), 0);
    ck_assert_str_eq(to, "anna");
    ck_assert_int_eq(client_ask(&ask, "", false, to, sizeof(to), &failure), 0);
    ck_assert_str_eq(to, "a b");
    ck_assert_int_eq(client_ask(&ask, "", true, to, sizeof(to), &failure), 0);
    ck_assert_str_eq(to, " pass ");
    ck_assert_int_eq(client_ask(&ask, "", false, to, sizeof(to), &failure), -1);
    ck_assert_int_eq(failure.fault, CLIENT_FAULT_INPUT);
}
END_TEST

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

int main(void)
{
    Suite *suite = suite_create("client_typed");
    TCase *tests = tcase_create("client_typed");
    tcase_add_test(tests, options_good);
    tcase_add_loop_test(tests, options_bad, 0, COUNT(bad_lines));
    tcase_add_loop_test(tests, codes_are_as_meant, 0, COUNT(codes));
    tcase_add_test(tests, spaces_at_the_ends_are_nobodys);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

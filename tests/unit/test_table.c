/* Tables, the harmless form of text, and times: what the command line prints. */
#include "plain.h"
#include "suite.h"
#include "table.h"
#include "when.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

START_TEST(test_plain)
{
    static const struct {
        const char *text, *plain;
    } cases[] = {
        {"desk", "desk"},
        {"", ""},
        {"Büro 東京", "Büro 東京"},
        {"a\033[31mred", "a\\x1b[31mred"},
        {"tab\there\nline\r", "tab\\x09here\\x0aline\\x0d"},
        {"del\x7f", "del\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\u{9b}31m"}, /* CSI as one C1 character */
        {"\x9b"
         "31m",
         "\\x9b31m"}, /* and as a bare byte */
        {"abc\xe2\x80\xae"
         "fed",
         "abc\\u{202e}fed"},                          /* right-to-left override */
        {"\xe2\x80\x8b", "\\u{200b}"},                /* zero-width space */
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond U+10FFFF */
        {"cut\xe2\x82", "cut\\xe2\\x82"},             /* ends within a character */
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},     /* emoji stays */
    };
    char *plain = plain_new(cases[_i].text);

    ck_assert_str_eq(plain, cases[_i].plain);
    free(plain);
}
END_TEST
#define PLAIN_CASES 15

START_TEST(test_width)
{
    ck_assert_uint_eq(plain_width(""), 0);
    ck_assert_uint_eq(plain_width("desk"), 4);
    ck_assert_uint_eq(plain_width("Büro"), 4);
    ck_assert_uint_eq(plain_width("東京"), 4);
    ck_assert_uint_eq(plain_width("e\xcc\x81"), 1); /* e and a combining acute */
}
END_TEST

static char *print_table(const char *const *heads, const char *const (*rows)[3], size_t count)
{
    struct table table;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    table_init(&table, heads);
    for (size_t i = 0; i < count; i++)
        table_row(&table, rows[i]);
    ck_assert(table_print(&table, out));
    table_deinit(&table);
    table_deinit(&table);
    fclose(out);
    return text;
}

START_TEST(test_aligned)
{
    static const char *const heads[] = {"NAME", ">PORT", "DESCRIPTION", NULL};
    static const char *const rows[][3] = {
        {"a", "3389", "東京"}, {"longer", "22", NULL}, {"é", "1", "\033]0;x\a"}};
    char *text = print_table(heads, rows, 3);

    ck_assert_str_eq(text, "NAME    PORT  DESCRIPTION\n"
                           "a       3389  東京\n"
                           "longer    22  -\n"
                           "é          1  \\x1b]0;x\\x07\n");
    free(text);
}
END_TEST

START_TEST(test_many_rows)
{
    static const char *const heads[] = {"A", "B", "C", NULL};
    static const char *const row[] = {"1", "2", "3"};
    struct table table;
    FILE *out = fopen("/dev/full", "w");

    table_init(&table, heads);
    for (unsigned i = 0; i < 1000; i++)
        table_row(&table, row);
    ck_assert_uint_eq(table.rows, 1000);
    ck_assert(!table_print(&table, out)); /* a full disk is told */
    fclose(out);
    table_deinit(&table);
}
END_TEST

START_TEST(test_when_format)
{
    char text[WHEN_SIZE];

    setenv("TZ", "IST-5:30", 1);
    tzset();
    ck_assert_str_eq(when_local(0, text), "");
    ck_assert_str_eq(when_local(1700000000, text), "2023-11-15T03:43:20+05:30");
    ck_assert_str_eq(when_local_ms(1700000000007, text), "2023-11-15T03:43:20.007+05:30");
    ck_assert_str_eq(when_utc_ms(1700000000123, text), "2023-11-14T22:13:20.123Z");
    setenv("TZ", "NST3:30", 1);
    tzset();
    ck_assert_str_eq(when_local(1700000000, text), "2023-11-14T18:43:20-03:30");
}
END_TEST

START_TEST(test_when_past)
{
    static const struct {
        const char *text;
        int64_t at; /* -1: refused */
    } cases[] = {
        {"90s", 1700000000 - 90},
        {"15m", 1700000000 - 900},
        {"2h", 1700000000 - 7200},
        {"7d", 1700000000 - 604800},
        {"2023-11-14", 1699920000 - 7200},
        {"2023-11-14T22:13:20", 1700000000 - 7200},
        {"2023-11-14 22:13", 1700000000 - 7220},
        {"2023-11-14T22:13:20Z", 1700000000},
        {"2023-11-14T22:13:20+01:00", 1700000000 - 3600},
        {"2023-11-14T22:13:20-01:30", 1700000000 + 5400},
        {"", -1},
        {"h", -1},
        {"-5m", -1},
        {"5y", -1},
        {"99999999999h", -1},
        {"yesterday", -1},
        {"2023-02-31", -1},
        {"2023-13-01", -1},
        {"2023-11-14T22:13:20+1:00", -1},
        {"2023-11-14T22:13:20 rubbish", -1},
        {"2023-11-14T22:13:20+99:00", -1},
    };
    int64_t at = -1;

    setenv("TZ", "EET-2", 1);
    tzset();
    ck_assert_msg(when_past(cases[_i].text, WHEN_DAY_BEGINS, 1700000000, &at) ==
                      (cases[_i].at >= 0),
                  "%s", cases[_i].text);
    ck_assert_int_eq(at, cases[_i].at);
}
END_TEST
#define WHEN_CASES 21

START_TEST(test_when_ahead)
{
    int64_t at = -1;

    setenv("TZ", "EET-2", 1);
    tzset();
    ck_assert(when_ahead("7d", WHEN_DAY_ENDS, 1700000000, &at));
    ck_assert_int_eq(at, 1700000000 + 604800);
    ck_assert(when_ahead("2023-11-14T22:13:20Z", WHEN_DAY_ENDS, 1700000000, &at));
    ck_assert_int_eq(at, 1700000000);
    ck_assert(!when_ahead("-7d", WHEN_DAY_ENDS, 1700000000, &at));
    ck_assert(!when_ahead("soon", WHEN_DAY_ENDS, 1700000000, &at));
    ck_assert(!when_date("7d", WHEN_DAY_ENDS, &at));
    ck_assert(when_date("2023-11-14T22:13:20Z", WHEN_DAY_ENDS, &at));
}
END_TEST

START_TEST(test_when_day_ends)
{
    static const struct {
        const char *text;
        int64_t at; /* -1: refused */
    } cases[] = {
        {"2026-07-01", 1782943200},       /* 24 hours, to 2026-07-01T22:00Z */
        {"2026-10-25", 1792969200},       /* 25, to 2026-10-25T23:00Z */
        {"2026-03-29", 1774821600},       /* 23, to 2026-03-29T22:00Z */
        {"2026-12-31", 1798758000},       /* to 2026-12-31T23:00Z */
        {"2026-12-31Z", 1798761600},      /* to 2027-01-01T00:00Z */
        {"2028-02-29", 1835478000},       /* to 2028-02-29T23:00Z */
        {"2026-12-31T00:00", 1798671600}, /* a time is meant as it is */
        {"2026-02-30", -1},
        {"1970-01-01T00:00Z", -1}, /* elsewhere 0 is no date at all */
        {"1960-01-01", -1},
    };
    int64_t at = -1;

    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    bool good = when_ahead(cases[_i].text, WHEN_DAY_ENDS, 1700000000, &at);
    ck_assert_msg(good == (cases[_i].at >= 0), "%s", cases[_i].text);
    if (good)
        ck_assert_int_eq(at, cases[_i].at);
}
END_TEST
#define DAY_CASES 10

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, test_plain, 0, PLAIN_CASES);
    tcase_add_test(all, test_width);
    tcase_add_test(all, test_aligned);
    tcase_add_test(all, test_many_rows);
    tcase_add_test(all, test_when_format);
    tcase_add_loop_test(all, test_when_past, 0, WHEN_CASES);
    tcase_add_test(all, test_when_ahead);
    tcase_add_loop_test(all, test_when_day_ends, 0, DAY_CASES);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}

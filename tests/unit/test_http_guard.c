/* What passes to libmicrohttpd, and what does not: a table, each text cut everywhere. */
#include "http_guard.h"

#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST /x HTTP/1.1\r\nHost: a\r\n"
#define TEXT(text) text, sizeof(text) - 1

static const struct {
    const char *text;
    size_t size;
    unsigned verdict;
} cases[] = {
    {TEXT(GET "\r\n"), 0},
    {TEXT("\r\n\r\n" GET "\r\n"), 0},
    {TEXT(GET "\r\n" GET "\r\n\r\n" GET "\r\n"), 0},
    {TEXT("GET / HTTP/1.0\r\n\r\n"), 0},
    {TEXT("OPTIONS * HTTP/1.1\r\nHOST:a:443\r\n\r\n"), 0},
    {TEXT("GET / HTTP/1.1\r\nHost: [2001:db8::1]:8443 \t\r\nX:\r\nY: \xc3\xa4\tb\r\n\r\n"), 0},
    {TEXT(POST "Content-Length: 3\r\n\r\n\n\r\0" GET "\r\n"), 0},
    {TEXT(POST "content-length:\t003 \r\n\r\nabc" GET "\r\n"), 0},
    {TEXT(POST "Content-Length: 0\r\n\r\n" GET "\r\n"), 0},
    {TEXT(POST "Transfer-Encoding: Chunked\r\n\r\n3;x=y\r\n\n\n\n\r\n0\r\nT: u\r\n\r\n" GET "\r\n"),
     0},
    {TEXT("RDG_OUT_DATA / HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {TEXT(GET "Upgrade: websocket\r\n\r\n\n\0\xff rubbish"), 0},
    {TEXT(POST "Upgrade: x\r\nContent-Length: 2\r\n\r\nab\n\n"), 0},
    {TEXT(GET "X-Transfer-Encoding-And-More-Of-It: gzip\r\n\r\n"), 0},

    {TEXT("\r\n\r\n\r\n\r\n\r\n" GET "\r\n"), 400},
    {TEXT("\n" GET "\r\n"), 400},
    {TEXT("\r\r\n" GET "\r\n"), 400},
    {TEXT(" " GET "\r\n"), 400},
    {TEXT("G@T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {TEXT("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {TEXT("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {TEXT("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {TEXT("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {TEXT("GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {TEXT("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {TEXT("GET /\r\n\r\n"), 400},
    {TEXT("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 400},
    {TEXT("GET / http/1.1\r\nHost: a\r\n\r\n"), 400},
    {TEXT("GET / HTTP/1.10\r\nHost: a\r\n\r\n"), 400},
    {TEXT("GET / HTTP/1.1\nHost: a\n\n"), 400},
    {TEXT("GET / HTTP/1.1\r\rHost: a\r\n\r\n"), 400},
    {TEXT("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505},
    {TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},
    {TEXT("GET / HTTP/1.1\r\n\r\n"), 400},
    {TEXT(GET "Host: a\r\n\r\n"), 400},
    {TEXT("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), 400},
    {TEXT("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400},
    {TEXT(GET "X: a\r\n b\r\n\r\n"), 400},
    {TEXT("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400},
    {TEXT(GET "X : a\r\n\r\n"), 400},
    {TEXT(GET "X Y: a\r\n\r\n"), 400},
    {TEXT(GET ": a\r\n\r\n"), 400},
    {TEXT(GET "nonsense\r\n\r\n"), 400},
    {TEXT(GET "X: a\n\r\n"), 400},
    {TEXT(GET "X: a\rY: b\r\n\r\n"), 400},
    {TEXT(GET "X: a\0b\r\n\r\n"), 400},
    {TEXT(GET "X: a\x7f\r\n\r\n"), 400},
    {TEXT(GET "\rX"), 400},
    {TEXT(POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n"), 400},
    {TEXT(POST "Content-Length: 2, 2\r\n\r\n"), 400},
    {TEXT(POST "Content-Length: +2\r\n\r\n"), 400},
    {TEXT(POST "Content-Length: -2\r\n\r\n"), 400},
    {TEXT(POST "Content-Length: 0x2\r\n\r\n"), 400},
    {TEXT(POST "Content-Length: 2 x\r\n\r\n"), 400},
    {TEXT(POST "Content-Length:\r\n\r\n"), 400},
    {TEXT(POST "Content-Length: 18446744073709551618\r\n\r\n"), 400},
    {TEXT(POST "Content-Length: 00000000000000000000000000000002\r\n\r\n"), 400},
    {TEXT(POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {TEXT(POST "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"), 400},
    {TEXT(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {TEXT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {TEXT(POST "Transfer-Encoding: xchunked\r\n\r\n"), 501},
    {TEXT(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501},
    {TEXT(POST "Transfer-Encoding: chunked;x\r\n\r\n"), 501},
    {TEXT(POST "Transfer-Encoding:\r\n\r\n"), 501},
    {TEXT(POST "Transfer-Encoding: chunked-and-so-on-and-so-forth\r\n\r\n"), 501},
    {TEXT(POST "Transfer-Encoding: chunked\r\n\r\n0x2\r\n"), 400},
    {TEXT(POST "Transfer-Encoding: chunked\r\n\r\n2\nab\n0\n\n"), 400},
    {TEXT(POST "Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n"), 400},
    {TEXT(POST "Content-Length: 2\r\n\r\nab\n"), 400},
};

START_TEST(cases_cut_anywhere)
{
    size_t size = cases[_i].size;
    for (size_t piece = 1; piece <= size; piece++) {
        struct http_guard guard = {0};
        unsigned verdict = 0;
        for (size_t at = 0; at < size && !verdict; at += piece)
            verdict = http_guard_read(&guard, (const uint8_t *)cases[_i].text + at,
                                      size - at < piece ? size - at : piece);
        ck_assert_msg(verdict == cases[_i].verdict, "'%s' by %zu: %u", cases[_i].text, piece,
                      verdict);
    }
}
END_TEST

/* A head of so much: how it begins, what is repeated, how often. */
static unsigned judge_long(const char *begin, const char *again, size_t times)
{
    static const char ending[] = "\r\n\r\n";
    struct http_guard guard = {0};
    unsigned verdict = http_guard_read(&guard, (const uint8_t *)begin, strlen(begin));
    for (size_t i = 0; i < times && !verdict; i++)
        verdict = http_guard_read(&guard, (const uint8_t *)again, strlen(again));
    return verdict ? verdict : http_guard_read(&guard, (const uint8_t *)ending, strlen(ending));
}

/* Each kind of length as far as libmicrohttpd can answer it, and no further. */
START_TEST(long_heads)
{
    static const struct {
        const char *begin, *again;
        size_t good, bad;
        unsigned verdict;
    } kinds[] = {
        {GET "X: ", "x", 28000, 28700, 431},
        {GET, "X: y\r\n", 320, 340, 431},
        {GET "Cookie: a=", "x", 14000, 14400, 431},
        {GET "Cookie: ", "a=b;", 300, 330, 431},
        {"GET /", "x", 28600, 28700, 414},
        {"GET /?", "a&", 340, 360, 414},
        {"", "G", 28600, 28700, 400},
    };
    ck_assert_uint_eq(judge_long(kinds[_i].begin, kinds[_i].again, kinds[_i].bad),
                      kinds[_i].verdict);
    unsigned verdict = judge_long(kinds[_i].begin, kinds[_i].again, kinds[_i].good);
    ck_assert_uint_eq(verdict, _i < 4 ? 0 : 400); /* no version behind the target */
}
END_TEST

/* Each head has all of it. */
START_TEST(room_for_each)
{
    static const char head[] = GET "X: 0123456789012345678901234567890123456789\r\n\r\n";
    struct http_guard guard = {0};
    for (size_t i = 0; i < 2000; i++)
        ck_assert_uint_eq(http_guard_read(&guard, (const uint8_t *)head, sizeof(head) - 1), 0);
}
END_TEST

/* At each byte of two requests, and of one of which it is not known where it ends. */
START_TEST(rests_between_requests_only)
{
    static const char two[] = "\r\n" POST "Content-Length: 2\r\n\r\nab" POST
                              "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
    static const char other[] = GET "Upgrade: x\r\n\r\n";
    struct http_guard guard = {0};
    size_t first = (size_t)(strstr(two, "ab") - two) + 2;
    for (size_t i = 0; i < sizeof(two) - 1; i++) {
        ck_assert_uint_eq(http_guard_read(&guard, (const uint8_t *)two + i, 1), 0);
        ck_assert_int_eq(http_guard_rests(&guard, 0), i == 1);
        ck_assert_int_eq(http_guard_rests(&guard, 1), i + 1 == first);
        ck_assert_int_eq(http_guard_rests(&guard, 2), i + 1 == sizeof(two) - 1);
    }
    ck_assert_uint_eq(http_guard_read(&guard, (const uint8_t *)other, sizeof(other) - 1), 0);
    ck_assert(!http_guard_rests(&guard, 2) && !http_guard_rests(&guard, 3));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_guard");
    TCase *tests = tcase_create("http_guard");
    tcase_add_loop_test(tests, long_heads, 0, 7);
    tcase_add_test(tests, room_for_each);
    tcase_add_test(tests, rests_between_requests_only);
    tcase_add_loop_test(tests, cases_cut_anywhere, 0, sizeof(cases) / sizeof(*cases));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

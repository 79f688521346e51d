/* What passes to libmicrohttpd, and what does not: a table, each text cut everywhere. */
#include "http_guard.h"

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

int main(void)
{
    Suite *suite = suite_create("http_guard");
    TCase *tests = tcase_create("http_guard");
    tcase_add_loop_test(tests, cases_cut_anywhere, 0, sizeof(cases) / sizeof(*cases));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

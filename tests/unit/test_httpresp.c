#include "httpresp.h"

#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static ssize_t parse(const char *text, struct httpresp *out)
{
    return httpresp_parse((const uint8_t *)text, strlen(text), out);
}

START_TEST(accepts_a_handshake)
{
    static const char text[] =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: keep-alive, Upgrade\r\n"
        "UPGRADE: WebSocket\r\nSec-WebSocket-Accept: abc= \r\n\r\n\x82\x05";
    struct httpresp answer;
    ck_assert_int_eq(parse(text, &answer), (ssize_t)strlen(text) - 2);
    ck_assert_uint_eq(answer.status, 101);
    ck_assert(answer.upgrades);
    ck_assert(!answer.extends);
    ck_assert_int_eq(answer.body, HTTPRESP_BODY_NONE);
    ck_assert_uint_eq(answer.accept_size, 4);
    ck_assert_mem_eq(answer.accept, "abc=", 4);
}
END_TEST

START_TEST(every_prefix_wants_more)
{
    static const char text[] = "HTTP/1.1 429 \r\nRetry-After: 17\r\nContent-Length: 3\r\n\r\n";
    struct httpresp answer;
    for (size_t size = 0; size + 1 < sizeof(text); size++)
        ck_assert_int_eq(httpresp_parse((const uint8_t *)text, size, &answer), HTTPRESP_MORE);
    ck_assert_int_eq(parse(text, &answer), sizeof(text) - 1);
    ck_assert_uint_eq(answer.retry_after, 17);
    ck_assert_int_eq(answer.body, HTTPRESP_BODY_LENGTH);
    ck_assert_uint_eq(answer.length, 3);
}
END_TEST

static const char *const bad[] = {
    "SSH-2.0-OpenSSH\r\n",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.2 200 OK\r\n\r\n",
    "HTTP/1.1 99 No\r\n\r\n",
    "HTTP/1.1 600 No\r\n\r\n",
    "HTTP/1.1 2000\r\n\r\n",
    "HTTP/1.1 200 O\x01K\r\n\r\n",
    "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nName : x\r\n\r\n",
    "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
    "HTTP/1.1 200 OK\n",
    "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
};

START_TEST(refuses)
{
    struct httpresp answer;
    ck_assert_int_eq(parse(bad[_i], &answer), HTTPRESP_BAD);
}
END_TEST

START_TEST(bounds_the_head)
{
    static char text[HTTPRESP_HEAD_MAX + 8];
    struct httpresp answer;
    memset(text, 'a', sizeof(text));
    memcpy(text, "HTTP/1.1 200 OK\r\nA: ", 20);
    ck_assert_int_eq(httpresp_parse((uint8_t *)text, HTTPRESP_HEAD_MAX - 1, &answer),
                     HTTPRESP_MORE);
    memcpy(text + HTTPRESP_HEAD_MAX - 2, "\r\n\r\n", 4);
    ck_assert_int_eq(httpresp_parse((uint8_t *)text, sizeof(text), &answer), HTTPRESP_BAD);

    size_t size = 17;
    for (size_t i = 0; i <= HTTPRESP_FIELDS_MAX; i++, size += 6)
        memcpy(text + size, "A: b\r\n", 6);
    memcpy(text + size, "\r\n", 2);
    ck_assert_int_eq(httpresp_parse((uint8_t *)text, size + 2, &answer), HTTPRESP_BAD);
}
END_TEST

START_TEST(an_upgrade_needs_both_fields_once)
{
    struct httpresp answer;
    ck_assert_int_gt(parse("HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n", &answer), 0);
    ck_assert(!answer.upgrades);
    ck_assert_int_gt(parse("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                           "Upgrade: h2c\r\nSec-WebSocket-Accept: a\r\nSec-WebSocket-Accept: a\r\n"
                           "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
                           &answer),
                     0);
    ck_assert(!answer.upgrades);
    ck_assert_ptr_null(answer.accept);
    ck_assert(answer.extends);
}
END_TEST

START_TEST(knows_the_body)
{
    struct httpresp answer;
    ck_assert_int_gt(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", &answer), 0);
    ck_assert_int_eq(answer.body, HTTPRESP_BODY_CHUNKED);
    ck_assert_int_gt(parse("HTTP/1.0 200\r\n\r\n", &answer), 0);
    ck_assert_int_eq(answer.body, HTTPRESP_BODY_END);
    ck_assert(answer.close);
    ck_assert_int_gt(parse("HTTP/1.1 204 No\r\nConnection: x, close\r\n\r\n", &answer), 0);
    ck_assert_int_eq(answer.body, HTTPRESP_BODY_NONE);
    ck_assert(answer.close);
}
END_TEST

START_TEST(joins_chunks)
{
    char text[] = "5\r\nhello\r\n7;a=b\r\n, world\r\n0\r\nTrailer: x\r\n\r\nnext";
    size_t content;
    for (size_t size = 0; size < sizeof(text) - 5; size++)
        ck_assert_int_eq(httpresp_chunks((uint8_t *)text, size, &content), HTTPRESP_MORE);
    ck_assert_int_eq(httpresp_chunks((uint8_t *)text, sizeof(text) - 1, &content),
                     sizeof(text) - 5);
    ck_assert_uint_eq(content, 12);
    ck_assert_mem_eq(text, "hello, world", 12);
}
END_TEST

static const char *const bad_chunks[] = {
    "g\r\n", "\r\n",        "-1\r\n",      "123456789\r\n",
    "1\n",   "1\r\nab\r\n", "1 \r\na\r\n", "0\r\nA: \x01\r\n",
};

START_TEST(refuses_chunks)
{
    char text[64];
    size_t content;
    strcpy(text, bad_chunks[_i]);
    ck_assert_int_eq(httpresp_chunks((uint8_t *)text, strlen(text), &content), HTTPRESP_BAD);
    ck_assert_str_eq(text, bad_chunks[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("httpresp");
    TCase *tests = tcase_create("httpresp");
    tcase_add_test(tests, accepts_a_handshake);
    tcase_add_test(tests, every_prefix_wants_more);
    tcase_add_loop_test(tests, refuses, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tests, bounds_the_head);
    tcase_add_test(tests, an_upgrade_needs_both_fields_once);
    tcase_add_test(tests, knows_the_body);
    tcase_add_test(tests, joins_chunks);
    tcase_add_loop_test(tests, refuses_chunks, 0, sizeof(bad_chunks) / sizeof(bad_chunks[0]));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

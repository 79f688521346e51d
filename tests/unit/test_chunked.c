/* The chunked coding: good and bad bodies as a table, each cut everywhere. */
#include "chunked.h"

#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads `text` in pieces of at most `piece` bytes. The last event; payload gathered in `to`. */
static enum chunked_event feed(const char *text, size_t size, size_t piece, char *to,
                               size_t *gathered, size_t *used)
{
    struct chunked_reader reader = {0};
    uint8_t data[4096];
    enum chunked_event event = CHUNKED_MORE;
    *gathered = *used = 0;
    while (*used < size) {
        size_t part = size - *used < piece ? size - *used : piece, at = 0;
        memcpy(data, text + *used, part);
        while (at < part) {
            size_t payload;
            size_t step =
                chunked_read_onto(&reader, data + at, data + at, part - at, &event, &payload);
            memcpy(to + *gathered, data + at, payload);
            *gathered += payload;
            at += step;
            *used += step;
            if (event == CHUNKED_BAD || event == CHUNKED_END)
                return event;
        }
    }
    return event;
}

static const struct {
    const char *text, *body;
    enum chunked_event event;
} cases[] = {
    {"4\r\nabcd\r\n0\r\n\r\n", "abcd", CHUNKED_END},
    {"0\r\n\r\n", "", CHUNKED_END},
    {"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc", CHUNKED_END},
    {"0000000A\r\n0123456789\r\n0\r\n\r\n", "0123456789", CHUNKED_END},
    {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789", CHUNKED_END},
    {"4;name=value\r\nabcd\r\n0;x\r\n\r\n", "abcd", CHUNKED_END},
    {"4 ;name\r\nabcd\r\n0\r\n\r\n", "", CHUNKED_BAD},
    {"4 \r\nabcd\r\n0\r\n\r\n", "", CHUNKED_BAD},
    {"4\r\nabcd\r\n0\r\nTrailer: 1\r\nOther: 2\r\n\r\n", "abcd", CHUNKED_END},
    {"4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", CHUNKED_END},
    {"0\r\n\r\nGET / HTTP/1.1\r\n", "", CHUNKED_END},
    {"4\r\nab", "ab", CHUNKED_DATA},
    {"4\r\nabcd\r\n", "abcd", CHUNKED_MORE},
    {"", "", CHUNKED_MORE},
    {"\r\n", "", CHUNKED_BAD},
    {";x\r\n", "", CHUNKED_BAD},
    {"g\r\n", "", CHUNKED_BAD},
    {"-1\r\n", "", CHUNKED_BAD},
    {"+4\r\nabcd", "", CHUNKED_BAD},
    {"0x4\r\nabcd", "", CHUNKED_BAD},
    {" 4\r\nabcd", "", CHUNKED_BAD},
    {"4\nabcd\r\n", "", CHUNKED_BAD},
    {"4\r\r\nabcd", "", CHUNKED_BAD},
    {"4;a\x01\r\nabcd", "", CHUNKED_BAD},
    {"4\r\nabcde\r\n", "abcd", CHUNKED_BAD},
    {"4\r\nabcd\n0\r\n", "abcd", CHUNKED_BAD},
    {"000000004\r\nabcd", "", CHUNKED_BAD},
    {"100000000\r\n", "", CHUNKED_BAD},
    {"0\r\n Folded: 1\r\n", "", CHUNKED_BAD},
    {"0\r\nTrailer: 1\n", "", CHUNKED_BAD},
    {"0\r\n\rx", "", CHUNKED_BAD},
};

START_TEST(cases_cut_anywhere)
{
    const char *text = cases[_i].text;
    char to[64];
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        size_t size, used;
        enum chunked_event event = feed(text, strlen(text), piece, to, &size, &used);
        ck_assert_msg(event == cases[_i].event, "'%s' by %zu: %d", text, piece, event);
        ck_assert_uint_eq(size, strlen(cases[_i].body));
        ck_assert_mem_eq(to, cases[_i].body, size);
    }
}
END_TEST

START_TEST(nothing_behind_the_end_is_used)
{
    static const char text[] = "1\r\nx\r\n0\r\n\r\nnext";
    char to[8];
    size_t size, used;
    ck_assert_int_eq(feed(text, strlen(text), 100, to, &size, &used), CHUNKED_END);
    ck_assert_uint_eq(used, strlen(text) - 4);
}
END_TEST

/* A line or trailers without an end. */
START_TEST(lines_are_bounded)
{
    static const char *const heads[] = {"4;", "0\r\nT: ", "0\r\n"};
    char text[8 * CHUNKED_LINE_MOST], to[8];
    size_t size, used, head = strlen(heads[_i]);
    memcpy(text, heads[_i], head);
    for (size_t i = head; i < sizeof(text); i++)
        text[i] = _i == 2 ? "a:\r\n"[(i - head) % 4] : 'a';
    ck_assert_int_eq(feed(text, sizeof(text), 4000, to, &size, &used), CHUNKED_BAD);
    ck_assert_uint_le(used, CHUNKED_LINE_MOST + head + 1);
}
END_TEST

/* Payload is moved to where the caller wants it, before its place. */
START_TEST(payload_is_squeezed)
{
    uint8_t data[] = "3\r\nabc\r\n3\r\ndef\r\n";
    struct chunked_reader reader = {0};
    size_t made = 0, at = 0, size = strlen((char *)data);
    while (at < size) {
        enum chunked_event event;
        size_t payload;
        at += chunked_read_onto(&reader, data + made, data + at, size - at, &event, &payload);
        made += payload;
    }
    ck_assert_uint_eq(made, 6);
    ck_assert_mem_eq(data, "abcdef", 6);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chunked");
    TCase *tcase = tcase_create("chunked");
    tcase_add_loop_test(tcase, cases_cut_anywhere, 0, (int)(sizeof(cases) / sizeof(*cases)));
    tcase_add_test(tcase, nothing_behind_the_end_is_used);
    tcase_add_loop_test(tcase, lines_are_bounded, 0, 3);
    tcase_add_test(tcase, payload_is_squeezed);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

/* The stream of an open RD Gateway channel, cut wherever a network can cut it. */
#include "hex_bytes.h"
#include "suite.h"
#include "tsgu.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static size_t put_data(uint8_t *to, size_t size, uint8_t mark)
{
    memset(to + TSGU_DATA_HEADER, mark, size);
    ck_assert_uint_eq(tsgu_header_before(to + TSGU_DATA_HEADER, (uint16_t)size), TSGU_DATA_HEADER);
    return TSGU_DATA_HEADER + size;
}

/* Reads all in pieces of at most `most`; gathers payload in place, as the relay does. */
static size_t read_all(uint8_t *data, size_t size, size_t most, unsigned kinds[5])
{
    struct tsgu_reader reader = {0};
    size_t gathered = 0, at = 0;
    while (at < size) {
        size_t end = at + (size - at < most ? size - at : most);
        while (at < end) {
            enum tsgu_event_kind kind;
            size_t payload;
            at += tsgu_read_onto(&reader, data + gathered, data + at, end - at, &kind, &payload);
            gathered += payload;
            kinds[kind]++;
            if (kind == TSGU_EVENT_BAD)
                return gathered;
        }
    }
    return gathered;
}

START_TEST(the_stream_at_every_boundary)
{
    static uint8_t stream[200000];
    size_t size = 0;
    size += put_data(stream + size, 3, 'a');
    size += tsgu_write_keepalive(stream + size);
    size += put_data(stream + size, 0, 'b');
    size += put_data(stream + size, TSGU_DATA_MOST, 'c');
    size += put_data(stream + size, 500, 'd');
    size += tsgu_write_close(stream + size, false, 0);
    size_t most = _i < 40 ? (size_t)_i + 1 : (size_t)_i * 977;
    unsigned kinds[5] = {0};
    ck_assert_uint_eq(read_all(stream, size, most, kinds), 3 + TSGU_DATA_MOST + 500);
    ck_assert_uint_eq(kinds[TSGU_EVENT_KEEPALIVE], 1);
    ck_assert_uint_eq(kinds[TSGU_EVENT_CLOSE], 1);
    ck_assert_uint_eq(kinds[TSGU_EVENT_BAD], 0);
    ck_assert_mem_eq(stream, "aaac", 4);
    ck_assert_mem_eq(stream + 3 + TSGU_DATA_MOST - 1, "cddd", 4);
}
END_TEST

/* What a reader made of a stream: its events but for MORE, with payload in one piece each run. */
struct story {
    char events[32];
    size_t count, payload;
};

static void tell(struct story *story, enum tsgu_event_kind kind)
{
    static const char letters[] = {[TSGU_EVENT_DATA] = 'd',
                                   [TSGU_EVENT_KEEPALIVE] = 'k',
                                   [TSGU_EVENT_CLOSE] = 'c',
                                   [TSGU_EVENT_BAD] = '!'};
    if (kind == TSGU_EVENT_MORE ||
        (kind == TSGU_EVENT_DATA && story->count && story->events[story->count - 1] == 'd'))
        return;
    ck_assert_uint_lt(story->count, sizeof(story->events) - 1);
    story->events[story->count++] = letters[kind];
}

/* One piece, as it came from the network: its payload is gathered at its own front. */
static void read_piece(struct tsgu_reader *reader, const uint8_t *data, size_t size, uint8_t *all,
                       struct story *story)
{
    uint8_t *piece = malloc(size ? size : 1);
    memcpy(piece, data, size);
    for (size_t at = 0, gathered = 0; at < size;) {
        enum tsgu_event_kind kind;
        size_t payload;
        size_t used =
            tsgu_read_onto(reader, piece + gathered, piece + at, size - at, &kind, &payload);
        ck_assert(used > 0 && used <= size - at && payload <= used);
        memcpy(all + story->payload, piece + gathered, payload);
        story->payload += payload;
        gathered += payload;
        at += used;
        tell(story, kind);
    }
    free(piece);
}

/* One with a body, which a later version might have. */
static size_t put_long_keepalive(uint8_t *to)
{
    memcpy(to, "\x0d\0\0\0\x0c\0\0\0body", 12);
    return 12;
}

static size_t converse(uint8_t *to, uint8_t *payload, size_t *payload_size)
{
    static const size_t sizes[] = {1, 300, 0, 17, 2};
    size_t size = 0;
    *payload_size = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        memset(payload + *payload_size, (int)('a' + i), sizes[i]);
        *payload_size += sizes[i];
        size += put_data(to + size, sizes[i], (uint8_t)('a' + i));
        size += i == 1 ? tsgu_write_keepalive(to + size) : 0;
        size += i == 2 ? put_long_keepalive(to + size) : 0;
    }
    return size + tsgu_write_close(to + size, true, TSGU_OK);
}

static void check_split(const size_t *ends, size_t count)
{
    uint8_t stream[1024], expected[1024], all[1024];
    size_t payload, size = converse(stream, expected, &payload), at = 0;
    struct tsgu_reader reader = {0};
    struct story story = {0};
    for (size_t i = 0; i <= count; i++) {
        size_t end = i < count ? ends[i] : size;
        read_piece(&reader, stream + at, end - at, all, &story);
        at = end;
    }
    ck_assert_str_eq(story.events, "dkkdc");
    ck_assert_uint_eq(story.payload, payload);
    ck_assert_mem_eq(all, expected, payload);
}

START_TEST(split_in_two_anywhere)
{
    uint8_t stream[1024], payload[1024];
    size_t payload_size, size = converse(stream, payload, &payload_size);
    for (size_t end = 0; end <= size; end++)
        check_split(&end, 1);
}
END_TEST

START_TEST(split_at_random)
{
    uint8_t stream[1024], payload[1024];
    size_t payload_size, size = converse(stream, payload, &payload_size);
    uint32_t random = (uint32_t)_i + 1; /* the same every time */
    for (int round = 0; round < 200; round++) {
        size_t ends[1024], count = 0, at = 0;
        while (at < size) {
            random = random * 1664525 + 1013904223;
            at += (random >> 16) % (2U << _i) + 1;
            if (at < size)
                ends[count++] = at;
        }
        check_split(ends, count);
    }
}
END_TEST

START_TEST(a_stream_that_lies_is_bad)
{
    static const char *const streams[] = {
        "0a00 0000 0b000000 0200 61", /* the count is not the length's */
        "0a00 0000 0a000100 0000",    /* but for its upper half */
        "1000 0000 00000000",         "0400 0000 ffffffff", "0a00 0000 0a000000 0100 61",
        "0d00 0000 07000000",         "0300 0000 01200000",
    };
    struct hex_bytes stream = hex_bytes(streams[_i]);
    unsigned kinds[5] = {0};
    read_all(stream.data, stream.size, 3, kinds);
    ck_assert_uint_eq(kinds[TSGU_EVENT_BAD], 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tsgu_stream");
    TCase *tests = tcase_create("tsgu_stream");
    tcase_add_loop_test(tests, the_stream_at_every_boundary, 0, 60);
    tcase_add_test(tests, split_in_two_anywhere);
    tcase_add_loop_test(tests, split_at_random, 0, 8);
    tcase_add_loop_test(tests, a_stream_that_lies_is_bad, 0, 7);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

#include "ws.h"

#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a reader makes of bytes: a line per event, DATA events joined. */
struct script {
    char text[2048];
    bool data_open;
};

static void note(struct script *script, const struct ws_event *event)
{
    char line[400] = "";
    size_t at = strlen(script->text);
    switch (event->kind) {
    case WS_EVENT_MORE:
        return;
    case WS_EVENT_DATA:
        snprintf(line, sizeof(line), "%s%.*s", script->data_open ? "" : "data:", (int)event->size,
                 (const char *)event->data);
        script->data_open = true;
        break;
    case WS_EVENT_PING:
        snprintf(line, sizeof(line), " ping:%.*s", (int)event->size, (const char *)event->data);
        break;
    case WS_EVENT_PONG:
        snprintf(line, sizeof(line), " pong:%.*s", (int)event->size, (const char *)event->data);
        break;
    case WS_EVENT_CLOSE:
        snprintf(line, sizeof(line), " close:%u:%.*s", event->code, (int)event->size,
                 (const char *)event->data);
        break;
    case WS_EVENT_BAD:
        snprintf(line, sizeof(line), " bad:%u", event->code);
        ck_assert_ptr_nonnull(event->words);
        break;
    }
    if (event->kind != WS_EVENT_DATA)
        script->data_open = false;
    snprintf(script->text + at, sizeof(script->text) - at, "%s", line);
}

/* Reads all of `bytes` in pieces of `piece`; stops at an end. */
static void read_in_pieces(struct script *script, bool from_client, const uint8_t *bytes,
                           size_t size, size_t piece)
{
    struct ws_reader reader = {.from_client = from_client};
    uint8_t copy[1024];
    *script = (struct script){0};
    ck_assert_uint_le(size, sizeof(copy));
    memcpy(copy, bytes, size);
    for (size_t at = 0; at < size;) {
        size_t end = at + piece < size ? at + piece : size;
        while (at < end) {
            struct ws_event event;
            at += ws_read(&reader, copy + at, end - at, &event);
            note(script, &event);
            if (event.kind == WS_EVENT_BAD || event.kind == WS_EVENT_CLOSE)
                return;
        }
    }
}

struct row {
    const char *bytes;
    size_t size;
    const char *script;
};
#define ROW(bytes, script)                                                                         \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, script                                                           \
    }

/* Unmasked, as a server sends; RFC 6455 section 5.7 among them. */
static const struct row from_server[] = {
    ROW("\x82\x05Hello", "data:Hello"),
    ROW("\x02\x03Hel\x80\x02lo", "data:Hello"),
    ROW("\x02\x03Hel\x89\x01p\x80\x02lo", "data:Hel ping:pdata:lo"),
    ROW("\x82\x00\x82\x01x", "data:x"),
    ROW("\x02\x00\x00\x00\x80\x00\x82\x01x", "data:x"),
    ROW("\x89\x00", " ping:"),
    ROW("\x8a\x02ok", " pong:ok"),
    ROW("\x88\x00", " close:1005:"),
    ROW("\x88\x02\x03\xe8", " close:1000:"),
    ROW("\x88\x05\x03\xe8"
        "bye",
        " close:1000:bye"),
    ROW("\x88\x02\x0f\xa0", " close:4000:"),
    ROW("\x88\x02\x0b\xb8", " close:3000:"),
    ROW("\x88\x01\x03", " bad:1002"),
    ROW("\x88\x02\x03\xe7", " bad:1002"), /* 999 */
    ROW("\x88\x02\x03\xec", " bad:1002"), /* 1004 */
    ROW("\x88\x02\x03\xed", " bad:1002"), /* 1005 */
    ROW("\x88\x02\x03\xee", " bad:1002"), /* 1006 */
    ROW("\x88\x02\x03\xf7", " bad:1002"), /* 1015 */
    ROW("\x88\x02\x07\xd0", " bad:1002"), /* 2000 */
    ROW("\x88\x02\x13\x88", " bad:1002"), /* 5000 */
    ROW("\x88\x04\x03\xe8\xc3\x28", " bad:1007"),
    ROW("\x81\x01x", " bad:1003"),
    ROW("\x01\x01x", " bad:1003"),
    ROW("\xc2\x01x", " bad:1002"),
    ROW("\xa2\x01x", " bad:1002"),
    ROW("\x92\x01x", " bad:1002"),
    ROW("\x83\x01x", " bad:1002"),
    ROW("\x87\x01x", " bad:1002"),
    ROW("\x8b\x01x", " bad:1002"),
    ROW("\x8f\x01x", " bad:1002"),
    ROW("\x80\x01x", " bad:1002"),                /* a continuation of nothing */
    ROW("\x02\x01x\x82\x01y", "data:x bad:1002"), /* a message within a message */
    ROW("\x09\x01x", " bad:1002"),                /* a fragmented ping */
    ROW("\x89\x7e\x00\x7e", " bad:1002"),         /* a long one */
    ROW("\x82\x7e\x00\x7d", " bad:1002"),         /* not the shortest form */
    ROW("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", " bad:1002"),
    ROW("\x82\x7f\x80\x00\x00\x00\x00\x01\x00\x00", " bad:1002"),
    ROW("\x82\x85\x00\x00\x00\x00Hello", " bad:1002"), /* masked */
};

static const struct row from_client[] = {
    ROW("\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "data:Hello"),
    ROW("\x82\x05Hello", " bad:1002"), /* not masked */
    ROW("\x89\x80\x01\x02\x03\x04", " ping:"),
    ROW("\x88\x82\x01\x02\x03\x04\x02\xea", " close:1000:"),
    ROW("\x02\x83\x01\x01\x01\x01"
        "Idm\x80\x82\x02\x02\x02\x02nm",
        "data:Hello"),
};

static void check_table(const struct row *rows, size_t count, bool client)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t piece = 1; piece <= rows[i].size; piece++) {
            struct script script;
            read_in_pieces(&script, client, (const uint8_t *)rows[i].bytes, rows[i].size, piece);
            ck_assert_msg(strcmp(script.text, rows[i].script) == 0, "row %zu, pieces of %zu: %s", i,
                          piece, script.text);
        }
    }
}

START_TEST(frames_of_servers)
{
    check_table(from_server, sizeof(from_server) / sizeof(*from_server), false);
}
END_TEST

START_TEST(frames_of_clients)
{
    check_table(from_client, sizeof(from_client) / sizeof(*from_client), true);
}
END_TEST

START_TEST(masking_is_the_plain_loop)
{
    static const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
    uint8_t data[80], expected[80];
    for (size_t offset = 0; offset < 9; offset++) {
        for (size_t size = 0; size + offset <= sizeof(data); size++) {
            for (unsigned phase = 0; phase < 4; phase++) {
                for (size_t i = 0; i < sizeof(data); i++)
                    data[i] = expected[i] = (uint8_t)(i * 7);
                for (size_t i = 0; i < size; i++)
                    expected[offset + i] ^= mask[(phase + i) % 4];
                ws_mask(data + offset, size, mask, phase);
                ck_assert_mem_eq(data, expected, sizeof(data));
            }
        }
    }
}
END_TEST

START_TEST(headers_are_what_the_reader_reads)
{
    static const uint64_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 1U << 20, 1ULL << 40};
    static const uint8_t mask[4] = {1, 2, 3, 4};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        for (int masked = 0; masked < 2; masked++) {
            uint8_t bytes[WS_HEADER_MOST + 1] = {0};
            struct ws_reader reader = {.from_client = masked != 0};
            struct ws_event event;
            size_t size = ws_header_before(bytes + WS_HEADER_MOST, WS_BINARY, lengths[i],
                                           masked ? mask : NULL);
            ws_read(&reader, bytes + WS_HEADER_MOST - size, size, &event);
            ck_assert_int_eq(event.kind, WS_EVENT_MORE);
            ck_assert(reader.in_frame || lengths[i] == 0);
            ck_assert_uint_eq(reader.left, lengths[i]);
        }
    }
}
END_TEST

START_TEST(close_reasons_are_cut_between_characters)
{
    uint8_t to[WS_CONTROL_MOST];
    char reason[200];
    memset(reason, 'a', sizeof(reason));
    memcpy(reason + 122, "\xe2\x82\xac", 3); /* would end beyond 123 bytes */
    reason[150] = '\0';
    ck_assert_uint_eq(ws_close_payload(to, 1000, reason), 124);
    ck_assert_uint_eq(ws_close_payload(to, 1000, ""), 2);
    ck_assert_mem_eq(to, "\x03\xe8", 2);
}
END_TEST

START_TEST(accept_key_of_the_specification)
{
    char to[WS_ACCEPT_SIZE];
    ws_accept_key(to, "dGhlIHNhbXBsZSBub25jZQ==");
    ck_assert_str_eq(to, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ws");
    TCase *tests = tcase_create("ws");
    tcase_add_test(tests, frames_of_servers);
    tcase_add_test(tests, frames_of_clients);
    tcase_add_test(tests, masking_is_the_plain_loop);
    tcase_add_test(tests, headers_are_what_the_reader_reads);
    tcase_add_test(tests, close_reasons_are_cut_between_characters);
    tcase_add_test(tests, accept_key_of_the_specification);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* RDCleanPath's codec against bytes made by hand and a reader of the test's own. */
#include "cleanpath.h"
#include "hex_bytes.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "a004 0202 0d3e "
#define DESTINATION "a206 0c04 6465736b "
#define AUTH "a305 0c03 616263 "
#define BLOB "a403 0c01 78 a503 0c01 79 "
#define X224 "a604 0402 0300 "

static const struct {
    const char *name, *pdu;
    int verdict;
} requests[] = {
    {"good", "301b" VERSION DESTINATION AUTH X224, 0},
    {"with what is ignored", "3025" VERSION DESTINATION AUTH BLOB X224, 0},
    {"an older version", "301b a004 0202 0d3d" DESTINATION AUTH X224, -ENOTSUP},
    {"version one", "301a a003 0201 01" DESTINATION AUTH X224, -ENOTSUP},
    {"a long version", "3022 a00b 0209 010203040506070809" DESTINATION AUTH X224, -ENOTSUP},
    {"a negative version", "301b a004 0202 f2c2" DESTINATION AUTH X224, -ENOTSUP},
    {"a version of no bytes", "3019 a002 0200" DESTINATION AUTH X224, -EPROTO},
    {"a padded version", "301c a005 0203 000d3e" DESTINATION AUTH X224, -ENOTSUP},
    {"the version as a text", "301b a004 0c02 0d3e" DESTINATION AUTH X224, -EPROTO},
    {"no version", "3015" DESTINATION AUTH X224, -EPROTO},
    {"no destination", "3013" VERSION AUTH X224, -EPROTO},
    {"no ticket", "3014" VERSION DESTINATION X224, -EPROTO},
    {"no X.224", "3015" VERSION DESTINATION AUTH, -EPROTO},
    {"an empty destination", "3017" VERSION "a202 0c00" AUTH X224, -EPROTO},
    {"an empty ticket", "3018" VERSION DESTINATION "a302 0c00" X224, -EPROTO},
    {"an empty X.224", "3019" VERSION DESTINATION AUTH "a602 0400", -EPROTO},
    {"nothing", "3000", -EPROTO},
    {"a NUL in the destination", "301b" VERSION "a206 0c04 64650073" AUTH X224, -EPROTO},
    {"a NUL in the ticket", "301b" VERSION DESTINATION "a305 0c03 616200" X224, -EPROTO},
    {"an indefinite length", "301d" VERSION "a280 0c04 6465736b 0000" AUTH X224, -EPROTO},
    {"an indefinite text", "301d" VERSION "a208 0c80 6465736b 0000" AUTH X224, -EPROTO},
    {"a length of four bytes", "301f" VERSION "a20a 0c84 00000004 6465736b" AUTH X224, -EPROTO},
    {"a length that overflows", "301f" VERSION "a20a 0c84 ffffffff 6465736b" AUTH X224, -EPROTO},
    {"a length that wraps around", "3023" VERSION "a20e 0c88 fffffffffffffffc 6465736b" AUTH X224,
     -EPROTO},
    {"the ticket twice", "3022" VERSION DESTINATION AUTH AUTH X224, -EPROTO},
    {"X.224 twice", "3021" VERSION DESTINATION AUTH X224 X224, -EPROTO},
    {"an error", "301f" VERSION "a102 3000" DESTINATION AUTH X224, -EPROTO},
    {"an unknown field", "301f" VERSION DESTINATION AUTH X224 "a802 0c00", -EPROTO},
    {"bytes after the last field", "301d" VERSION DESTINATION AUTH X224 "0000", -EPROTO},
    {"a number in the place of what is ignored",
     "3020" VERSION DESTINATION AUTH "a403 0201 01" X224, -EPROTO},
    {"the destination twice", "3023" VERSION DESTINATION DESTINATION AUTH X224, -EPROTO},
    {"another order", "301b" VERSION AUTH DESTINATION X224, -EPROTO},
    {"an answer's field", "301f" VERSION DESTINATION AUTH X224 "a702 3000", -EPROTO},
    {"a long form that is not needed", "301c" VERSION "a207 0c8104 6465736b" AUTH X224, -EPROTO},
    {"an element longer than its field", "301b" VERSION "a206 0c05 6465736b" AUTH X224, -EPROTO},
    {"two elements in a field", "301d" VERSION "a208 0c04 6465736b 0c00" AUTH X224, -EPROTO},
    {"a number in the place of a text", "301b" VERSION "a206 0204 6465736b" AUTH X224, -EPROTO},
    {"a field longer than the whole", "301b" VERSION DESTINATION AUTH "a605 0402 0300", -EPROTO},
};

START_TEST(requests_are_read)
{
    struct hex_bytes pdu = hex_bytes(requests[_i].pdu);
    struct cleanpath_request request;
    ck_assert_int_eq(cleanpath_request_size(pdu.data, pdu.size), (int)pdu.size);
    ck_assert_msg(cleanpath_request_read(pdu.data, pdu.size, &request) == requests[_i].verdict,
                  "%s", requests[_i].name);
    if (requests[_i].verdict)
        return;
    ck_assert_uint_eq(request.destination.size, 4);
    ck_assert_mem_eq(request.destination.data, "desk", 4);
    ck_assert_uint_eq(request.proxy_auth.size, 3);
    ck_assert_mem_eq(request.proxy_auth.data, "abc", 3);
    ck_assert_uint_eq(request.x224.size, 2);
    ck_assert_mem_eq(request.x224.data, "\x03\x00", 2);
    for (size_t cut = 0; cut < pdu.size; cut++) {
        ck_assert_int_eq(cleanpath_request_size(pdu.data, cut), 0);
        ck_assert_int_eq(cleanpath_request_read(pdu.data, cut, &request), -EPROTO);
    }
    ck_assert_int_eq(cleanpath_request_size(pdu.data, pdu.size + 1), (int)pdu.size);
    ck_assert_int_eq(cleanpath_request_read(pdu.data, pdu.size + 1, &request), -EPROTO);
}
END_TEST

START_TEST(sizes_are_bounded)
{
    static const struct {
        const char *head;
        int size;
    } table[] = {
        {"31", -EPROTO},           /* another tag */
        {"3080", -EPROTO},         /* indefinite */
        {"308100", -EPROTO},       /* not the shortest form */
        {"30817f", -EPROTO},       /* likewise */
        {"308200ff", -EPROTO},     /* likewise */
        {"30820ffc", 0},           /* 4096 in all: wait */
        {"30820ffd", -EPROTO},     /* one more */
        {"3083010000", -EPROTO},   /* 65536 */
        {"3084ffffffff", -EPROTO}, /* would overflow an int */
        {"30ff", -EPROTO},         /* reserved (X.690 section 8.1.3.5) */
        {"3000", 2},
    };
    struct hex_bytes head = hex_bytes(table[_i].head);
    ck_assert_int_eq(cleanpath_request_size(head.data, head.size), table[_i].size);
}
END_TEST

/* ---- a reader of our own ---- */

struct element {
    unsigned tag;
    const uint8_t *data;
    size_t size;
};

static struct element next(const uint8_t **at, const uint8_t *end)
{
    struct element made = {.tag = *(*at)++};
    made.size = *(*at)++;
    if (made.size & 0x80) {
        size_t count = made.size & 0x7f;
        for (made.size = 0; count--;)
            made.size = made.size << 8 | *(*at)++;
    }
    made.data = *at;
    *at += made.size;
    ck_assert(*at <= end);
    return made;
}

static struct element only(struct element outer, unsigned tag)
{
    const uint8_t *at = outer.data;
    struct element inner = next(&at, outer.data + outer.size);
    ck_assert_uint_eq(inner.tag, tag);
    ck_assert_ptr_eq(at, outer.data + outer.size);
    return inner;
}

static uint8_t made[100000];

START_TEST(answers_are_read_back)
{
    static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 4000, 60000};
    size_t first = sizes[_i];
    uint8_t *large = malloc(first + 1);
    memset(large, 0x5a, first + 1);
    struct cleanpath_view chain[] = {{large, first}, {(const uint8_t *)"second", 6}};
    struct cleanpath_view x224 = {(const uint8_t *)"confirm", 7};
    size_t size = cleanpath_write_answer(made, sizeof(made), x224, chain, 2, "192.0.2.7");
    const uint8_t *at = made;
    struct element all = next(&at, made + size);
    ck_assert_ptr_eq(at, made + size);
    at = all.data;
    const uint8_t *end = all.data + all.size;
    struct element version = only(next(&at, end), 0x02);
    ck_assert_uint_eq(version.size, 2);
    ck_assert_mem_eq(version.data, "\x0d\x3e", 2);
    struct element field = next(&at, end), inner = only(field, 0x04);
    ck_assert_uint_eq(field.tag, 0xa6);
    ck_assert_mem_eq(inner.data, "confirm", inner.size);
    field = next(&at, end);
    ck_assert_uint_eq(field.tag, 0xa7);
    inner = only(field, 0x30);
    const uint8_t *list = inner.data, *list_end = inner.data + inner.size;
    struct element leaf = next(&list, list_end), second = next(&list, list_end);
    ck_assert_ptr_eq(list, list_end);
    ck_assert_uint_eq(leaf.size, first);
    ck_assert_mem_eq(leaf.data, large, first);
    ck_assert_mem_eq(second.data, "second", second.size);
    field = next(&at, end);
    ck_assert_uint_eq(field.tag, 0xa9);
    ck_assert_mem_eq(only(field, 0x0c).data, "192.0.2.7", 9);
    ck_assert_ptr_eq(at, end);
    for (size_t room = 0; room < size; room += room < size - 40 ? 97 : 1)
        ck_assert_uint_eq(cleanpath_write_answer(made, room, x224, chain, 2, "192.0.2.7"), 0);
    free(large);
}
END_TEST

START_TEST(errors_are_written_to_the_byte)
{
    static const struct {
        struct cleanpath_error error;
        const char *x224, *pdu;
    } table[] = {
        /* As the browser's client was seen to take it. */
        {{.code = CLEANPATH_NEGOTIATION},
         "030000130ed000001234000300080005000000",
         "3026a00402020d3ea1073005a003020102a6150413030000130ed000001234000300080005000000"},
        {{.code = CLEANPATH_GENERAL, .http_status = 403},
         "",
         "3015 a00402020d3e a10d 300b a003020101 a10402020193"},
        {{.code = CLEANPATH_GENERAL, .wsa = CLEANPATH_WSA_REFUSED},
         "",
         "3015 a00402020d3e a10d 300b a003020101 a2040202274d"},
        {{.code = CLEANPATH_GENERAL, .tls_alert = 40},
         "",
         "3014 a00402020d3e a10c 300a a003020101 a303020128"},
        {{.code = CLEANPATH_GENERAL, .http_status = -1, .wsa = -1, .tls_alert = -1}, /* absent */
         "",
         "300f a00402020d3e a107 3005 a003020101"},
        {{.code = CLEANPATH_GENERAL, .tls_alert = 200}, /* must not look negative */
         "",
         "3015 a00402020d3e a10d 300b a003020101 a304020200c8"},
    };
    struct hex_bytes x224 = hex_bytes(table[_i].x224), expected = hex_bytes(table[_i].pdu);
    struct cleanpath_view view = {x224.data, x224.size};
    size_t size = cleanpath_write_error(made, CLEANPATH_ERROR_MOST, &table[_i].error, view);
    ck_assert_uint_eq(size, expected.size);
    ck_assert_mem_eq(made, expected.data, size);
    for (size_t room = 0; room < size; room++)
        ck_assert_uint_eq(cleanpath_write_error(made, room, &table[_i].error, view), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cleanpath");
    TCase *tests = tcase_create("cleanpath");
    tcase_add_loop_test(tests, requests_are_read, 0, (int)(sizeof(requests) / sizeof(*requests)));
    tcase_add_loop_test(tests, sizes_are_bounded, 0, 11);
    tcase_add_loop_test(tests, answers_are_read_back, 0, 8);
    tcase_add_loop_test(tests, errors_are_written_to_the_byte, 0, 6);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

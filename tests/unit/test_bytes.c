/* Numbers in packets: each order, at the edges, wherever they stand. */
#include "bytes.h"
#include "suite.h"

#include <check.h>
#include <string.h>

static const uint32_t numbers[] = {0,      1,          0x7f,       0x80,       0xff,
                                   0x100,  0x7fff,     0x8000,     0xffff,     0x10000,
                                   0x1234, 0x01020304, 0x7fffffff, 0x80000000, 0xffffffff};

START_TEST(each_byte_has_its_place)
{
    static const uint8_t bytes[] = {0xf1, 0xe2, 0xd3, 0xc4};
    ck_assert_uint_eq(bytes_get_le16(bytes), 0xe2f1);
    ck_assert_uint_eq(bytes_get_be16(bytes), 0xf1e2);
    ck_assert_uint_eq(bytes_get_be24(bytes), 0xf1e2d3);
    ck_assert_uint_eq(bytes_get_le32(bytes), 0xc4d3e2f1);
    ck_assert_uint_eq(bytes_get_be32(bytes), 0xf1e2d3c4);
}
END_TEST

/* At an odd place, with nothing around it touched. */
START_TEST(what_is_written_is_read)
{
    uint32_t number = numbers[_i];
    uint8_t room[8];
    memset(room, 0xaa, sizeof(room));
    ck_assert_ptr_eq(bytes_put_le32(room + 1, number), room + 5);
    ck_assert_uint_eq(bytes_get_le32(room + 1), number);
    ck_assert_uint_eq(room[1], number & 0xff);
    ck_assert_ptr_eq(bytes_put_be32(room + 1, number), room + 5);
    ck_assert_uint_eq(bytes_get_be32(room + 1), number);
    ck_assert_uint_eq(room[4], number & 0xff);
    ck_assert_uint_eq(room[0], 0xaa);
    ck_assert_uint_eq(room[5], 0xaa);
    ck_assert_ptr_eq(bytes_put_le16(room + 5, number), room + 7);
    ck_assert_uint_eq(bytes_get_le16(room + 5), number & 0xffff);
    ck_assert_uint_eq(room[7], 0xaa);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bytes");
    TCase *tests = tcase_create("bytes");
    tcase_add_test(tests, each_byte_has_its_place);
    tcase_add_loop_test(tests, what_is_written_is_read, 0, sizeof(numbers) / sizeof(*numbers));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* The drawn QR code is read back, cell by cell, and compared with the library's matrix. */
#include "qr.h"

#include "suite.h"

#include <check.h>
#include <errno.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#define URI "otpauth://totp/deskgate:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=deskgate"

static char *draw(const char *text, bool colour)
{
    char *drawn = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&drawn, &size);

    ck_assert_int_eq(qr_print(out, text, colour), 0);
    fclose(out);
    return drawn;
}

/* Takes one cell off the text: bit 1 the upper half is painted, bit 0 the lower. */
static int take_cell(const char **at)
{
    static const char *const glyphs[] = {" ", "▄", "▀", "█"};

    for (int i = 0; i < 4; i++) {
        size_t length = strlen(glyphs[i]);
        if (strncmp(*at, glyphs[i], length) == 0) {
            *at += length;
            return i;
        }
    }
    return -1;
}

static void take(const char **at, const char *expected)
{
    ck_assert_int_eq(strncmp(*at, expected, strlen(expected)), 0);
    *at += strlen(expected);
}

static int dark_at(const QRcode *code, int x, int y)
{
    if (x < 0 || y < 0 || x >= code->width || y >= code->width)
        return 0;
    return code->data[y * code->width + x] & 1;
}

START_TEST(test_matrix)
{
    bool colour = _i == 1;
    char *drawn = draw(URI, colour);
    const char *at = drawn;
    QRcode *code = QRcode_encodeString8bit(URI, 0, QR_ECLEVEL_L);

    for (int y = -4; y < code->width + 4; y += 2) {
        take(&at, colour ? "\033[38;5;16;48;5;231m" : "");
        for (int x = -4; x < code->width + 4; x++) {
            int cell = take_cell(&at), dark = dark_at(code, x, y) << 1 | dark_at(code, x, y + 1);
            ck_assert_int_eq(cell, colour ? dark : dark ^ 3);
        }
        take(&at, colour ? "\033[0m\n" : "\n");
    }
    ck_assert_str_eq(at, "");
    QRcode_free(code);
    free(drawn);
}
END_TEST

START_TEST(test_fits_a_terminal)
{
    char *drawn = draw(URI, false);
    unsigned lines = 0;

    for (const char *at = drawn; *at != '\0'; at++)
        lines += *at == '\n';
    ck_assert_uint_le(lines, 23); /* of 24, the classic height */
    free(drawn);
}
END_TEST

START_TEST(test_too_long)
{
    char text[4000];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ck_assert_int_eq(qr_print(stdout, text, false), -ERANGE);
}
END_TEST

START_TEST(test_full_disk)
{
    FILE *out = fopen("/dev/full", "w");

    setvbuf(out, NULL, _IONBF, 0);
    ck_assert_int_eq(qr_print(out, URI, false), -EIO);
    fclose(out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qr");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, test_matrix, 0, 2);
    tcase_add_test(all, test_fits_a_terminal);
    tcase_add_test(all, test_too_long);
    tcase_add_test(all, test_full_disk);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}

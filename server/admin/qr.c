#include "qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stddef.h>
#include <string.h>

/* 256-colour black (16) and white (231) lie outside the palette that themes change. */
#define QR_COLOUR "\033[38;5;16;48;5;231m"
#define QR_RESET "\033[0m"

static bool qr_dark(const QRcode *code, int x, int y)
{
    if (x < 0 || y < 0 || x >= code->width || y >= code->width)
        return false;
    return (code->data[y * code->width + x] & 1) != 0;
}

static void qr_cell(FILE *out, bool top, bool bottom)
{
    static const char *const glyphs[] = {" ", "▄", "▀", "█"};

    fputs(glyphs[(top ? 2 : 0) + (bottom ? 1 : 0)], out);
}

static void qr_line(FILE *out, const QRcode *code, int y, bool colour)
{
    fputs(colour ? QR_COLOUR : "", out);
    for (int x = -QR_QUIET; x < code->width + QR_QUIET; x++) {
        bool top = qr_dark(code, x, y), bottom = qr_dark(code, x, y + 1);
        qr_cell(out, top == colour, bottom == colour);
    }
    fputs(colour ? QR_RESET "\n" : "\n", out);
}

int qr_print(FILE *out, const char *text, bool colour)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

    if (code == NULL)
        return errno > 0 ? -errno : -EINVAL;
    for (int y = -QR_QUIET; y < code->width + QR_QUIET; y += 2)
        qr_line(out, code, y, colour);
    explicit_bzero(code->data, (size_t)code->width * (size_t)code->width);
    QRcode_free(code);
    return ferror(out) ? -EIO : 0;
}

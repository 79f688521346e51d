#include "qr.h"

#include "qr_matrix.h"

#include <errno.h>

/* 256-colour black (16) and white (231) lie outside the palette that themes change. */
#define QR_COLOUR "\033[38;5;16;48;5;231m"
#define QR_RESET "\033[0m"

static void qr_cell(FILE *out, bool top, bool bottom)
{
    static const char *const glyphs[] = {" ", "▄", "▀", "█"};

    fputs(glyphs[(top ? 2 : 0) + (bottom ? 1 : 0)], out);
}

static void qr_line(FILE *out, const struct qr_matrix *matrix, int y, bool colour)
{
    fputs(colour ? QR_COLOUR : "", out);
    for (int x = -QR_QUIET; x < matrix->width + QR_QUIET; x++) {
        bool top = qr_matrix_dark(matrix, x, y), bottom = qr_matrix_dark(matrix, x, y + 1);
        qr_cell(out, top == colour, bottom == colour);
    }
    fputs(colour ? QR_RESET "\n" : "\n", out);
}

int qr_print(FILE *out, const char *text, bool colour)
{
    struct qr_matrix matrix;
    int error = qr_matrix_new(&matrix, text);

    if (error)
        return error;
    for (int y = -QR_QUIET; y < matrix.width + QR_QUIET; y += 2)
        qr_line(out, &matrix, y, colour);
    qr_matrix_free(&matrix);
    return ferror(out) ? -EIO : 0;
}

#include "qr_matrix.h"

#include <errno.h>
#include <qrencode.h>
#include <stddef.h>
#include <string.h>

int qr_matrix_new(struct qr_matrix *out, const char *text)
{
    /* Level L: on a screen nothing is torn or dirty, and fewer modules are easier to scan. */
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    *out = (struct qr_matrix){.width = code ? code->width : 0, .code = code};
    if (code)
        return 0;
    return errno > 0 ? -errno : -EINVAL;
}

bool qr_matrix_dark(const struct qr_matrix *matrix, int x, int y)
{
    const QRcode *code = matrix->code;
    if (x < 0 || y < 0 || x >= matrix->width || y >= matrix->width)
        return false;
    return code->data[y * matrix->width + x] & 1;
}

void qr_matrix_free(struct qr_matrix *matrix)
{
    QRcode *code = matrix->code;
    if (code) {
        explicit_bzero(code->data, (size_t)code->width * (size_t)code->width);
        QRcode_free(code);
    }
    *matrix = (struct qr_matrix){0};
}

/* QR codes (ISO/IEC 18004) as a matrix of modules, by libqrencode. What they hold is a secret as a
 * rule, so it is wiped. */
#pragma once

#include <stdbool.h>

struct qr_matrix {
    int width; /* modules a side, without the quiet zone */
    void *code;
};

/* 0 or a negative errno (-ERANGE: the text is too long). */
int qr_matrix_new(struct qr_matrix *out, const char *text);
/* False outside of it: the quiet zone is light. */
bool qr_matrix_dark(const struct qr_matrix *matrix, int x, int y);
void qr_matrix_free(struct qr_matrix *matrix); /* any number of times */

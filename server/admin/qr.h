/* A QR code in a terminal, two modules per character cell (half blocks), with the quiet zone of
 * four modules that ISO/IEC 18004 asks for. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#define QR_QUIET 4

/* With `colour` the modules are black on white by explicit colours, whatever the terminal's own
 * are; without, light modules are drawn and dark ones left blank, which suits a dark terminal. 0,
 * or -errno (-ERANGE: the text is too long). The matrix is wiped. */
int qr_print(FILE *out, const char *text, bool colour);

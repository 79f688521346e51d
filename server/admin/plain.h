/* Text from elsewhere, made harmless for a terminal: control characters (C0, DEL, C1), the
 * characters that reorder or hide text (bidirectional controls, zero-width ones, line separators)
 * and bytes that are not UTF-8 become visible escapes (\xNN, \u{NNNN}). */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* A copy on the heap, the caller's to free; NULL when memory ran out. */
char *plain_new(const char *text);

/* Prints the harmless form; NULL prints nothing. Write faults stay in ferror(out). */
void plain_print(FILE *out, const char *text);

/* Columns that a harmless text takes on a terminal: 0 for combining marks, 2 for East Asian wide
 * characters and emoji (Unicode Standard Annex #11, its large blocks only), else 1. */
size_t plain_width(const char *plain);

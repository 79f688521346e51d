/* UTF-8 to UTF-16LE, [MS-DTYP]'s and .rdp files' text: pure functions. What is no UTF-8 becomes
 * U+FFFD. */
#pragma once

#include <stdint.h>

/* Writes `text` without its NUL, at most up to `end` and never half a character. Returns behind the
 * last byte written. */
uint8_t *utf16_put(uint8_t *to, const uint8_t *end, const char *text);

/* Small text and byte helpers without allocation. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies at most size-1 bytes and always ends `to`; false when `from` did not fit. */
bool text_copy(char *to, size_t size, const char *from);

/* Whole-string decimal: false on an empty string, a sign, rubbish behind it, or beyond `most`. */
bool text_number(const char *text, uint64_t most, uint64_t *out);

/* The value of a hexadecimal digit of either case, -1 for any other byte. */
int text_hex_digit(char c);
/* Lower-case hexadecimal; `to` holds 2*size+1. */
void text_hex(char *to, const uint8_t *data, size_t size);

/* RFC 4648 section 5 (URL-safe alphabet) without padding. 32 bytes make 43 characters.
 * Encode: `to` holds text_base64url_size(size) bytes, NUL included.
 * Decode: the string must be canonical and give exactly `size` bytes. */
#define text_base64url_size(size) ((((size)*4) + 2) / 3 + 1)
void text_base64url(char *to, const uint8_t *data, size_t size);
bool text_base64url_decode(const char *text, size_t length, uint8_t *to, size_t size);

/* RFC 4648 section 4, padded; `to` holds ((size + 2) / 3) * 4 + 1. */
void text_base64(char *to, const uint8_t *data, size_t size);

/* A name of a person, group or desktop as an administrator gives it: 1–64 bytes of
 * [A-Za-z0-9._@+-], beginning with a letter or digit. */
#define TEXT_NAME_SIZE 65
/* Words that an administrator has for people, as UTF-8, and their NUL: a paragraph, which even of
 * three bytes a character has 240. */
#define TEXT_WORDS_SIZE 721
bool text_is_name(const char *text);

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool text_is_utf8(const uint8_t *data, size_t size);

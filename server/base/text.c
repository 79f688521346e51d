#include "text.h"

#include <string.h>

bool text_copy(char *to, size_t size, const char *from)
{
    size_t length = strnlen(from, size);
    if (length == size) {
        memcpy(to, from, size - 1);
        to[size - 1] = '\0';
        return false;
    }
    memcpy(to, from, length + 1);
    return true;
}

bool text_number(const char *text, uint64_t most, uint64_t *out)
{
    uint64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > most)
        return false;
    *out = value;
    return true;
}

int text_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void text_hex(char *to, const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        *to++ = digits[data[i] >> 4];
        *to++ = digits[data[i] & 15];
    }
    *to = '\0';
}

static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char plain_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *encode(char *to, const uint8_t *data, size_t size, const char *alphabet, bool pad)
{
    size_t i = 0;
    for (; i + 3 <= size; i += 3) {
        unsigned v = (unsigned)data[i] << 16 | (unsigned)data[i + 1] << 8 | data[i + 2];
        *to++ = alphabet[v >> 18];
        *to++ = alphabet[v >> 12 & 63];
        *to++ = alphabet[v >> 6 & 63];
        *to++ = alphabet[v & 63];
    }
    size_t left = size - i;
    if (left) {
        unsigned v = (unsigned)data[i] << 16 | (left == 2 ? (unsigned)data[i + 1] << 8 : 0);
        *to++ = alphabet[v >> 18];
        *to++ = alphabet[v >> 12 & 63];
        if (left == 2)
            *to++ = alphabet[v >> 6 & 63];
        else if (pad)
            *to++ = '=';
        if (pad)
            *to++ = '=';
    }
    *to = '\0';
    return to;
}

void text_base64url(char *to, const uint8_t *data, size_t size)
{
    encode(to, data, size, url_alphabet, false);
}

void text_base64(char *to, const uint8_t *data, size_t size)
{
    encode(to, data, size, plain_alphabet, true);
}

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool text_base64url_decode(const char *text, size_t length, uint8_t *to, size_t size)
{
    if (length != text_base64url_size(size) - 1)
        return false;
    unsigned held = 0, bits = 0;
    size_t made = 0;
    for (size_t i = 0; i < length; i++) {
        int value = sextet(text[i]);
        if (value < 0)
            return false;
        held = (held << 6 | (unsigned)value) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            to[made++] = (uint8_t)(held >> bits);
        }
    }
    /* Canonical: the bits that fill up the last character are zero. */
    return made == size && (held & ((1U << bits) - 1)) == 0;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool text_is_name(const char *text)
{
    size_t length = strnlen(text, TEXT_NAME_SIZE);
    if (length == 0 || length >= TEXT_NAME_SIZE || !is_letter_or_digit(text[0]))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_letter_or_digit(text[i]) && !strchr("._@+-", text[i]))
            return false;
    }
    return true;
}

/* The length of the sequence that `lead` begins and the least value it may carry; 0: not a lead. */
static size_t utf8_lead(uint8_t lead, uint32_t *value, uint32_t *least)
{
    if (lead < 0x80) {
        *value = lead;
        *least = 0;
        return 1;
    }
    if ((lead & 0xe0) == 0xc0) {
        *value = lead & 0x1f;
        *least = 0x80;
        return 2;
    }
    if ((lead & 0xf0) == 0xe0) {
        *value = lead & 0x0f;
        *least = 0x800;
        return 3;
    }
    if ((lead & 0xf8) == 0xf0) {
        *value = lead & 0x07;
        *least = 0x10000;
        return 4;
    }
    return 0;
}

bool text_is_utf8(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size;) {
        uint32_t value = 0, least = 0;
        size_t length = utf8_lead(data[i], &value, &least);
        if (length == 0 || length > size - i)
            return false;
        for (size_t k = 1; k < length; k++) {
            if ((data[i + k] & 0xc0) != 0x80)
                return false;
            value = value << 6 | (data[i + k] & 0x3fU);
        }
        if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
            return false;
        i += length;
    }
    return true;
}

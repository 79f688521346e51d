#include "plain.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct plain_range {
    uint32_t first, last;
};

/* Not to be printed as they are. */
static const struct plain_range plain_unsafe[] = {
    {0x0000, 0x001f},   /* C0 */
    {0x007f, 0x009f},   /* DEL, C1: 0x9b is CSI on 8-bit terminals */
    {0x00ad, 0x00ad},   /* soft hyphen */
    {0x061c, 0x061c},   /* Arabic letter mark */
    {0x180e, 0x180e},   /* Mongolian vowel separator */
    {0x200b, 0x200f},   /* zero-width, direction marks */
    {0x2028, 0x202e},   /* line and paragraph separators, embeddings, overrides */
    {0x2060, 0x206f},   /* word joiner, isolates, deprecated format characters */
    {0xfeff, 0xfeff},   /* byte order mark */
    {0xfff9, 0xfffb},   /* interlinear annotation */
    {0xe0000, 0xe007f}, /* tags */
};

static const struct plain_range plain_zero[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f}, {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};

static const struct plain_range plain_wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
    {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
    {0x20000, 0x3fffd},
};

#define PLAIN_IN(point, ranges) plain_in((point), (ranges), sizeof(ranges) / sizeof((ranges)[0]))

static bool plain_in(uint32_t point, const struct plain_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    }
    return false;
}

/* Bytes of the character at `at` by its first byte (RFC 3629 section 3), or 0. */
static size_t plain_length(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    if (first >= 0xf0 && first <= 0xf4)
        return 4;
    return 0;
}

/* Reads one character; returns its size, or 0 when the bytes are not UTF-8. */
static size_t plain_point(const char *at, uint32_t *point)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = (const uint8_t *)at;
    size_t length = plain_length(bytes[0]);
    uint32_t value = bytes[0] & masks[length];

    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) /* the NUL at the end stops here as well */
            return 0;
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    if (length == 0 || value < least[length] || value > 0x10ffff ||
        (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *point = value;
    return length;
}

char *plain_new(const char *text)
{
    size_t size = strlen(text);
    /* One bad byte becomes four ("\x1b"); "\u{202e}" is eight for three bytes. */
    char *to = calloc(size + 1, 4), *end = to;

    if (to == NULL)
        return NULL;
    for (const char *at = text; *at != '\0';) {
        uint32_t point = 0;
        size_t length = plain_point(at, &point);
        if (length == 0) {
            end += sprintf(end, "\\x%02x", (unsigned)(uint8_t)*at++);
        } else if (PLAIN_IN(point, plain_unsafe)) {
            end += sprintf(end, point < 0x80 ? "\\x%02x" : "\\u{%x}", (unsigned)point);
            at += length;
        } else {
            memcpy(end, at, length);
            end += length;
            at += length;
        }
    }
    *end = '\0';
    return to;
}

void plain_print(FILE *out, const char *text)
{
    char *plain = text == NULL ? NULL : plain_new(text);

    if (plain != NULL)
        fputs(plain, out);
    free(plain);
}

size_t plain_width(const char *plain)
{
    size_t width = 0;

    while (*plain != '\0') {
        uint32_t point = 0;
        size_t length = plain_point(plain, &point);
        plain += length == 0 ? 1 : length;
        if (length == 0 || !PLAIN_IN(point, plain_zero))
            width += length != 0 && PLAIN_IN(point, plain_wide) ? 2 : 1;
    }
    return width;
}

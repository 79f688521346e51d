#include "utf16.h"

#include "bytes.h"

#include <stdbool.h>

/* The next character of UTF-8 that is not at its end; U+FFFD, and one byte on, where it is none. */
static uint32_t next_character(const uint8_t **text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *at = *text;
    unsigned size = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    uint32_t value = size == 1 ? at[0] : at[0] & (0x7fU >> size);
    bool good = at[0] < 0x80 || (at[0] >= 0xc0 && at[0] < 0xf8);
    for (unsigned i = 1; good && i < size; i++) { /* the NUL at the end is no continuation */
        good = (at[i] & 0xc0) == 0x80;
        value = value << 6 | (at[i] & 0x3f);
    }
    good = good && value >= least[size] && value <= 0x10ffff && (value & ~0x7ffU) != 0xd800;
    *text += good ? size : 1;
    return good ? value : 0xfffd;
}

uint8_t *utf16_put(uint8_t *to, const uint8_t *end, const char *words)
{
    const uint8_t *text = (const uint8_t *)words;
    while (*text) {
        uint32_t value = next_character(&text);
        if (end - to < (value > 0xffff ? 4 : 2))
            break;
        if (value > 0xffff) {
            to = bytes_put_le16(to, 0xd800 + (value - 0x10000) / 0x400);
            value = 0xdc00 + value % 0x400;
        }
        to = bytes_put_le16(to, value);
    }
    return to;
}

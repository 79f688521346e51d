/* Bytes as the tests of codecs write them down: hexadecimal, with spaces anywhere. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct hex_bytes {
    uint8_t data[9000];
    size_t size;
};

static inline struct hex_bytes hex_bytes(const char *text)
{
    struct hex_bytes made = {0};
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        char pair[3] = {text[0], text[1], 0};
        made.data[made.size++] = (uint8_t)strtoul(pair, NULL, 16);
        text++;
    }
    return made;
}

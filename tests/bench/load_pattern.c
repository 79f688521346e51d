#include "load_pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t pattern[2 * PATTERN_BLOCK]; /* twice, so that any block lies in one piece */

const uint8_t *pattern_bytes(void)
{
    uint32_t state = 2463534242U; /* xorshift: no run of it looks like another */
    if (pattern[0] || pattern[1])
        return pattern;
    for (size_t i = 0; i < PATTERN_BLOCK; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        pattern[i] = pattern[i + PATTERN_BLOCK] = (uint8_t)state;
    }
    return pattern;
}

void pattern_check(const uint8_t *bytes, size_t size, uint64_t place)
{
    while (size > 0) {
        size_t at = place % PATTERN_BLOCK, part = size < PATTERN_BLOCK ? size : PATTERN_BLOCK;
        if (memcmp(bytes, pattern + at, part) != 0) {
            fputs("deskgate-load: a byte arrived as another one\n", stderr);
            exit(EXIT_FAILURE);
        }
        bytes += part;
        size -= part;
        place += part;
    }
}

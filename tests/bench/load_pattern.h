/* The bytes that are moved: a block of 16 KiB again and again, so that a byte's place in the stream
 * tells what it must be. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PATTERN_BLOCK 16384

/* The stream from a multiple of PATTERN_BLOCK on, two blocks of it. The first call, which must not
 * have company, makes it. */
const uint8_t *pattern_bytes(void);

/* Ends the program with 1 when what stands at `place` of the stream is not the pattern. */
void pattern_check(const uint8_t *bytes, size_t size, uint64_t place);

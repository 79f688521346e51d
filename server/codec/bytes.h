/* Numbers in packets: read from, and written to, bytes that stand anywhere. Whoever calls has seen
 * to it that they are there. Writers return the place behind what they wrote. */
#pragma once

#include <stdint.h>

static inline uint16_t bytes_get_le16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t bytes_get_le32(const uint8_t *at)
{
    return bytes_get_le16(at) | (uint32_t)bytes_get_le16(at + 2) << 16;
}

static inline uint16_t bytes_get_be16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t bytes_get_be24(const uint8_t *at)
{
    return (uint32_t)at[0] << 16 | bytes_get_be16(at + 1);
}

static inline uint32_t bytes_get_be32(const uint8_t *at)
{
    return (uint32_t)bytes_get_be16(at) << 16 | bytes_get_be16(at + 2);
}

/* The lowest 16 bits of it. */
static inline uint8_t *bytes_put_le16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    return to + 2;
}

static inline uint8_t *bytes_put_le32(uint8_t *to, uint32_t value)
{
    return bytes_put_le16(bytes_put_le16(to, value), value >> 16);
}

static inline uint8_t *bytes_put_be32(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 24);
    to[1] = (uint8_t)(value >> 16);
    to[2] = (uint8_t)(value >> 8);
    to[3] = (uint8_t)value;
    return to + 4;
}

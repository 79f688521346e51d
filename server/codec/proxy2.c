#include "proxy2.h"

#include "bytes.h"

#include <netinet/in.h>
#include <string.h>

#define COMMAND_LOCAL 0x20 /* the upper half is the version, 2 */
#define COMMAND_PROXY 0x21
#define FAMILY_INET 1
#define FAMILY_INET6 2
#define FAMILY_UNIX 3
#define TRANSPORT_DGRAM 2
#define TLV_HEAD 3
#define TLV_CRC32C 3
#define CRC_SIZE 4

static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

/* Of both addresses and both ports, by family; UNSPEC has none that are told of. */
static const uint16_t address_sizes[] = {
    0, [FAMILY_INET] = 12, [FAMILY_INET6] = 36, [FAMILY_UNIX] = 216};

/* RFC 4960 appendix B: the Castagnoli polynomial, reflected. A header is short, so bit by bit. The
 * CRC_SIZE bytes at `blank` count as zero. */
static uint32_t crc32c(const uint8_t *data, size_t size, size_t blank)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= i - blank < CRC_SIZE ? 0 : data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

/* The TLVs fill the header from `at` to `size` exactly, and the checksum, if there is one, is
 * right. The specification does not say in which order its bytes stand; all senders known follow
 * haproxy, who takes the network's. */
static bool tlvs_ok(const uint8_t *data, size_t size, size_t at)
{
    bool checked = false;
    while (at < size) {
        if (size - at < TLV_HEAD || size - at - TLV_HEAD < bytes_get_be16(data + at + 1))
            return false;
        size_t length = bytes_get_be16(data + at + 1), value = at + TLV_HEAD;
        if (data[at] == TLV_CRC32C) {
            if (checked || length != CRC_SIZE)
                return false;
            uint32_t said = bytes_get_be32(data + value);
            if (said != crc32c(data, size, value))
                return false;
            checked = true;
        }
        at = value + length;
    }
    return true;
}

static void take_source(struct proxy2 *out, const uint8_t *data, uint8_t family)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    memcpy(&in.sin_addr, data + PROXY2_FIXED, sizeof(in.sin_addr));
    if (family == FAMILY_INET) {
        out->told = addr_from_sockaddr(&out->source, (const struct sockaddr *)&in);
    } else if (family == FAMILY_INET6) {
        memcpy(&in6.sin6_addr, data + PROXY2_FIXED, sizeof(in6.sin6_addr));
        out->told = addr_from_sockaddr(&out->source, (const struct sockaddr *)&in6);
    }
}

/* As far as the fixed part is there. */
static bool fixed_ok(const uint8_t *data, size_t size)
{
    if (memcmp(data, signature, size < sizeof(signature) ? size : sizeof(signature)) != 0)
        return false;
    if (size > 12 && data[12] != COMMAND_LOCAL && data[12] != COMMAND_PROXY)
        return false;
    /* With LOCAL, family and addresses are ignored. */
    if (size > 13 && data[12] == COMMAND_PROXY &&
        (data[13] >> 4 > FAMILY_UNIX || (data[13] & 0xf) > TRANSPORT_DGRAM))
        return false;
    return size < PROXY2_FIXED || bytes_get_be16(data + 14) <= PROXY2_MOST - PROXY2_FIXED;
}

enum proxy2_result proxy2_read(const uint8_t *data, size_t size, struct proxy2 *out)
{
    *out = (struct proxy2){.size = PROXY2_FIXED};
    if (!fixed_ok(data, size))
        return PROXY2_BAD;
    if (size < PROXY2_FIXED)
        return PROXY2_MORE;
    out->size = PROXY2_FIXED + (size_t)bytes_get_be16(data + 14);
    /* Half of family and transport is UNSPEC as a whole: what follows cannot be told apart. */
    bool known = data[12] == COMMAND_PROXY && data[13] >> 4 && data[13] & 0xf;
    size_t addresses = known ? address_sizes[data[13] >> 4] : 0;
    if (out->size < PROXY2_FIXED + addresses)
        return PROXY2_BAD;
    if (size < out->size)
        return PROXY2_MORE;
    if (known && !tlvs_ok(data, out->size, PROXY2_FIXED + addresses))
        return PROXY2_BAD;
    if (known)
        take_source(out, data, data[13] >> 4);
    return PROXY2_DONE;
}

bool proxy2_begins(const uint8_t *data, size_t size)
{
    static const char text[6] = "PROXY "; /* version 1, section 2.1 */
    size_t most = size < sizeof(signature) ? size : sizeof(signature);
    return (size >= sizeof(text) && memcmp(data, text, sizeof(text)) == 0) ||
           (size > strlen("\r\n\r\n") && memcmp(data, signature, most) == 0);
}

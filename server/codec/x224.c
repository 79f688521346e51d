#include "x224.h"

#include "bytes.h"

#include <errno.h>
#include <string.h>

#define TPKT_VERSION 3
#define TPKT_HEADER 4
#define FIXED 7            /* length indicator, code, destination, source, class */
#define INDICATOR_MOST 254 /* 255 is reserved: X.224 section 13.2.1 */
#define CODE_REQUEST 0xe0  /* no credit in class 0: section 13.3.3 */
#define CODE_CONFIRM 0xd0

/* [MS-RDPBCGR] sections 2.2.1.1.1, 2.2.1.1.2, 2.2.1.2.1, 2.2.1.2.2 */
#define NEG_REQUEST 1
#define NEG_RESPONSE 2
#define NEG_FAILURE 3
#define NEG_SIZE 8
#define NEG_FLAG_CORRELATION 0x08
#define CORRELATION 6
#define CORRELATION_SIZE 36

/* A whole PDU of this code, whose length fields agree. */
static bool framed(const uint8_t *pdu, size_t size, unsigned code)
{
    return size >= TPKT_HEADER + FIXED && pdu[0] == TPKT_VERSION &&
           bytes_get_be16(pdu + 2) == size && pdu[4] == size - TPKT_HEADER - 1 &&
           pdu[4] <= INDICATOR_MOST && pdu[5] == code && (pdu[10] & 0xf0) == 0; /* class 0 */
}

/* Text up to and with CR LF: "Cookie: mstshash=…" or a routing token. What is in it is between
 * client and desktop. */
static bool skip_token(const uint8_t **at, size_t *left)
{
    const uint8_t *end = memchr(*at, '\r', *left);
    if (!end || (size_t)(end - *at) + 2 > *left || end[1] != '\n')
        return false;
    size_t used = (size_t)(end - *at) + 2;
    *at += used;
    *left -= used;
    return true;
}

static bool correlation_ok(const uint8_t *at, size_t left)
{
    return left == CORRELATION_SIZE && at[0] == CORRELATION &&
           bytes_get_le16(at + 2) == CORRELATION_SIZE;
}

bool x224_request_ok(const uint8_t *pdu, size_t size)
{
    if (size > X224_REQUEST_MOST || !framed(pdu, size, CODE_REQUEST))
        return false;
    const uint8_t *at = pdu + TPKT_HEADER + FIXED;
    size_t left = size - TPKT_HEADER - FIXED;
    if (left && at[0] != NEG_REQUEST && !skip_token(&at, &left))
        return false;
    if (!left)
        return true; /* an old client, which negotiates nothing */
    if (left < NEG_SIZE || at[0] != NEG_REQUEST || bytes_get_le16(at + 2) != NEG_SIZE)
        return false;
    bool more = at[1] & NEG_FLAG_CORRELATION;
    return more ? correlation_ok(at + NEG_SIZE, left - NEG_SIZE) : left == NEG_SIZE;
}

static bool negotiation_read(const uint8_t *at, struct x224_confirm *out)
{
    if ((at[0] != NEG_RESPONSE && at[0] != NEG_FAILURE) || bytes_get_le16(at + 2) != NEG_SIZE)
        return false;
    out->negotiated = true;
    out->failure = at[0] == NEG_FAILURE;
    if (out->failure)
        out->reason = bytes_get_le32(at + 4);
    else
        out->protocol = bytes_get_le32(at + 4);
    return true;
}

int x224_confirm_read(const uint8_t *data, size_t size, struct x224_confirm *out)
{
    *out = (struct x224_confirm){0};
    if (size && data[0] != TPKT_VERSION)
        return -EPROTO;
    if (size < TPKT_HEADER)
        return 0;
    size_t whole = bytes_get_be16(data + 2);
    if (whole > X224_CONFIRM_MOST || whole < TPKT_HEADER + FIXED)
        return -EPROTO;
    if (size < whole)
        return 0;
    if (!framed(data, whole, CODE_CONFIRM))
        return -EPROTO;
    size_t left = whole - TPKT_HEADER - FIXED;
    if (left && (left != NEG_SIZE || !negotiation_read(data + TPKT_HEADER + FIXED, out)))
        return -EPROTO;
    return (int)whole;
}

/* The first PDUs of RDP: TPKT (RFC 1006 section 6) around X.224 class 0 connection request and
 * confirm, with RDP's negotiation ([MS-RDPBCGR] sections 2.2.1.1 and 2.2.1.2). Pure functions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X224_REQUEST_MOST 512 /* no client sends more; the length indicator ends at 254 */
#define X224_CONFIRM_MOST 512

/* [MS-RDPBCGR] section 2.2.1.1.1: requestedProtocols and selectedProtocol. */
enum x224_protocol {
    X224_PROTOCOL_RDP = 0,
    X224_PROTOCOL_TLS = 1,
    X224_PROTOCOL_HYBRID = 2,
    X224_PROTOCOL_HYBRID_EX = 8
};

struct x224_confirm {
    bool negotiated;   /* RDP_NEG_RSP or RDP_NEG_FAILURE is there */
    bool failure;      /* RDP_NEG_FAILURE */
    uint32_t protocol; /* enum x224_protocol, when negotiated and no failure */
    uint32_t reason;   /* of a failure: section 2.2.1.2.2, failureCode */
};

/* Exactly one well-formed connection request, with at most a cookie or routing token, RDP_NEG_REQ
 * and correlation information in it. */
bool x224_request_ok(const uint8_t *pdu, size_t size);

/* Reads a connection confirm from the beginning of `data`. Returns its size; 0 when more bytes are
 * needed; -EPROTO when it is none, or too large. */
int x224_confirm_read(const uint8_t *data, size_t size, struct x224_confirm *out);

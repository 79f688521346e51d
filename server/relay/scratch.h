/* The buffers that all streams and relays of one event loop share. Private to relay/. */
#pragma once

#include "stream.h"
#include "tsgu.h"
#include "ws.h"

/* One recv() takes as much as this; measured: without batching, upload costs a fifth more. */
#define SCRATCH_IN (256 * 1024)
/* One read's worth of plaintext, and room for a frame's header before it. */
#define SCRATCH_DATA (128 * 1024)
/* What one write of SCRATCH_DATA becomes: per 16 KB record, header and tag (RFC 8446 section 5.2:
 * 5 + 1 + 16 bytes, TLS 1.2 a little more), and room for the alerts and tickets of a handshake. */
#define SCRATCH_OUT (SCRATCH_DATA + SCRATCH_DATA / 64 + 16 * 1024)

struct stream_scratch {
    /* Ciphertext received by one stream and not yet decrypted: valid until another stream receives,
     * which first makes the owner keep it (stream_tls_io.h). */
    struct stream_tls *in_owner;
    size_t in_at, in_size;
    size_t out_size;
    uint8_t in[SCRATCH_IN];
    uint8_t out[SCRATCH_OUT];
    uint8_t head[WS_HEADER_MOST + TSGU_DATA_HEADER]; /* must stand directly before data */
    uint8_t data[SCRATCH_DATA];
    uint8_t spare[1]; /* behind data: record_seal() borrows a byte there */
};

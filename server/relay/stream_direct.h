/* TLS 1.3 without GnuTLS's session: once a relay runs, what is left of TLS are records (record.h),
 * and the three messages that may still come (RFC 8446 sections 4.6 and 6). Private to relay/. */
#pragma once

#include "record.h"
#include "stream.h"

struct stream_direct {
    struct record_keys in, out;
    uint32_t skip;   /* bytes of a session ticket that is not wanted, in records to come */
    bool server;     /* our role */
    bool update_due; /* the peer has asked us to change our keys */
    uint8_t empty;   /* records in a row that brought no payload */
};

/* Notes the traffic secrets while the handshake runs; for stream_tls_init(). */
void stream_direct_watch(gnutls_session_t session);
/* Takes the records over, when it is time and possible: called at first and before each read and
 * write while tls->direct_wanted. GnuTLS must hold no bytes of either direction. */
void stream_direct_try(struct stream_tls *tls);
/* What it does in the end: from here on the keys of tls->direct are used, and no session. */
void stream_direct_begin(struct stream_tls *tls);
void stream_direct_free(struct stream_direct *direct); /* NULL is fine */

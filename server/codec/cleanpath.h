/* RDCleanPath: the one request and the one answer with which a browser's RDP client and a gateway
 * begin, in DER (ITU-T X.690). As Devolutions' IronRDP defines it (crate ironrdp-rdcleanpath):
 *
 *     RDCleanPath ::= SEQUENCE {
 *         version            [0] EXPLICIT INTEGER (3390),
 *         error              [1] EXPLICIT SEQUENCE { errorCode [0], httpStatusCode [1],
 *                                    wsaLastError [2], tlsAlertCode [3] } OPTIONAL,
 *         destination        [2] EXPLICIT UTF8String OPTIONAL,
 *         proxyAuth          [3] EXPLICIT UTF8String OPTIONAL,
 *         serverAuth         [4] EXPLICIT UTF8String OPTIONAL,
 *         preconnectionBlob  [5] EXPLICIT UTF8String OPTIONAL,
 *         x224ConnectionPdu  [6] EXPLICIT OCTET STRING OPTIONAL,
 *         serverCertChain    [7] EXPLICIT SEQUENCE OF OCTET STRING OPTIONAL,
 *         serverAddr         [9] EXPLICIT UTF8String OPTIONAL }
 *
 * Pure functions. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CLEANPATH_VERSION 3390
#define CLEANPATH_REQUEST_MOST 4096
#define CLEANPATH_ERROR_MOST 640 /* an error PDU with an X.224 confirm of 512 bytes fits */

enum { CLEANPATH_GENERAL = 1, CLEANPATH_NEGOTIATION = 2 };

/* Windows Sockets error codes, winsock2.h. */
enum {
    CLEANPATH_WSA_RESET = 10054,
    CLEANPATH_WSA_TIMED_OUT = 10060,
    CLEANPATH_WSA_REFUSED = 10061,
    CLEANPATH_WSA_HOST_NOT_FOUND = 11001
};

struct cleanpath_view { /* bytes of somebody else's; size 0: absent */
    const uint8_t *data;
    size_t size;
};

struct cleanpath_request {
    struct cleanpath_view destination, proxy_auth, x224;
};

struct cleanpath_error {
    int code;        /* CLEANPATH_GENERAL or CLEANPATH_NEGOTIATION */
    int http_status; /* 0 or less: absent, and so on */
    int wsa;
    int tls_alert;
};

/* The size of the PDU that begins at `data`; 0 when more bytes are needed to know it, or it is not
 * whole yet; -EPROTO when it is none or larger than CLEANPATH_REQUEST_MOST. */
int cleanpath_request_size(const uint8_t *data, size_t size);

/* Reads one whole request into views of it. 0; -EPROTO when it is not well formed or lacks one of
 * the three (a text with a NUL in it is none); -ENOTSUP for another version. serverAuth and the
 * blob are ignored. */
int cleanpath_request_read(const uint8_t *pdu, size_t size, struct cleanpath_request *out);

/* Write into `to`; the size, or 0 when there is no room. */
size_t cleanpath_write_answer(uint8_t *to, size_t room, struct cleanpath_view x224,
                              const struct cleanpath_view *chain, size_t count,
                              const char *address);
size_t cleanpath_write_error(uint8_t *to, size_t room, const struct cleanpath_error *error,
                             struct cleanpath_view x224);

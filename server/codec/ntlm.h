/* NTLM's messages as a server reads and writes them, [MS-NLMP] section 2.2.1. Nothing is computed
 * here: whether a response is the right one, only who knows the password's hash can say
 * (keeper/ntlm_proof.h). NTLMv2 alone: what older responses prove is no use. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NTLM_MESSAGE_MOST 4096 /* longer ones are not read; clients send some hundred bytes */
#define NTLM_SERVER_CHALLENGE_SIZE 8
#define NTLM_PROOF_SIZE 16
#define NTLM_BINDINGS_SIZE 16
#define NTLM_NAME_MOST 64

enum ntlm_type { NTLM_NONE, NTLM_NEGOTIATE, NTLM_CHALLENGE, NTLM_AUTHENTICATE };

/* Which message this begins as; NTLM_NONE: no NTLM at all. */
enum ntlm_type ntlm_type(const uint8_t *data, size_t size);

/* NEGOTIATE, the client's first word. False: malformed, or a client that cannot speak Unicode. */
bool ntlm_negotiate_read(const uint8_t *data, size_t size, uint32_t *flags);

/* CHALLENGE, our answer. `flags`: the client's; `name`: our DNS name in ASCII, which clients look
 * at no closer, and which is cut after its first label when it is longer than NTLM_NAME_MOST;
 * `filetime`: now, in 100 ns since 1601. `to` holds NTLM_CHALLENGE_MOST. Returns its size. */
#define NTLM_CHALLENGE_MOST 512
size_t ntlm_challenge_write(uint8_t *to, uint32_t flags,
                            const uint8_t challenge[NTLM_SERVER_CHALLENGE_SIZE], const char *name,
                            uint64_t filetime);

struct ntlm_text { /* UTF-16LE, in the message that was read */
    const uint8_t *data;
    size_t size; /* bytes, even */
};

/* AUTHENTICATE, the client's second word. */
struct ntlm_authenticate {
    struct ntlm_text user, domain; /* the user is never empty */
    const uint8_t *proof;          /* NTLM_PROOF_SIZE: NTProofStr */
    const uint8_t *blob;           /* what it proves (2.2.2.7), and all that follows it */
    size_t blob_size;
    const uint8_t *bindings; /* NTLM_BINDINGS_SIZE, MsvAvChannelBindings: what the client takes our
                                end of TLS for; NULL: it does not say */
};

/* False: malformed, not in Unicode, nobody's, or not NTLMv2. */
bool ntlm_authenticate_read(const uint8_t *data, size_t size, struct ntlm_authenticate *out);

/* UTF-16LE to ASCII; false when it does not fit or holds anything but printable ASCII. */
bool ntlm_text_ascii(struct ntlm_text text, char *to, size_t size);

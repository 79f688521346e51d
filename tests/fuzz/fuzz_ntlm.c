/* NTLM's messages, as a stranger sends them. */
#include "ntlm.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(const uint8_t *data, size_t size, const uint8_t *part, size_t length)
{
    if (part < data || length > size || (size_t)(part - data) > size - length)
        abort();
}

static void check_authenticate(const uint8_t *data, size_t size)
{
    struct ntlm_authenticate read;
    char text[64];
    if (!ntlm_authenticate_read(data, size, &read))
        return;
    if (read.user.size == 0 || read.user.size % 2 || read.domain.size % 2)
        abort();
    within(data, size, read.user.data, read.user.size);
    within(data, size, read.domain.data, read.domain.size);
    within(data, size, read.proof, NTLM_PROOF_SIZE);
    within(data, size, read.blob, read.blob_size);
    if (read.bindings)
        within(read.blob, read.blob_size, read.bindings, NTLM_BINDINGS_SIZE);
    if (ntlm_text_ascii(read.user, text, sizeof(text)) && strlen(text) * 2 != read.user.size)
        abort();
}

static void check_negotiate(const uint8_t *data, size_t size)
{
    uint32_t flags;
    uint8_t made[NTLM_CHALLENGE_MOST];
    const uint8_t challenge[NTLM_SERVER_CHALLENGE_SIZE] = {0};
    if (!ntlm_negotiate_read(data, size, &flags))
        return;
    size_t length = ntlm_challenge_write(made, flags, challenge, "gateway.example.org", 1);
    if (length > sizeof(made) || ntlm_type(made, length) != NTLM_CHALLENGE)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* exact, so that a sanitizer sees an overrun */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    check_negotiate(copy, size);
    check_authenticate(copy, size);
    free(copy);
    return 0;
}

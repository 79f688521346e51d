#include "rdg_proof.h"

#include <string.h>

/* "DOMAIN\name" is how Windows asks for both in one field. */
static const char *without_domain(const char *name)
{
    const char *end = strrchr(name, '\\');
    return end ? end + 1 : name;
}

static bool take_text(char *to, size_t most, const uint8_t *from, size_t size)
{
    if (size >= most || memchr(from, '\0', size))
        return false;
    memcpy(to, from, size);
    to[size] = '\0';
    return true;
}

const char *rdg_proof_basic(struct ipc_pass *pass, const uint8_t *data, size_t size)
{
    char name[IPC_USERNAME_SIZE];
    const uint8_t *colon = size ? memchr(data, ':', size) : NULL;
    pass->kind = IPC_PASS_BASIC;
    if (!colon)
        return "no password in Basic";
    size_t before = (size_t)(colon - data);
    if (!take_text(name, sizeof(name), data, before) ||
        !take_text(pass->password, sizeof(pass->password), colon + 1, size - before - 1))
        return "longer than a name or a gateway password";
    text_copy(pass->username, sizeof(pass->username), without_domain(name));
    return NULL;
}

static bool take_part(uint8_t *to, size_t most, uint16_t *size, const uint8_t *from, size_t length)
{
    if (length > most)
        return false;
    memcpy(to, from, length);
    *size = (uint16_t)length;
    return true;
}

const char *rdg_proof_ntlm(struct ipc_pass *pass,
                           const uint8_t challenge[NTLM_SERVER_CHALLENGE_SIZE], const uint8_t *data,
                           size_t size, const uint8_t **bindings)
{
    struct ntlm_authenticate read;
    char name[IPC_USERNAME_SIZE];
    pass->kind = IPC_PASS_NTLM;
    if (!ntlm_authenticate_read(data, size, &read))
        return "no proper NTLMv2 response";
    if (!take_part(pass->user, sizeof(pass->user), &pass->user_size, read.user.data,
                   read.user.size) ||
        !take_part(pass->domain, sizeof(pass->domain), &pass->domain_size, read.domain.data,
                   read.domain.size) ||
        !take_part(pass->blob, sizeof(pass->blob), &pass->blob_size, read.blob, read.blob_size))
        return "a long NTLM response";
    memcpy(pass->challenge, challenge, sizeof(pass->challenge));
    memcpy(pass->proof, read.proof, sizeof(pass->proof));
    *bindings = read.bindings;
    if (ntlm_text_ascii(read.user, name, sizeof(name)))
        text_copy(pass->username, sizeof(pass->username), without_domain(name));
    return NULL;
}

#include "rdp_sign.h"

#include "log.h"
#include "pem_file.h"
#include "rdpfile_sign.h"
#include "rdpfile_signer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a signature takes in base64, in groups; and scope and alternate address. */
_Static_assert((RDPFILE_SIGNER_MOST + 12) * 4 / 3 * 66 / 64 + 2048 <= RDP_SIGN_ROOM,
               "any signature fits");

struct rdp_sign {
    pthread_mutex_t lock;         /* guards all; a file is signed in a few milliseconds */
    struct rdpfile_signer signer; /* without a key: none */
};

int rdp_sign_new(struct rdp_sign **out)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return -ENOMEM;
    pthread_mutex_init(&(*out)->lock, NULL);
    return 0;
}

static void replace(struct rdp_sign *sign, const struct rdpfile_signer *fresh)
{
    pthread_mutex_lock(&sign->lock);
    struct rdpfile_signer old = sign->signer;
    sign->signer = *fresh;
    pthread_mutex_unlock(&sign->lock);
    rdpfile_signer_deinit(&old);
}

int rdp_sign_load(struct rdp_sign *sign, int certificate_fd, int key_fd, char *why, size_t size)
{
    gnutls_datum_t certificate = {0}, key = {0};
    struct rdpfile_signer fresh;
    int error = pem_file_read(certificate_fd, &certificate);
    if (!error)
        error = pem_file_read(key_fd, &key);
    if (error)
        snprintf(why, size, "%s", strerror(-error));
    else
        error = rdpfile_signer_load(&fresh, &certificate, &key, why, size);
    pem_file_forget(&certificate);
    pem_file_forget(&key);
    if (!error)
        replace(sign, &fresh);
    return error;
}

/* Locked. */
static bool add_signature(const struct rdp_sign *sign, char *text, size_t *text_size, size_t room)
{
    size_t size = rdpfile_sign_scope(text, *text_size, room);
    uint8_t *message = size ? malloc(RDPFILE_SIGNED_MOST(size)) : NULL;
    gnutls_datum_t data = {message, 0}, der = {0};
    if (message)
        data.size = (unsigned)rdpfile_sign_message(text, size, message);
    int code = data.size ? rdpfile_signer_make(&sign->signer, &data, &der) : GNUTLS_E_MEMORY_ERROR;
    size = code < 0 ? 0 : rdpfile_sign_add(text, size, room, der.data, der.size);
    gnutls_free(der.data);
    free(message);
    if (size)
        *text_size = size;
    else
        LOG_ERROR("rdp.sign", "a file could not be signed",
                  LOG_TEXT("error", code < 0 ? gnutls_strerror(code) : "it is too long"));
    return size > 0;
}

bool rdp_sign_text(struct rdp_sign *sign, char *text, size_t *text_size, size_t room)
{
    pthread_mutex_lock(&sign->lock);
    bool good = !sign->signer.key || add_signature(sign, text, text_size, room);
    pthread_mutex_unlock(&sign->lock);
    return good;
}

#include "record_cipher_mb.h"

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64 /* for the widest loads of its tables */

struct record_cipher_mb {
    struct gcm_key_data key;
    bool wide; /* 256 bits */
};

/* Which code suits the processor: found out once, only read afterwards, and never freed. The calls
 * for single messages that are used here keep nothing in it. */
static IMB_MGR *manager;

static void find_manager(void)
{
    IMB_ARCH arch = IMB_ARCH_NONE;
    IMB_MGR *found = alloc_mb_mgr(0);
    if (!found)
        return;
    init_mb_mgr_auto(found, &arch);
    /* GnuTLS is as fast before vectors of 256 bits; without AES in the processor this library only
     * emulates it, and not in constant time. */
    bool fast = (arch == IMB_ARCH_AVX2 || arch == IMB_ARCH_AVX512) &&
                found->features & IMB_FEATURE_AESNI && found->features & IMB_FEATURE_PCLMULQDQ;
    if (fast && imb_get_errno(found) == 0)
        manager = found;
    else
        free_mb_mgr(found);
}

int record_cipher_mb_new(struct record_cipher_mb **out, const uint8_t *key, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_manager);
    if (!manager || (size != 16 && size != 32))
        return -EOPNOTSUPP;
    void *place;
    if (posix_memalign(&place, CACHE_LINE, sizeof(struct record_cipher_mb)))
        return -ENOMEM;
    struct record_cipher_mb *cipher = place;
    cipher->wide = size == 32;
    if (cipher->wide)
        IMB_AES256_GCM_PRE(manager, key, &cipher->key);
    else
        IMB_AES128_GCM_PRE(manager, key, &cipher->key);
    *out = cipher;
    return 0;
}

void record_cipher_mb_free(struct record_cipher_mb *cipher)
{
    if (cipher)
        explicit_bzero(cipher, sizeof(*cipher));
    free(cipher);
}

void record_cipher_mb_seal(const struct record_cipher_mb *cipher, const uint8_t nonce[RECORD_NONCE],
                           const uint8_t *extra, size_t extra_size, const uint8_t *data,
                           size_t size, uint8_t *out)
{
    struct gcm_context_data state;
    if (cipher->wide)
        IMB_AES256_GCM_ENC(manager, &cipher->key, &state, out, data, size, nonce, extra, extra_size,
                           out + size, RECORD_TAG);
    else
        IMB_AES128_GCM_ENC(manager, &cipher->key, &state, out, data, size, nonce, extra, extra_size,
                           out + size, RECORD_TAG);
}

bool record_cipher_mb_open(const struct record_cipher_mb *cipher, const uint8_t nonce[RECORD_NONCE],
                           const uint8_t *extra, size_t extra_size, const uint8_t *data,
                           size_t size, uint8_t *out)
{
    struct gcm_context_data state;
    uint8_t tag[RECORD_TAG];
    size -= RECORD_TAG;
    if (cipher->wide)
        IMB_AES256_GCM_DEC(manager, &cipher->key, &state, out, data, size, nonce, extra, extra_size,
                           tag, RECORD_TAG);
    else
        IMB_AES128_GCM_DEC(manager, &cipher->key, &state, out, data, size, nonce, extra, extra_size,
                           tag, RECORD_TAG);
    return gnutls_memcmp(tag, data + size, RECORD_TAG) == 0; /* in constant time */
}

/* Secrets at rest: TOTP seeds are sealed with a key that lies beside the database, not in it, so a
 * copy of the database alone gives no second factor away. XChaCha20-Poly1305 (libsodium). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_KEY_SIZE 32
#define SECRET_OVERHEAD (24 + 16) /* nonce and tag: what sealing adds */

struct secret_key {
    uint8_t bytes[SECRET_KEY_SIZE];
};

/* Once per process, before anything else here: libsodium. 0 or -ENOSYS. */
int secret_init(void);

/* Reads the key file, or makes it (0600, whole or not at all) when it is missing and `create`.
 * A file that others may read, or of another size, is refused. 0 or a negative errno, with words.
 */
int secret_key_load(struct secret_key *key, const char *path, bool create, char *why, size_t size);
void secret_key_wipe(struct secret_key *key);

/* `to` holds size + SECRET_OVERHEAD. `name` binds the sealed bytes to their owner, without case:
 * they cannot be moved to another person. Returns the sealed size. */
size_t secret_seal(const struct secret_key *key, const char *name, const uint8_t *plain,
                   size_t size, uint8_t *to);
/* False: not sealed by this key for this name. `to` holds size - SECRET_OVERHEAD. */
bool secret_open(const struct secret_key *key, const char *name, const uint8_t *sealed, size_t size,
                 uint8_t *to);

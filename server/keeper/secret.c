#include "secret.h"

#include "fd.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_Static_assert(SECRET_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key size");
_Static_assert(SECRET_OVERHEAD == NONCE + crypto_aead_xchacha20poly1305_ietf_ABYTES, "overhead");

int secret_init(void)
{
    return sodium_init() < 0 ? -ENOSYS : 0;
}

/* A new name is on disk only when its folder is. */
static int sync_folder(const char *path)
{
    char folder[4096];
    snprintf(folder, sizeof(folder), "%s", path);
    FD_AUTO int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Written under another name, made durable, then linked into place: nobody ever reads half a key,
 * and of two processes at once one wins and both read the winner's. */
static int make_key(const char *path)
{
    char fresh[4096];
    uint8_t bytes[SECRET_KEY_SIZE];
    if ((size_t)snprintf(fresh, sizeof(fresh), "%s.%08x", path, randombytes_random()) >=
        sizeof(fresh))
        return -ENAMETOOLONG;
    FD_AUTO int fd = open(fresh, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    randombytes_buf(bytes, sizeof(bytes));
    int error = fd_write_all(fd, bytes, sizeof(bytes));
    sodium_memzero(bytes, sizeof(bytes));
    if (!error && fsync(fd) < 0)
        error = -errno;
    if (!error && link(fresh, path) < 0 && errno != EEXIST)
        error = -errno;
    unlink(fresh);
    return error ? error : sync_folder(path);
}

static int read_key(int fd, struct secret_key *key, const char *path, char *why, size_t size)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_mode & 077) {
        snprintf(why, size, "%s may be read by others: chmod 600 it", path);
        return -EPERM;
    }
    if (st.st_size != SECRET_KEY_SIZE || read(fd, key->bytes, SECRET_KEY_SIZE) != SECRET_KEY_SIZE) {
        snprintf(why, size, "%s is not a key of %d bytes: restore it from your backup", path,
                 SECRET_KEY_SIZE);
        return -EINVAL;
    }
    return 0;
}

int secret_key_load(struct secret_key *key, const char *path, bool create, char *why, size_t size)
{
    FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int error = fd < 0 ? -errno : 0;
    if (error == -ENOENT && create) {
        error = make_key(path);
        if (!error && (fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
            error = -errno;
    }
    if (error) {
        snprintf(why, size, "%s: %s", path, strerror(-error));
        return error;
    }
    sodium_mlock(key->bytes, sizeof(key->bytes)); /* best effort: limits may forbid it */
    return read_key(fd, key, path, why, size);
}

void secret_key_wipe(struct secret_key *key)
{
    sodium_munlock(key->bytes, sizeof(key->bytes)); /* wipes too */
}

/* The person's name as associated data. */
static size_t bind_name(char to[TEXT_NAME_SIZE], const char *name)
{
    text_copy(to, TEXT_NAME_SIZE, name);
    for (char *c = to; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    return strlen(to);
}

size_t secret_seal(const struct secret_key *key, const char *name, const uint8_t *plain,
                   size_t size, uint8_t *to)
{
    char bound[TEXT_NAME_SIZE];
    unsigned long long made = 0;
    size_t length = bind_name(bound, name);
    randombytes_buf(to, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        to + NONCE, &made, plain, size, (const unsigned char *)bound, length, NULL, to, key->bytes);
    return NONCE + (size_t)made;
}

bool secret_open(const struct secret_key *key, const char *name, const uint8_t *sealed, size_t size,
                 uint8_t *to)
{
    char bound[TEXT_NAME_SIZE];
    size_t length = bind_name(bound, name);
    return size > SECRET_OVERHEAD &&
           crypto_aead_xchacha20poly1305_ietf_decrypt(to, NULL, NULL, sealed + NONCE, size - NONCE,
                                                      (const unsigned char *)bound, length, sealed,
                                                      key->bytes) == 0;
}

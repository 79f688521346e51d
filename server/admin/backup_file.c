#include "backup_file.h"

#include "bytes.h"
#include "fd.h"

#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "deskgate-backup\n"
#define MAGIC_SIZE 16
#define VERSION 1
#define PIECE 65536
#define OVERHEAD crypto_secretstream_xchacha20poly1305_ABYTES
#define DIGEST 32
#define PASSES_MOST 16         /* of a file that is not to be trusted yet: some seconds … */
#define KIB_MOST (1024 * 1024) /* … and 1 GiB */

struct head {
    char magic[MAGIC_SIZE];
    uint8_t version, sealed, zero[2];
    uint8_t passes[4], kib[4];
    uint8_t salt[crypto_pwhash_SALTBYTES];
    uint8_t stream[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
};
_Static_assert(sizeof(struct head) == 68, "no padding");

/* Either way; one of the two is in use. */
struct flow {
    bool sealed, first;
    struct head head;
    crypto_secretstream_xchacha20poly1305_state stream;
    crypto_generichash_state digest;
    uint8_t plain[PIECE], coded[PIECE + OVERHEAD];
};

/* As many as there are, `size` at most; or a negative errno. */
static ssize_t read_some(int fd, void *to, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, (uint8_t *)to + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static int key_of(const struct head *head, const char *passphrase,
                  uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES])
{
    return crypto_pwhash(key, crypto_secretstream_xchacha20poly1305_KEYBYTES, passphrase,
                         strlen(passphrase), head->salt, bytes_get_be32(head->passes),
                         (size_t)bytes_get_be32(head->kib) * 1024,
                         crypto_pwhash_ALG_ARGON2ID13) == 0
               ? 0
               : -ENOMEM;
}

static void flow_free(struct flow *flow)
{
    sodium_memzero(flow, sizeof(*flow));
    free(flow);
}

/* ---- writing ---- */

static int begin_writing(struct flow *flow, const char *passphrase)
{
    uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES];

    flow->first = true;
    flow->sealed = passphrase != NULL;
    flow->head = (struct head){.version = VERSION, .sealed = passphrase != NULL};
    memcpy(flow->head.magic, MAGIC, MAGIC_SIZE);
    if (!passphrase)
        return 0;
    bytes_put_be32(flow->head.passes, crypto_pwhash_OPSLIMIT_MODERATE);
    bytes_put_be32(flow->head.kib, crypto_pwhash_MEMLIMIT_MODERATE / 1024);
    randombytes_buf(flow->head.salt, sizeof(flow->head.salt));
    int error = key_of(&flow->head, passphrase, key);
    if (!error)
        crypto_secretstream_xchacha20poly1305_init_push(&flow->stream, flow->head.stream, key);
    sodium_memzero(key, sizeof(key));
    return error;
}

/* The header is what the first piece is bound to. */
static int write_piece(struct flow *flow, int to, size_t size, bool last)
{
    unsigned long long coded = 0;
    if (!flow->sealed) {
        crypto_generichash_update(&flow->digest, flow->plain, size);
        return fd_write_all(to, flow->plain, size);
    }
    crypto_secretstream_xchacha20poly1305_push(
        &flow->stream, flow->coded, &coded, flow->plain, size,
        flow->first ? (const uint8_t *)&flow->head : NULL, flow->first ? sizeof(flow->head) : 0,
        last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
    flow->first = false;
    return fd_write_all(to, flow->coded, (size_t)coded);
}

static int write_all(struct flow *flow, int from, int to)
{
    uint8_t digest[DIGEST];
    ssize_t got = PIECE;
    int error = fd_write_all(to, &flow->head, sizeof(flow->head));

    crypto_generichash_init(&flow->digest, NULL, 0, DIGEST);
    crypto_generichash_update(&flow->digest, (const uint8_t *)&flow->head, sizeof(flow->head));
    while (!error && got == PIECE) { /* the last piece is shorter, maybe empty */
        got = read_some(from, flow->plain, PIECE);
        error = got < 0 ? (int)got : write_piece(flow, to, (size_t)got, got < PIECE);
    }
    if (error || flow->sealed)
        return error;
    crypto_generichash_final(&flow->digest, digest, DIGEST);
    return fd_write_all(to, digest, DIGEST);
}

int backup_file_write(int from, int to, const char *passphrase)
{
    struct flow *flow = malloc(sizeof(*flow));
    if (!flow)
        return -ENOMEM;
    int error = begin_writing(flow, passphrase);
    if (!error)
        error = write_all(flow, from, to);
    flow_free(flow);
    return error;
}

/* ---- reading ---- */

static bool is_head(const struct head *head)
{
    return memcmp(head->magic, MAGIC, MAGIC_SIZE) == 0 && head->version == VERSION &&
           head->sealed <= 1 && head->zero[0] == 0 && head->zero[1] == 0;
}

int backup_file_look(int from, bool *sealed)
{
    struct head head;
    if (pread(from, &head, sizeof(head), 0) != (ssize_t)sizeof(head) || !is_head(&head))
        return -EINVAL;
    *sealed = head.sealed == 1;
    return 0;
}

static int fault(char *why, size_t size, const char *words)
{
    snprintf(why, size, "%s", words);
    return -EINVAL;
}

static int begin_reading(struct flow *flow, const char *passphrase, char *why, size_t size)
{
    uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES];

    flow->first = true;
    flow->sealed = flow->head.sealed == 1;
    if (!flow->sealed)
        return 0;
    if (bytes_get_be32(flow->head.passes) > PASSES_MOST ||
        bytes_get_be32(flow->head.kib) > KIB_MOST)
        return fault(why, size, "its header asks for more than a backup does");
    if (key_of(&flow->head, passphrase, key) != 0)
        return fault(why, size, "its key cannot be made: not enough memory, or a damaged header");
    int bad =
        crypto_secretstream_xchacha20poly1305_init_pull(&flow->stream, flow->head.stream, key);
    sodium_memzero(key, sizeof(key));
    return bad ? fault(why, size, "its header is damaged") : 0;
}

static int read_sealed(struct flow *flow, int from, int to, char *why, size_t size)
{
    for (;;) {
        unsigned long long plain = 0;
        uint8_t tag = 0, more;
        ssize_t got = read_some(from, flow->coded, PIECE + OVERHEAD);
        if (got < 0)
            return fault(why, size, strerror((int)-got));
        if (crypto_secretstream_xchacha20poly1305_pull(
                &flow->stream, flow->plain, &plain, &tag, flow->coded, (unsigned long long)got,
                flow->first ? (const uint8_t *)&flow->head : NULL,
                flow->first ? sizeof(flow->head) : 0) != 0)
            return fault(why, size,
                         flow->first ? "the passphrase is another one, or the file was changed"
                                     : "the file was changed or cut short");
        flow->first = false;
        int error = fd_write_all(to, flow->plain, (size_t)plain);
        if (error)
            return fault(why, size, strerror(-error));
        if (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL)
            return read_some(from, &more, 1) == 0
                       ? 0
                       : fault(why, size, "something was put behind its end");
    }
}

static int read_clear(struct flow *flow, int from, int to, char *why, size_t size)
{
    uint8_t digest[DIGEST], told[DIGEST];
    struct stat st;
    int error = fstat(from, &st) < 0 ? -errno : 0;
    off_t left = error ? 0 : st.st_size - (off_t)sizeof(flow->head) - DIGEST;

    crypto_generichash_init(&flow->digest, NULL, 0, DIGEST);
    crypto_generichash_update(&flow->digest, (const uint8_t *)&flow->head, sizeof(flow->head));
    while (!error && left > 0) {
        ssize_t got = read_some(from, flow->plain, left < PIECE ? (size_t)left : PIECE);
        if (got <= 0)
            return fault(why, size, got < 0 ? strerror((int)-got) : "the file was cut short");
        crypto_generichash_update(&flow->digest, flow->plain, (size_t)got);
        error = fd_write_all(to, flow->plain, (size_t)got);
        left -= got;
    }
    if (error)
        return fault(why, size, strerror(-error));
    crypto_generichash_final(&flow->digest, digest, DIGEST);
    if (read_some(from, told, DIGEST) != DIGEST || sodium_memcmp(told, digest, DIGEST) != 0)
        return fault(why, size, "the file was changed or cut short");
    return 0;
}

int backup_file_read(int from, int to, const char *passphrase, char *why, size_t size)
{
    struct flow *flow = malloc(sizeof(*flow));
    if (!flow)
        return fault(why, size, "out of memory");
    int error =
        lseek(from, 0, SEEK_SET) == 0 &&
                read_some(from, &flow->head, sizeof(flow->head)) == (ssize_t)sizeof(flow->head) &&
                is_head(&flow->head)
            ? 0
            : fault(why, size, "it is no backup of deskgate's, or one of a newer version");
    if (!error)
        error = begin_reading(flow, passphrase, why, size);
    if (!error)
        error = flow->sealed ? read_sealed(flow, from, to, why, size)
                             : read_clear(flow, from, to, why, size);
    flow_free(flow);
    return error;
}

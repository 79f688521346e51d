#include "audit_seal.h"

#include "audit_chain.h"
#include "fd.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEX_SIZE (2 * STORE_AUDIT_LINK + 1)
#define MARK_SIZE (20 + 1 + HEX_SIZE + HEX_SIZE)

void audit_seal_key(const struct secret_key *secret, uint8_t key[STORE_AUDIT_LINK])
{
    static const char purpose[] = "deskgate: seals of the audit log";
    crypto_auth_hmacsha256(key, (const unsigned char *)purpose, sizeof(purpose), secret->bytes);
}

enum store_result audit_seal_open(struct store *store, const struct conf *conf,
                                  const struct secret_key *secret)
{
    char path[CONF_PATH_SIZE];
    uint8_t key[STORE_AUDIT_LINK];
    audit_seal_key(secret, key);
    store_audit_key(store, key);
    sodium_memzero(key, sizeof(key));
    conf_path(conf, CONF_AUDIT_HEAD, path);
    return access(path, F_OK) == 0 ? STORE_OK : store_audit_seal_bare(store);
}

/* "NUMBER LINK SEAL\n", both in hexadecimal. */
static bool parse(char *text, struct audit_mark_row *row, uint8_t seal[STORE_AUDIT_LINK])
{
    char *rest = text, *number = strsep(&rest, " "), *link = strsep(&rest, " "),
         *sealed = strsep(&rest, "\n");
    uint64_t id = 0;
    size_t size = 0, sealed_size = 0;
    if (!sealed || !text_number(number, INT64_MAX, &id) ||
        sodium_hex2bin(row->link, sizeof(row->link), link, strlen(link), NULL, &size, NULL) != 0 ||
        sodium_hex2bin(seal, STORE_AUDIT_LINK, sealed, strlen(sealed), NULL, &sealed_size, NULL) !=
            0)
        return false;
    row->id = (int64_t)id;
    return size == sizeof(row->link) && sealed_size == STORE_AUDIT_LINK;
}

enum audit_mark audit_mark_read(const struct conf *conf, const struct secret_key *secret,
                                struct audit_mark_row *row)
{
    char path[CONF_PATH_SIZE], text[MARK_SIZE + 1];
    uint8_t key[STORE_AUDIT_LINK], seal[STORE_AUDIT_LINK];
    *row = (struct audit_mark_row){0};
    conf_path(conf, CONF_AUDIT_HEAD, path);
    FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? AUDIT_MARK_NONE : AUDIT_MARK_BAD;
    ssize_t got = read(fd, text, MARK_SIZE);
    if (got < 0)
        return AUDIT_MARK_BAD;
    text[got] = '\0';
    if (!parse(text, row, seal))
        return AUDIT_MARK_BAD;
    audit_seal_key(secret, key);
    bool good = audit_chain_sealed(key, "mark", row->id, row->link, seal);
    sodium_memzero(key, sizeof(key));
    return good ? AUDIT_MARK_GOOD : AUDIT_MARK_BAD;
}

/* Under another name first, so that there is always a whole one. */
static int replace(const char *path, const char *text)
{
    char fresh[CONF_PATH_SIZE + 16];
    snprintf(fresh, sizeof(fresh), "%s.%08x", path, randombytes_random());
    FD_AUTO int fd = open(fresh, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int error = fd_write_all(fd, text, strlen(text));
    if (!error && fsync(fd) < 0)
        error = -errno;
    if (!error && rename(fresh, path) < 0)
        error = -errno;
    if (error)
        unlink(fresh);
    return error;
}

int audit_mark_write(const struct conf *conf, const struct secret_key *secret,
                     const struct audit_mark_row *row)
{
    char path[CONF_PATH_SIZE], link[HEX_SIZE], sealed[HEX_SIZE], text[MARK_SIZE + 1];
    uint8_t key[STORE_AUDIT_LINK], seal[STORE_AUDIT_LINK];
    audit_seal_key(secret, key);
    audit_chain_seal(key, "mark", row->id, row->link, seal);
    sodium_memzero(key, sizeof(key));
    sodium_bin2hex(link, sizeof(link), row->link, sizeof(row->link));
    sodium_bin2hex(sealed, sizeof(sealed), seal, sizeof(seal));
    snprintf(text, sizeof(text), "%" PRId64 " %s %s\n", row->id, link, sealed);
    conf_path(conf, CONF_AUDIT_HEAD, path);
    return replace(path, text);
}

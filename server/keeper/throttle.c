#include "throttle.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

int64_t throttle_wait(const struct store_throttle *row, int64_t now, uint32_t free_failures,
                      uint32_t window, int64_t most)
{
    int64_t since = now - row->last_at;
    if (row->failures < (int64_t)free_failures || since > (int64_t)window)
        return 0;
    if (since < 0) /* the clock was set back: as if it had just been */
        since = 0;
    int64_t over = row->failures - (int64_t)free_failures;
    int64_t wait = over < 20 ? (int64_t)2 << over : most;
    if (wait > most)
        wait = most;
    return wait > since ? wait - since : 0;
}

static void hash_key(char to[THROTTLE_KEY_SIZE], char kind, const char *name,
                     const struct addr *prefix)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c - 'A' + 'a');
        crypto_hash_sha256_update(&state, &c, 1);
    }
    crypto_hash_sha256_update(&state, prefix->bytes, sizeof(prefix->bytes));
    crypto_hash_sha256_final(&state, digest);
    to[0] = kind;
    to[1] = ':';
    text_hex(to + 2, digest, 16);
}

void throttle_keys(struct throttle_keys *keys, const char *username, const struct addr *address)
{
    struct addr prefix = addr_subscriber(address);
    char text[ADDR_TEXT_SIZE];
    hash_key(keys->user, 'u', username, &prefix);
    addr_text(&prefix, text);
    snprintf(keys->address, sizeof(keys->address), "a:%.37s", text);
}

static enum store_result look(struct store *store, const char *key, struct store_throttle *row)
{
    enum store_result result = store_throttle_get(store, key, row);
    if (result == STORE_NONE) {
        *row = (struct store_throttle){0};
        result = STORE_OK;
    }
    return result;
}

static enum store_result add(struct store *store, const char *key, struct store_throttle *row,
                             int64_t now, uint32_t window)
{
    if (now - row->last_at > (int64_t)window)
        *row = (struct store_throttle){.since = now};
    row->failures++;
    row->last_at = now;
    return store_throttle_set(store, key, row);
}

enum store_result throttle_charge(struct store *store, const struct conf *conf,
                                  const struct throttle_keys *keys, int64_t now, int64_t *wait)
{
    struct store_throttle user, address;
    uint32_t window = conf->login_window_seconds;
    enum store_result result = look(store, keys->user, &user);
    if (result == STORE_OK)
        result = look(store, keys->address, &address);
    if (result != STORE_OK)
        return result;
    int64_t for_user =
        throttle_wait(&user, now, conf->login_user_failures, window, THROTTLE_USER_MOST);
    int64_t for_address =
        throttle_wait(&address, now, conf->login_address_failures, window, THROTTLE_ADDRESS_MOST);
    *wait = for_user > for_address ? for_user : for_address;
    if (*wait)
        return STORE_OK;
    result = add(store, keys->user, &user, now, window);
    return result == STORE_OK ? add(store, keys->address, &address, now, window) : result;
}

static enum store_result take_one(struct store *store, const char *key)
{
    struct store_throttle row;
    enum store_result result = look(store, key, &row);
    if (result != STORE_OK || row.failures == 0)
        return result;
    if (--row.failures == 0)
        return store_throttle_clear(store, key);
    return store_throttle_set(store, key, &row);
}

enum store_result throttle_refund(struct store *store, const struct throttle_keys *keys)
{
    enum store_result result = take_one(store, keys->user);
    return result == STORE_OK ? take_one(store, keys->address) : result;
}

enum store_result throttle_success(struct store *store, const struct throttle_keys *keys)
{
    enum store_result result = store_throttle_clear(store, keys->user);
    return result == STORE_OK ? take_one(store, keys->address) : result;
}

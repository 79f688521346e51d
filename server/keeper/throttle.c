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

/* Keyed, so that a copy of the database alone does not let anybody try out what was typed. */
static void hash_user(char to[THROTTLE_KEY_SIZE], const struct secret_key *secret, const char *name,
                      const struct addr *prefix)
{
    uint8_t key[crypto_generichash_KEYBYTES], digest[16];
    crypto_generichash_state state;
    crypto_kdf_derive_from_key(key, sizeof(key), 1, "throttle", secret->bytes);
    crypto_generichash_init(&state, key, sizeof(key), sizeof(digest));
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c - 'A' + 'a');
        crypto_generichash_update(&state, &c, 1);
    }
    crypto_generichash_update(&state, prefix->bytes, sizeof(prefix->bytes));
    crypto_generichash_final(&state, digest, sizeof(digest));
    memcpy(to, "u:", 2);
    text_hex(to + 2, digest, sizeof(digest));
    sodium_memzero(key, sizeof(key));
    sodium_memzero(&state, sizeof(state));
}

void throttle_keys(struct throttle_keys *keys, const struct secret_key *secret,
                   const char *username, const struct addr *address)
{
    struct addr prefix = addr_subscriber(address);
    char text[ADDR_TEXT_SIZE];
    memset(keys, 0, sizeof(*keys));
    hash_user(keys->user, secret, username, &prefix);
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

/* As if the attempts under way had just failed. */
static void suppose(struct store_throttle *row, unsigned under_way, int64_t now, uint32_t window)
{
    if (!under_way)
        return;
    if (now - row->last_at > (int64_t)window)
        *row = (struct store_throttle){.since = now};
    row->failures += under_way;
    row->last_at = now;
}

enum store_result throttle_check(struct store *store, const struct conf *conf,
                                 const struct throttle_keys *keys,
                                 const struct throttle_under_way *under_way, int64_t now,
                                 int64_t *wait)
{
    struct store_throttle user, address;
    uint32_t window = conf->login_window_seconds;
    enum store_result result = look(store, keys->user, &user);
    if (result == STORE_OK)
        result = look(store, keys->address, &address);
    if (result != STORE_OK)
        return result;
    suppose(&user, under_way->user, now, window);
    suppose(&address, under_way->address, now, window);
    int64_t for_user =
        throttle_wait(&user, now, conf->login_user_failures, window, THROTTLE_USER_MOST);
    int64_t for_address =
        throttle_wait(&address, now, conf->login_address_failures, window, THROTTLE_ADDRESS_MOST);
    *wait = for_user > for_address ? for_user : for_address;
    return STORE_OK;
}

static enum store_result add(struct store *store, const char *key, int64_t now, uint32_t window)
{
    struct store_throttle row;
    enum store_result result = look(store, key, &row);
    if (result != STORE_OK)
        return result;
    suppose(&row, 1, now, window);
    return store_throttle_set(store, key, &row);
}

enum store_result throttle_failed(struct store *store, const struct conf *conf,
                                  const struct throttle_keys *keys, int64_t now)
{
    enum store_result result = add(store, keys->user, now, conf->login_window_seconds);
    return result == STORE_OK ? add(store, keys->address, now, conf->login_window_seconds) : result;
}

enum store_result throttle_succeeded(struct store *store, const struct throttle_keys *keys)
{
    return store_throttle_clear(store, keys->user);
}

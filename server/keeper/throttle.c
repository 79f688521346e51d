#include "throttle.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* So many times the failures of one person are free from a neighbourhood, … */
#define WIDE_PATIENCE 4
#define PLACE_PATIENCE 8    /* … and of anybody: offices and carriers share one */
#define BROWSER_FAILURES 20 /* since a success: whoever has the cookie is not its owner */

#define V4_NEAR 128 /* bits of 16 bytes: the address itself, … */
#define V4_WIDE 120 /* … its /24 */
#define V6_NEAR 64
#define V6_WIDE 48

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

int64_t throttle_wait_of(const struct conf *conf, enum throttle_bucket bucket,
                         const struct store_throttle *row, int64_t now)
{
    const uint32_t person = conf->login_user_failures, place = conf->login_address_failures;
    const struct {
        uint32_t free;
        int64_t most;
    } rules[THROTTLE_BUCKETS] = {
        [THROTTLE_PERSON] = {person, THROTTLE_MOST},
        [THROTTLE_PERSON_WIDE] = {person * WIDE_PATIENCE, THROTTLE_MOST},
        [THROTTLE_PLACE] = {place, 60}, /* many may share it */
        [THROTTLE_PLACE_WIDE] = {place * PLACE_PATIENCE, 60},
        [THROTTLE_BROWSER] = {person, THROTTLE_MOST},
        [THROTTLE_SESSION] = {person, THROTTLE_MOST},
    };
    return throttle_wait(row, now, rules[bucket].free, conf->login_window_seconds,
                         rules[bucket].most);
}

/* ---- keys ---- */

static struct addr prefix_of(const struct addr *address, bool wide, uint8_t *bits)
{
    struct addr prefix = *address;
    bool v4 = addr_is_v4(address);
    *bits = v4 ? wide ? V4_WIDE : V4_NEAR : wide ? V6_WIDE : V6_NEAR;
    memset(prefix.bytes + *bits / 8, 0, sizeof(prefix.bytes) - *bits / 8U);
    return prefix;
}

/* Keyed, so that a copy of the database alone does not let anybody try out what was typed. */
static void hash_person(struct store_throttle_of *of, const struct secret_key *secret,
                        const char *name)
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
    crypto_generichash_update(&state, of->net.base.bytes, sizeof(of->net.base.bytes));
    crypto_generichash_update(&state, &of->net.bits, 1);
    crypto_generichash_final(&state, digest, sizeof(digest));
    memcpy(of->key, "u:", 2);
    text_hex(of->key + 2, digest, sizeof(digest));
    sodium_memzero(key, sizeof(key));
    sodium_memzero(&state, sizeof(state));
}

/* As the store has them. */
static const char *const names[THROTTLE_BUCKETS] = {
    [THROTTLE_PERSON] = "person",   [THROTTLE_PERSON_WIDE] = "person-wide",
    [THROTTLE_PLACE] = "address",   [THROTTLE_PLACE_WIDE] = "address-wide",
    [THROTTLE_BROWSER] = "browser", [THROTTLE_SESSION] = "session",
};

static void name_bucket(struct throttle_keys *keys, enum throttle_bucket bucket, int64_t user)
{
    struct store_throttle_of *of = &keys->of[bucket];
    text_copy(of->bucket, sizeof(of->bucket), names[bucket]);
    of->user = user;
}

static void add_place(struct throttle_keys *keys, enum throttle_bucket bucket,
                      const struct addr *address)
{
    struct store_throttle_of *of = &keys->of[bucket];
    bool wide = bucket == THROTTLE_PLACE_WIDE || bucket == THROTTLE_PERSON_WIDE;
    char text[ADDR_TEXT_SIZE];
    of->has_net = true;
    of->net.base = prefix_of(address, wide, &of->net.bits);
    addr_text(&of->net.base, text);
    snprintf(of->key, sizeof(of->key), "a:%.40s/%u", text, of->net.bits);
}

void throttle_keys_place(struct throttle_keys *keys, const struct addr *address)
{
    memset(keys, 0, sizeof(*keys));
    for (int bucket = THROTTLE_PLACE; bucket <= THROTTLE_PLACE_WIDE; bucket++) {
        name_bucket(keys, (enum throttle_bucket)bucket, 0);
        add_place(keys, (enum throttle_bucket)bucket, address);
    }
}

void throttle_keys(struct throttle_keys *keys, const struct secret_key *secret,
                   const char *username, int64_t user, const struct addr *address)
{
    throttle_keys_place(keys, address);
    for (int bucket = THROTTLE_PERSON; bucket <= THROTTLE_PERSON_WIDE; bucket++) {
        name_bucket(keys, (enum throttle_bucket)bucket, user);
        add_place(keys, (enum throttle_bucket)bucket, address);
        hash_person(&keys->of[bucket], secret, username);
    }
}

void throttle_keys_browser(struct throttle_keys *keys, const uint8_t hash[32], int64_t user)
{
    struct store_throttle_of *of = &keys->of[THROTTLE_BROWSER];
    memset(keys, 0, sizeof(*keys));
    name_bucket(keys, THROTTLE_BROWSER, user);
    memcpy(of->key, "b:", 2);
    text_hex(of->key + 2, hash, 16);
    memcpy(of->browser, hash, sizeof(of->browser));
}

void throttle_keys_session(struct throttle_keys *keys, int64_t session, int64_t user)
{
    struct store_throttle_of *of = &keys->of[THROTTLE_SESSION];
    memset(keys, 0, sizeof(*keys));
    name_bucket(keys, THROTTLE_SESSION, user);
    snprintf(of->key, sizeof(of->key), "s:%lld", (long long)session);
}

void throttle_count(struct throttle_under_way *count, const struct throttle_keys *keys,
                    const struct throttle_keys *other)
{
    for (size_t i = 0; i < THROTTLE_BUCKETS; i++)
        count->count[i] += keys->of[i].key[0] && strcmp(keys->of[i].key, other->of[i].key) == 0;
}

/* ---- counting ---- */

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
    *wait = 0;
    for (size_t i = 0; i < THROTTLE_BUCKETS; i++) {
        struct store_throttle row;
        if (!keys->of[i].key[0])
            continue;
        if (look(store, keys->of[i].key, &row) != STORE_OK)
            return STORE_FAILED;
        suppose(&row, under_way->count[i], now, conf->login_window_seconds);
        int64_t due = throttle_wait_of(conf, (enum throttle_bucket)i, &row, now);
        *wait = due > *wait ? due : *wait;
    }
    return STORE_OK;
}

static enum store_result add(struct store *store, const struct store_throttle_of *of, int64_t now,
                             uint32_t window)
{
    struct store_throttle row;
    enum store_result result = look(store, of->key, &row);
    if (result != STORE_OK)
        return result;
    suppose(&row, 1, now, window);
    return store_throttle_set(store, of, &row);
}

enum store_result throttle_failed(struct store *store, const struct conf *conf,
                                  const struct throttle_keys *keys, int64_t now)
{
    enum store_result result = STORE_OK;
    for (size_t i = 0; i < THROTTLE_BUCKETS && result == STORE_OK; i++) {
        if (keys->of[i].key[0])
            result = add(store, &keys->of[i], now, conf->login_window_seconds);
    }
    if (result == STORE_OK && keys->of[THROTTLE_BROWSER].key[0])
        result = store_browser_failed(store, keys->of[THROTTLE_BROWSER].browser, BROWSER_FAILURES);
    return result;
}

/* The neighbourhood counts on what others than this person's own place did. */
static enum store_result ease_wide(struct store *store, const struct throttle_keys *keys)
{
    struct store_throttle near = {0}, wide = {0};
    const struct store_throttle_of *of = &keys->of[THROTTLE_PERSON_WIDE];
    enum store_result result = look(store, keys->of[THROTTLE_PERSON].key, &near);
    if (result == STORE_OK)
        result = look(store, of->key, &wide);
    if (result != STORE_OK || !near.failures || !wide.failures)
        return result;
    wide.failures = wide.failures > near.failures ? wide.failures - near.failures : 0;
    return store_throttle_set(store, of, &wide);
}

enum store_result throttle_succeeded(struct store *store, const struct throttle_keys *keys)
{
    enum store_result result = STORE_OK;
    for (size_t i = THROTTLE_BROWSER; i <= THROTTLE_SESSION; i++) {
        if (keys->of[i].key[0])
            return store_throttle_clear(store, keys->of[i].key);
    }
    if (keys->of[THROTTLE_PERSON].key[0])
        result = ease_wide(store, keys);
    return result == STORE_OK ? store_throttle_clear(store, keys->of[THROTTLE_PERSON].key) : result;
}

enum throttle_bucket throttle_bucket_find(const char *name)
{
    size_t i = 0;
    while (i < THROTTLE_BUCKETS && strcmp(names[i], name) != 0)
        i++;
    return (enum throttle_bucket)i;
}

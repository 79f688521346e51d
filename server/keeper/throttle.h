/* How soon somebody may try again. Failures count per (person, client address) and per client
 * address, never per person alone: an outsider can slow down only where he comes from, so nobody is
 * locked out by a stranger. Attempts that are being judged count as failures until then, so that
 * many at once do not slip through. */
#pragma once

#include "addr.h"
#include "conf.h"
#include "secret.h"
#include "store.h"

#include <stdint.h>

#define THROTTLE_KEY_SIZE 40

struct throttle_keys {
    char user[THROTTLE_KEY_SIZE]; /* what was typed, hashed with a secret: it may be a password */
    char address[THROTTLE_KEY_SIZE];
};

/* The rule: seconds to wait after `row`, 0 when a try is free. `free` failures cost nothing, then
 * the wait doubles from 2 s up to `most` seconds; after `window` quiet seconds all is forgotten. */
int64_t throttle_wait(const struct store_throttle *row, int64_t now, uint32_t free_failures,
                      uint32_t window, int64_t most);

/* Longest waits: for a person from an address, and for an address, which many may share. */
#define THROTTLE_USER_MOST 900
#define THROTTLE_ADDRESS_MOST 60

void throttle_keys(struct throttle_keys *keys, const struct secret_key *secret,
                   const char *username, const struct addr *address);

/* Attempts under way with the same keys. */
struct throttle_under_way {
    unsigned user, address;
};

/* `*wait` is 0 when an attempt may be made, otherwise seconds. Only reads. */
enum store_result throttle_check(struct store *store, const struct conf *conf,
                                 const struct throttle_keys *keys,
                                 const struct throttle_under_way *under_way, int64_t now,
                                 int64_t *wait);

/* An attempt failed: both count it. Within the caller's transaction. */
enum store_result throttle_failed(struct store *store, const struct conf *conf,
                                  const struct throttle_keys *keys, int64_t now);
/* An attempt succeeded: the person's count from there is forgotten. Within the transaction. */
enum store_result throttle_succeeded(struct store *store, const struct throttle_keys *keys);

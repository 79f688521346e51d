/* How soon somebody may try again. Failures count per (person, client address) and per client
 * address, never per person alone: an outsider can slow down only where he comes from, so nobody is
 * locked out by a stranger. An attempt is charged before it is judged, so that many at once do not
 * slip through, and refunded when it was not a failure. */
#pragma once

#include "addr.h"
#include "conf.h"
#include "store.h"

#include <stdint.h>

#define THROTTLE_KEY_SIZE 40

struct throttle_keys {
    char user[THROTTLE_KEY_SIZE]; /* what was typed is hashed: it may be a password */
    char address[THROTTLE_KEY_SIZE];
};

/* The rule: seconds to wait after `row`, 0 when a try is free. `free` failures cost nothing, then
 * the wait doubles from 2 s up to `most` seconds; after `window` quiet seconds all is forgotten. */
int64_t throttle_wait(const struct store_throttle *row, int64_t now, uint32_t free_failures,
                      uint32_t window, int64_t most);

/* Longest waits: for a person from an address, and for an address, which many may share. */
#define THROTTLE_USER_MOST 900
#define THROTTLE_ADDRESS_MOST 60

void throttle_keys(struct throttle_keys *keys, const char *username, const struct addr *address);

/* `*wait` is 0 when the attempt may be made, and it is charged; otherwise seconds. Within the
 * caller's transaction, as all here. */
enum store_result throttle_charge(struct store *store, const struct conf *conf,
                                  const struct throttle_keys *keys, int64_t now, int64_t *wait);
/* It was no failure after all (we were too busy to judge it). */
enum store_result throttle_refund(struct store *store, const struct throttle_keys *keys);
/* It was a success: the person's count from there is forgotten, the address's refunded. */
enum store_result throttle_success(struct store *store, const struct throttle_keys *keys);

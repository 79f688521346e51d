/* How soon somebody may try again. Failures count
 *
 *     per person and place    the place an IPv4 address or an IPv6 /64, and, with more patience, a
 *                             /24 or a /48
 *     per place               likewise
 *     per known browser       one that this very person has signed in with before; it has the
 *                             cookie to prove it, and none of the others counts then
 *     per session             what is guessed within one that has begun: likewise
 *
 * and never per person alone: an outsider can slow down only where he comes from, so nobody is
 * locked out by a stranger, and not even in the same office where the own browser is known.
 * Attempts that are being judged count as failures until then, so that many at once do not slip
 * through. */
#pragma once

#include "addr.h"
#include "conf.h"
#include "secret.h"
#include "store.h"

#include <stdint.h>

enum throttle_bucket {
    THROTTLE_PERSON, /* and place */
    THROTTLE_PERSON_WIDE,
    THROTTLE_PLACE,
    THROTTLE_PLACE_WIDE,
    THROTTLE_BROWSER,
    THROTTLE_SESSION,
    THROTTLE_BUCKETS
};

struct throttle_keys {
    /* Which buckets a try is of: those whose key is not "". What was typed as a name is hashed with
     * a secret: it may be a password. */
    struct store_throttle_of of[THROTTLE_BUCKETS];
};

/* The rule: seconds to wait after `row`, 0 when a try is free. `free` failures cost nothing, then
 * the wait doubles from 2 s up to `most` seconds; after `window` quiet seconds all is forgotten. */
int64_t throttle_wait(const struct store_throttle *row, int64_t now, uint32_t free_failures,
                      uint32_t window, int64_t most);

/* The same with the bucket's own numbers. */
int64_t throttle_wait_of(const struct conf *conf, enum throttle_bucket bucket,
                         const struct store_throttle *row, int64_t now);

#define THROTTLE_MOST 900 /* seconds: the longest wait of all buckets */

/* `user` is 0 where nobody has the name. */
void throttle_keys(struct throttle_keys *keys, const struct secret_key *secret,
                   const char *username, int64_t user, const struct addr *address);
/* The place alone: where no name says whose the try is. */
void throttle_keys_place(struct throttle_keys *keys, const struct addr *address);
/* A known browser of this person's. */
void throttle_keys_browser(struct throttle_keys *keys, const uint8_t hash[32], int64_t user);
/* A session of this person's, by its number in the store. */
void throttle_keys_session(struct throttle_keys *keys, int64_t session, int64_t user);

/* Attempts under way with the same keys. */
struct throttle_under_way {
    unsigned count[THROTTLE_BUCKETS];
};
/* Counts those of `other`, which is under way, that `keys` has too. */
void throttle_count(struct throttle_under_way *count, const struct throttle_keys *keys,
                    const struct throttle_keys *other);

/* `*wait` is 0 when an attempt may be made, otherwise seconds. Only reads. */
enum store_result throttle_check(struct store *store, const struct conf *conf,
                                 const struct throttle_keys *keys,
                                 const struct throttle_under_way *under_way, int64_t now,
                                 int64_t *wait);

/* An attempt failed: all its buckets count it. A browser with too many is known no longer. Within
 * the caller's transaction. */
enum store_result throttle_failed(struct store *store, const struct conf *conf,
                                  const struct throttle_keys *keys, int64_t now);
/* An attempt succeeded: the person's failures from there are forgotten. Within the transaction. */
enum store_result throttle_succeeded(struct store *store, const struct throttle_keys *keys);

/* By what the store calls it, "person", "person-wide", …; THROTTLE_BUCKETS where it is none. */
enum throttle_bucket throttle_bucket_find(const char *name);

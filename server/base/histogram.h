/* How long something took, in buckets that suit both a hundred microseconds and ten seconds. A
 * plain struct: whoever shares one between threads guards it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 15 /* the last one has no upper bound */

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS]; /* each bucket's own, not those below it */
    uint64_t sum_us;
};

/* Upper bounds, included, of all buckets but the last; in microseconds. */
extern const uint64_t histogram_bounds[HISTOGRAM_BUCKETS - 1];

void histogram_add(struct histogram *histogram, uint64_t us);
uint64_t histogram_count(const struct histogram *histogram);

/* CLOCK_MONOTONIC in microseconds. */
uint64_t histogram_now(void);

#include "histogram.h"

#include <time.h>

const uint64_t histogram_bounds[HISTOGRAM_BUCKETS - 1] = {
    100,   250,   500,    1000,   2500,    5000,    10000,
    25000, 50000, 100000, 250000, 1000000, 2500000, 10000000,
};

void histogram_add(struct histogram *histogram, uint64_t us)
{
    size_t at = 0;
    while (at < HISTOGRAM_BUCKETS - 1 && us > histogram_bounds[at])
        at++;
    histogram->counts[at]++;
    histogram->sum_us += us;
}

uint64_t histogram_count(const struct histogram *histogram)
{
    uint64_t count = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        count += histogram->counts[i];
    return count;
}

uint64_t histogram_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

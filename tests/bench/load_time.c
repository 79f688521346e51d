#include "load_time.h"

#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t time_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000U + (uint64_t)at.tv_nsec;
}

double time_now(void)
{
    return (double)time_ns() / 1e9;
}

double time_own_cpu(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

void samples_add(struct samples *samples, uint64_t ns)
{
    if (samples->count == samples->room) {
        samples->room = samples->room ? 2 * samples->room : 4096;
        samples->ns = realloc(samples->ns, samples->room * sizeof(*samples->ns));
        if (!samples->ns)
            load_die("memory");
    }
    samples->ns[samples->count++] = ns;
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

uint64_t samples_quantile(struct samples *samples, double part)
{
    if (!samples->count)
        return 0;
    qsort(samples->ns, samples->count, sizeof(*samples->ns), by_size);
    size_t at = (size_t)(part * (double)samples->count);
    return samples->ns[at < samples->count ? at : samples->count - 1];
}

void samples_print(struct samples *samples)
{
    printf("\"samples\": %zu, \"p50\": %.9f, \"p99\": %.9f, \"p999\": %.9f, \"max\": %.9f",
           samples->count, (double)samples_quantile(samples, 0.5) / 1e9,
           (double)samples_quantile(samples, 0.99) / 1e9,
           (double)samples_quantile(samples, 0.999) / 1e9,
           (double)samples_quantile(samples, 1) / 1e9);
}

void samples_deinit(struct samples *samples)
{
    free(samples->ns);
    *samples = (struct samples){0};
}

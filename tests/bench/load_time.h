/* Clocks and what is made of their readings. Seconds, as doubles, unless a name says otherwise. */
#pragma once

#include <stddef.h>
#include <stdint.h>

double time_now(void);     /* CLOCK_MONOTONIC */
double time_own_cpu(void); /* the processor time of all of this process's threads so far */

/* Durations in nanoseconds, for quantiles that are exact. Zero-initialise. */
struct samples {
    uint64_t *ns;
    size_t count, room;
};
uint64_t time_ns(void);                                 /* CLOCK_MONOTONIC */
void samples_add(struct samples *samples, uint64_t ns); /* ends the program without memory */
/* Sorts in place; the value that a share `part` (0–1) does not exceed, in nanoseconds; 0 of none.
 */
uint64_t samples_quantile(struct samples *samples, double part);
/* Prints, without braces: "samples": n, "p50": …, "p99": …, "p999": …, "max": … in seconds. */
void samples_print(struct samples *samples);
void samples_deinit(struct samples *samples);

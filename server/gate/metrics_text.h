/* Prometheus' text format, version 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * One family at a time: its head, then its samples. Names, types and label names are the caller's
 * constants; label values too, and need no escaping. */
#pragma once

#include "histogram.h"

#include <stdint.h>
#include <stdio.h>

/* `type`: "counter", "gauge" or "histogram". */
void metrics_text_head(FILE *out, const char *name, const char *type, const char *help);

/* One sample; with a label unless `label` is NULL. */
void metrics_text_sample(FILE *out, const char *name, const char *label, const char *value,
                         uint64_t number);
/* The same in seconds. */
void metrics_text_seconds(FILE *out, const char *name, const char *label, const char *value,
                          uint64_t us);
/* All series of one histogram, in seconds. */
void metrics_text_histogram(FILE *out, const char *name, const char *label, const char *value,
                            const struct histogram *histogram);

/* Head and only sample. */
void metrics_text_one(FILE *out, const char *name, const char *type, const char *help,
                      uint64_t number);

#include "metrics_text.h"

#include <inttypes.h>

void metrics_text_head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_text_sample(FILE *out, const char *name, const char *label, const char *value,
                         uint64_t number)
{
    if (label)
        fprintf(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value, number);
    else
        fprintf(out, "%s %" PRIu64 "\n", name, number);
}

/* Not by way of double: exact, and without a locale's comma. The shortest form, as Prometheus
 * itself writes bounds. */
static void put_seconds(FILE *out, uint64_t us)
{
    int digits = 6;
    uint64_t fraction = us % 1000000;
    while (digits && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    fprintf(out, "%" PRIu64, us / 1000000);
    if (digits)
        fprintf(out, ".%0*" PRIu64, digits, fraction);
}

void metrics_text_seconds(FILE *out, const char *name, const char *label, const char *value,
                          uint64_t us)
{
    if (label)
        fprintf(out, "%s{%s=\"%s\"} ", name, label, value);
    else
        fprintf(out, "%s ", name);
    put_seconds(out, us);
    fputc('\n', out);
}

static void put_bucket(FILE *out, const char *name, const char *label, const char *value, size_t at,
                       uint64_t count)
{
    fprintf(out, "%s_bucket{", name);
    if (label)
        fprintf(out, "%s=\"%s\",", label, value);
    fputs("le=\"", out);
    if (at < HISTOGRAM_BUCKETS - 1)
        put_seconds(out, histogram_bounds[at]);
    else
        fputs("+Inf", out);
    fprintf(out, "\"} %" PRIu64 "\n", count);
}

void metrics_text_histogram(FILE *out, const char *name, const char *label, const char *value,
                            const struct histogram *histogram)
{
    char series[128];
    uint64_t count = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += histogram->counts[i];
        put_bucket(out, name, label, value, i, count);
    }
    snprintf(series, sizeof(series), "%s_sum", name);
    metrics_text_seconds(out, series, label, value, histogram->sum_us);
    snprintf(series, sizeof(series), "%s_count", name);
    metrics_text_sample(out, series, label, value, count);
}

void metrics_text_one(FILE *out, const char *name, const char *type, const char *help,
                      uint64_t number)
{
    metrics_text_head(out, name, type, help);
    metrics_text_sample(out, name, NULL, NULL, number);
}

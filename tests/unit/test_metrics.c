#include "metrics.h"
#include "metrics_text.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(a_bound_belongs_to_its_bucket)
{
    struct histogram histogram = {0};
    for (size_t i = 1; i < HISTOGRAM_BUCKETS - 1; i++)
        ck_assert_uint_gt(histogram_bounds[i], histogram_bounds[i - 1]);
    histogram_add(&histogram, 0);
    histogram_add(&histogram, histogram_bounds[0]);
    histogram_add(&histogram, histogram_bounds[0] + 1);
    histogram_add(&histogram, histogram_bounds[HISTOGRAM_BUCKETS - 2]);
    histogram_add(&histogram, histogram_bounds[HISTOGRAM_BUCKETS - 2] + 1);
    ck_assert_uint_eq(histogram.counts[0], 2);
    ck_assert_uint_eq(histogram.counts[1], 1);
    ck_assert_uint_eq(histogram.counts[HISTOGRAM_BUCKETS - 2], 1);
    ck_assert_uint_eq(histogram.counts[HISTOGRAM_BUCKETS - 1], 1);
    ck_assert_uint_eq(histogram_count(&histogram), 5);
    ck_assert_uint_eq(histogram.sum_us,
                      2 * (histogram_bounds[0] + histogram_bounds[HISTOGRAM_BUCKETS - 2] + 1));
}
END_TEST

START_TEST(a_histogram_is_cumulative)
{
    struct histogram histogram = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    histogram_add(&histogram, 50);
    histogram_add(&histogram, 2000);
    histogram_add(&histogram, 3000000000);
    metrics_text_histogram(out, "x_seconds", "question", "who", &histogram);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "x_seconds_bucket{question=\"who\",le=\"0.0001\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "x_seconds_bucket{question=\"who\",le=\"0.0025\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(text, "x_seconds_bucket{question=\"who\",le=\"10\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(text, "x_seconds_bucket{question=\"who\",le=\"+Inf\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "x_seconds_sum{question=\"who\"} 3000.00205\n"));
    ck_assert_ptr_nonnull(strstr(text, "x_seconds_count{question=\"who\"} 3\n"));
    free(text);
}
END_TEST

START_TEST(without_a_label_there_are_no_braces)
{
    struct histogram histogram = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    metrics_text_histogram(out, "x_seconds", NULL, NULL, &histogram);
    metrics_text_one(out, "y", "gauge", "Why.", UINT64_MAX);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "x_seconds_bucket{le=\"0.0001\"} 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "x_seconds_sum 0\nx_seconds_count 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "# HELP y Why.\n# TYPE y gauge\ny 18446744073709551615\n"));
    free(text);
}
END_TEST

static struct metrics_numbers numbers;
static struct ipc_metrics_told told;

static char *written(void)
{
    size_t size = 0;
    char *text = metrics_write(&numbers, &size);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(strlen(text), size);
    return text;
}

START_TEST(the_keeper_may_be_silent)
{
    char *text = written();
    ck_assert_ptr_nonnull(strstr(text, "\ndeskgate_keeper_up 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "\ndeskgate_connections 0\n"));
    ck_assert_ptr_null(strstr(text, "deskgate_tunnels"));
    ck_assert_ptr_null(strstr(text, "process=\"keeper\""));
    free(text);
    IPC_INIT(&told, METRICS_TOLD, 1);
    told.status = IPC_FAILED; /* the store did not answer */
    numbers.keeper = &told;
    text = written();
    ck_assert_ptr_nonnull(strstr(text, "\ndeskgate_keeper_up 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "\ndeskgate_tunnels{way=\"rdg\"} 0\n"));
    ck_assert_ptr_null(strstr(text, "deskgate_sessions"));
    free(text);
}
END_TEST

START_TEST(numbers_stand_where_they_belong)
{
    IPC_INIT(&told, METRICS_TOLD, 1);
    told.opened[IPC_WAY_CLEANPATH] = 11;
    told.ended[IPC_END_GRANT_REMOVED] = 12;
    told.dialled[IPC_DESKTOP_ASLEEP] = 13;
    told.live[IPC_WAY_TUNNEL] = 14;
    told.people = 20;
    told.disabled = 5;
    told.vitals.cpu_us = 1500000;
    numbers.keeper = &told;
    numbers.gate[GATE_METER_HANDSHAKE_RESUMED] = 16;
    numbers.gate[GATE_METER_ANSWERS_5XX] = 17;
    numbers.gate[GATE_METER_DOWN] = UINT64_C(1) << 60;
    numbers.link.answers[IPC_SIGN_IN][IPC_THROTTLED] = 18;
    numbers.link.answers[IPC_OPEN][IPC_THROTTLED] = 1;
    char *text = written();
    static const char *const lines[] = {
        "deskgate_tunnels_opened_total{way=\"cleanpath\"} 11\n",
        "deskgate_tunnels_ended_total{why=\"grant-removed\"} 12\n",
        "deskgate_dials_total{outcome=\"desktop_asleep\"} 13\n",
        "deskgate_tunnels{way=\"tunnel\"} 14\n",
        "deskgate_users{state=\"enabled\"} 15\n",
        "deskgate_users{state=\"disabled\"} 5\n",
        "deskgate_tls_handshakes_total{result=\"resumed\"} 16\n",
        "deskgate_http_responses_total{code=\"5xx\"} 17\n",
        "deskgate_tunnel_bytes_total{direction=\"down\"} 1152921504606846976\n",
        "deskgate_sign_ins_total{outcome=\"too_many_attempts\"} 18\n",
        "deskgate_keeper_refusals_total{status=\"too_many_attempts\"} 19\n",
        "deskgate_cpu_seconds_total{process=\"keeper\"} 1.5\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        ck_assert_msg(strstr(text, lines[i]) != NULL, "there is no %s in\n%s", lines[i], text);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics");
    TCase *tcase = tcase_create("metrics");
    tcase_add_test(tcase, a_bound_belongs_to_its_bucket);
    tcase_add_test(tcase, a_histogram_is_cumulative);
    tcase_add_test(tcase, without_a_label_there_are_no_braces);
    tcase_add_test(tcase, the_keeper_may_be_silent);
    tcase_add_test(tcase, numbers_stand_where_they_belong);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

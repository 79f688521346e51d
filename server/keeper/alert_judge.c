/* What rows of the audit log mean. A row is judged by itself and by how many failures stand before
 * it; nothing is kept in memory but the place, so a restart changes nothing. */
#include "alert.h"
#include "day.h"

#include "keeper_state.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MOST 64 /* in one look */
/* Rows looked at twice after a crash do no harm: alerts repeat not so soon. */
#define SAVE_SECONDS 10
#define NETWORKS_MOST 100         /* remembered of one person */
#define NETWORK_FRESH DAY_SECONDS /* seconds for which seeing it again need not be written down */

struct batch {
    int64_t last; /* looked at */
    size_t count;
    struct store_audit rows[ROWS_MOST];
};

static bool is_event(const struct store_audit *row, const char *event)
{
    return strcmp(row->event, event) == 0;
}

static bool is_failure(const struct store_audit *row)
{
    return (strcmp(row->outcome, "denied") == 0 || strcmp(row->outcome, "throttled") == 0) &&
           (is_event(row, "sign-in") || is_event(row, "gateway-password") ||
            is_event(row, "re-authentication") || is_event(row, "second-factor") ||
            is_event(row, "invitation"));
}

/* Of a person who is known: what strangers typed is not written down, see signin.c. */
static bool has_person(const struct store_audit *row)
{
    return row->who[0] && row->who[0] != '(';
}

/* ---- networks ---- */

static struct addr_net net_of(const struct addr *address, uint8_t v4_bits, uint8_t v6_bits)
{
    struct addr_net net = {.base = *address,
                           .bits = addr_is_v4(address) ? (uint8_t)(96 + v4_bits) : v6_bits};
    for (size_t bit = net.bits; bit < 128; bit++)
        net.base.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    return net;
}

static void net_text(const struct addr_net *net, char to[ADDR_NET_TEXT_SIZE])
{
    char text[ADDR_TEXT_SIZE];
    bool v4 = addr_is_v4(&net->base);
    addr_text(&net->base, text);
    if (net->bits == 128)
        snprintf(to, ADDR_NET_TEXT_SIZE, "%s", text);
    else
        snprintf(to, ADDR_NET_TEXT_SIZE, "%s/%u", text, v4 ? net->bits - 96U : net->bits);
}

/* What one site or provider hands out to its people. */
static void judge_network(struct keeper *keeper, const struct store_audit *row)
{
    struct addr_net net = net_of(&row->address, 24, 48);
    struct store_networks known = {0};
    char text[ADDR_NET_TEXT_SIZE], subject[TEXT_NAME_SIZE + ADDR_NET_TEXT_SIZE];
    int64_t now = row->at_ms / 1000;
    if (store_network_look(keeper->store, row->who, &net.base, &known) != STORE_OK)
        return;
    net_text(&net, text);
    snprintf(subject, sizeof(subject), "%.64s %s", row->who, text);
    if (known.known && !known.seen)
        alert_raise(
            keeper, ALERT_NEW_NETWORK,
            &(struct alert_about){.subject = subject, .who = row->who, .address = &row->address},
            "%s signed in from a network not seen before, %s", row->who, text);
    if (!known.seen || now - known.seen_at > NETWORK_FRESH)
        store_network_see(keeper->store, row->who, &net.base, now, NETWORKS_MOST);
}

/* ---- failures ---- */

static int64_t window_begin(const struct keeper *keeper, const struct store_audit *row)
{
    return row->at_ms - (int64_t)keeper->conf->alert_window_seconds * 1000;
}

static int64_t failures_of(struct keeper *keeper, const struct store_audit *row)
{
    int64_t count = 0;
    if (store_alert_failures_who(keeper->store, row->who, window_begin(keeper, row), row->id,
                                 &count) != STORE_OK)
        return 0;
    return count;
}

static void judge_failure(struct keeper *keeper, const struct store_audit *row)
{
    const struct conf *conf = keeper->conf;
    struct addr_net net = net_of(&row->address, 32, 64); /* as the throttle counts */
    char text[ADDR_NET_TEXT_SIZE];
    int64_t count = has_person(row) ? failures_of(keeper, row) : 0;
    net_text(&net, text);
    if (count >= (int64_t)conf->alert_user_failures)
        alert_raise(
            keeper, ALERT_USER_FAILURES,
            &(struct alert_about){.subject = row->who, .who = row->who, .address = &row->address},
            "%" PRId64 " failed attempts to sign in as %s within %u s, the last from %s", count,
            row->who, conf->alert_window_seconds, text);
    if (row->has_address &&
        store_alert_failures_address(keeper->store, &net, window_begin(keeper, row), row->id,
                                     &count) == STORE_OK &&
        count >= (int64_t)conf->alert_address_failures)
        alert_raise(keeper, ALERT_ADDRESS_FAILURES,
                    &(struct alert_about){.subject = text, .address = &row->address},
                    "%" PRId64 " failed attempts to sign in from %s within %u s", count, text,
                    conf->alert_window_seconds);
}

static void judge_sign_in(struct keeper *keeper, const struct store_audit *row)
{
    const struct conf *conf = keeper->conf;
    int64_t count = failures_of(keeper, row);
    char text[ADDR_TEXT_SIZE];
    addr_text(&row->address, text);
    if (count >= (int64_t)conf->alert_after_failures)
        alert_raise(
            keeper, ALERT_SUCCESS_AFTER_FAILURES,
            &(struct alert_about){.subject = row->who, .who = row->who, .address = &row->address},
            "%s signed in from %s after %" PRId64 " failed attempts within %u s", row->who, text,
            count, conf->alert_window_seconds);
    judge_network(keeper, row);
}

/* ---- rows ---- */

static void judge_certificate(struct keeper *keeper, const struct store_audit *row)
{
    bool changed = strcmp(row->outcome, "changed") == 0;
    struct alert_about about = {.subject = row->desktop,
                                .who = row->who,
                                .desktop = row->desktop,
                                .address = &row->address};
    if (changed || strcmp(row->outcome, "untrusted") == 0)
        alert_raise(keeper, ALERT_CERTIFICATE_CHANGED, &about,
                    changed ? "desktop %s shows another certificate than the one that is known; "
                              "nobody was let through"
                            : "desktop %s shows a certificate that no configured authority has "
                              "signed; nobody was let through",
                    row->desktop);
}

static void judge(struct keeper *keeper, const struct store_audit *row)
{
    if (is_failure(row))
        judge_failure(keeper, row);
    else if (is_event(row, "sign-in") && strcmp(row->outcome, "ok") == 0)
        judge_sign_in(keeper, row);
    else if (is_event(row, "desktop-certificate"))
        judge_certificate(keeper, row);
    else if (is_event(row, "audit-verify") && strcmp(row->outcome, "broken") == 0)
        alert_raise(keeper, ALERT_AUDIT_BROKEN, &(struct alert_about){.subject = "audit"},
                    "the chain of the audit log does not hold: %.160s", row->detail);
    else if (is_event(row, "gate-dropped"))
        alert_raise(keeper, ALERT_GATE_DROPPED, &(struct alert_about){.subject = "gate"},
                    "the process that strangers reach may have been taken over: %.160s",
                    row->detail);
}

/* Copied first: judging writes to the same table. */
static int gather(void *owner, const struct store_audit *row)
{
    struct batch *batch = owner;
    batch->rows[batch->count++] = *row;
    batch->last = row->id;
    return batch->count == ROWS_MOST;
}

static void save_place(struct keeper *keeper)
{
    int64_t now = keeper_now();
    if (keeper->alerts.place == keeper->alerts.saved_place ||
        now - keeper->alerts.saved_at < SAVE_SECONDS)
        return;
    keeper->alerts.saved_at = now;
    if (store_alert_place_set(keeper->store, keeper->alerts.place) == STORE_OK)
        keeper->alerts.saved_place = keeper->alerts.place;
}

void alert_judge(struct keeper *keeper)
{
    struct store_audit_filter filter = {.after_id = keeper->alerts.place};
    struct batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return; /* the next look tries again */
    batch->last = keeper->alerts.place;
    if (store_audit_list(keeper->store, &filter, gather, batch) != STORE_OK)
        LOG_ERROR("store", "the audit log could not be looked through for alerts",
                  LOG_TEXT("error", store_error(keeper->store)));
    for (size_t i = 0; i < batch->count; i++)
        judge(keeper, &batch->rows[i]);
    keeper->alerts.place = batch->last;
    save_place(keeper);
    free(batch);
}

#include "alert.h"

#include "asked.h"
#include "day.h"
#include "gate_link.h"
#include "keeper_state.h"
#include "log.h"
#include "owner.h"
#include "record_audit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOK_MS 500
#define FORGET_SECONDS (365 * DAY_SECONDS)
#define TOLD_EVERY 60 /* seconds between log lines about alerts over the limit */

static void trouble(struct keeper *keeper)
{
    LOG_ERROR("store", "alerts could not be looked after",
              LOG_TEXT("error", store_error(keeper->store)));
}

/* ---- raising ---- */

/* A stranger with many addresses can raise as many about failures as may be: half of all, so that
 * what comes of it, and whatever else happens, is told all the same. */
static bool too_many(const struct conf *conf, enum alert_rule rule,
                     const struct store_alerts_seen *seen)
{
    int64_t most = (int64_t)conf->alert_per_hour;
    bool failures = rule == ALERT_USER_FAILURES || rule == ALERT_ADDRESS_FAILURES;
    return seen->count >= most || (failures && seen->failures >= (most + 1) / 2);
}

/* Whether a limit forbids it; a store that fails forbids nothing. */
static bool too_often(struct keeper *keeper, enum alert_rule rule, const char *subject, int64_t now)
{
    const struct conf *conf = keeper->conf;
    struct store_alerts_seen seen = {0};
    int64_t repeat = conf->alert_repeat_seconds;
    if (rule == ALERT_CERTIFICATE_EXPIRY && repeat < DAY_SECONDS)
        repeat = DAY_SECONDS;
    if (store_alert_last(keeper->store, alert_rule_name(rule), subject, &seen) == STORE_OK &&
        seen.last_at && now - seen.last_at < repeat)
        return true;
    if (store_alert_since(keeper->store, now - 3600, &seen) != STORE_OK ||
        !too_many(conf, rule, &seen))
        return false;
    if (now - keeper->alerts.told_at >= TOLD_EVERY) {
        keeper->alerts.told_at = now;
        LOG_WARNING("alert.limit", "more alerts than [alerts] per_hour: not all are raised",
                    LOG_TEXT("rule", alert_rule_name(rule)), LOG_TEXT("subject", subject));
    }
    return true;
}

static enum store_result write_down(struct keeper *keeper, const struct store_alert *alert)
{
    struct ipc_origin origin = {0};
    char detail[sizeof(alert->rule) + sizeof(alert->message) + 2];
    if (alert->has_address)
        origin.address = alert->address;
    snprintf(detail, sizeof(detail), "%s: %s", alert->rule, alert->message);
    enum store_result result = store_begin(keeper->store);
    if (result == STORE_OK)
        result = store_alert_add(keeper->store, alert);
    if (result == STORE_OK)
        result =
            record_audit(keeper, &origin, "alert", "raised", alert->who, alert->desktop, detail);
    if (result == STORE_OK)
        return store_commit(keeper->store);
    store_rollback(keeper->store);
    return result;
}

void alert_raise(struct keeper *keeper, enum alert_rule rule, const struct alert_about *about,
                 const char *format, ...)
{
    struct store_alert alert = {.at = keeper_now()};
    va_list arguments;
    if (!(keeper->conf->alert_rules >> rule & 1) ||
        too_often(keeper, rule, about->subject, alert.at))
        return;
    va_start(arguments, format);
    vsnprintf(alert.message, sizeof(alert.message), format, arguments);
    va_end(arguments);
    text_copy(alert.rule, sizeof(alert.rule), alert_rule_name(rule));
    text_copy(alert.subject, sizeof(alert.subject), about->subject);
    text_copy(alert.who, sizeof(alert.who), about->who ? about->who : "");
    text_copy(alert.desktop, sizeof(alert.desktop), about->desktop ? about->desktop : "");
    alert.has_address = about->address != NULL;
    if (about->address)
        alert.address = *about->address;
    LOG_WARNING("alert", alert.message, LOG_TEXT("rule", alert.rule),
                LOG_TEXT("subject", alert.subject));
    keeper->meter.alerts[rule]++;
    if (write_down(keeper, &alert) != STORE_OK)
        trouble(keeper);
}

/* ---- the gateway's certificate ---- */

int asked_expiry(struct gate_link *link, const union ipc_record *record)
{
    if (record->expiry.expires < 0)
        return -EPROTO;
    link->keeper->alerts.expires = record->expiry.expires;
    return 0;
}

static void look_at_certificate(struct keeper *keeper)
{
    int64_t expires = keeper->alerts.expires, now = keeper_now(), left = expires - now;
    time_t at = (time_t)expires;
    char day[16];
    struct tm utc;
    if (!expires || left > (int64_t)keeper->conf->alert_certificate_days * DAY_SECONDS ||
        !gmtime_r(&at, &utc) || strftime(day, sizeof(day), "%Y-%m-%d", &utc) == 0)
        return;
    if (left > 0)
        alert_raise(keeper, ALERT_CERTIFICATE_EXPIRY, &(struct alert_about){.subject = "gateway"},
                    "the gateway's certificate ends on %s, in %d days; renew it and send SIGHUP",
                    day, (int)(left / DAY_SECONDS));
    else
        alert_raise(keeper, ALERT_CERTIFICATE_EXPIRY, &(struct alert_about){.subject = "gateway"},
                    "the gateway's certificate ended on %s; renew it and send SIGHUP", day);
}

/* ---- the clock ---- */

static void on_look(struct loop_timer *timer)
{
    struct keeper *keeper = OWNER_OF(timer, struct keeper, alerts.look);
    int64_t now = keeper_now();
    alert_judge(keeper);
    if (now / DAY_SECONDS != keeper->alerts.swept_day) {
        keeper->alerts.swept_day = now / DAY_SECONDS;
        if (store_alert_sweep(keeper->store, now - FORGET_SECONDS) != STORE_OK)
            trouble(keeper);
    }
    look_at_certificate(keeper);
    alert_send(keeper);
    loop_timer_set(keeper->loop, timer, LOOK_MS);
}

/* What happened before there were alerts is no reason for one. */
static enum store_result find_place(struct keeper *keeper)
{
    enum store_result result = store_alert_place(keeper->store, &keeper->alerts.place);
    if (result != STORE_NONE)
        return result;
    result = store_alert_newest(keeper->store, &keeper->alerts.place);
    return result == STORE_OK ? store_alert_place_set(keeper->store, keeper->alerts.place) : result;
}

void alert_stop(struct keeper *keeper)
{
    loop_timer_cancel(keeper->loop, &keeper->alerts.look);
    if (store_alert_place_set(keeper->store, keeper->alerts.place) != STORE_OK)
        trouble(keeper);
}

int alert_start(struct keeper *keeper)
{
    if (find_place(keeper) != STORE_OK)
        trouble(keeper);
    keeper->alerts.saved_place = keeper->alerts.place;
    keeper->alerts.look.fire = on_look;
    return loop_timer_set(keeper->loop, &keeper->alerts.look, LOOK_MS);
}

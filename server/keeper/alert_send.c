/* An alert on its way out: JSON in a sealed memory file, handed to the supervisor. */
#include "alert.h"

#include "control.h"
#include "fd.h"
#include "keeper_state.h"
#include "log.h"
#include "sealed.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUND_MOST 8 /* in one look; the rest has time */

static json_t *describe(const struct keeper *keeper, const struct store_alert *alert)
{
    char address[ADDR_TEXT_SIZE] = "", at[32] = "";
    time_t seconds = (time_t)alert->at;
    struct tm utc;
    if (alert->has_address)
        addr_text(&alert->address, address);
    if (gmtime_r(&seconds, &utc))
        strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &utc);
    /* "text" is what chat services show of a webhook. */
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s++}", "id",
                     (json_int_t)alert->id, "at", at, "gateway", keeper->conf->name, "rule",
                     alert->rule, "subject", alert->subject, "message", alert->message, "user",
                     alert->who, "desktop", alert->desktop, "address", address, "test",
                     (int)alert->test, "text", keeper->conf->name, alert->test ? " (test): " : ": ",
                     alert->message);
}

static int hand_over(const struct keeper *keeper, const struct store_alert *alert)
{
    json_t *json = describe(keeper, alert);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (!text)
        return -ENOMEM;
    FD_AUTO int fd = sealed_new("deskgate-alert", text, strlen(text));
    free(text);
    return fd < 0 ? fd : control_send(keeper->control.fd, CONTROL_ALERT, &fd, 1);
}

void alert_send(struct keeper *keeper)
{
    struct store_alert alert;
    for (int i = 0; i < ROUND_MOST; i++) {
        enum store_result result = store_alert_unsent(keeper->store, &alert);
        if (result != STORE_OK)
            return;
        int error = alert.id > keeper->alerts.handed ? hand_over(keeper, &alert) : 0;
        if (error == -EAGAIN)
            return;
        if (error)
            LOG_ERROR("alert.send", "an alert could not be handed over",
                      LOG_TEXT("rule", alert.rule), LOG_TEXT("error", strerror(-error)));
        else
            keeper->alerts.handed = alert.id; /* not once more while that cannot be written down */
        if (error || store_alert_sent(keeper->store, alert.id) != STORE_OK)
            return;
    }
}

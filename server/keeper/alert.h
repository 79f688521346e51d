/* Alerts: what is worth an administrator's attention. They are found by reading the audit log
 * behind what was read before, twice a second, so nothing that is raised slows down what it is
 * about, and nothing is missed over a restart. Each is a row in the store, a row in the audit log
 * and a line in the log; then the supervisor gets it as JSON, for the configured command and
 * webhook: the keeper runs no programs. */
#pragma once

#include "addr.h"
#include "alert_rule.h"

#include <stdint.h>

struct keeper;

struct alert_about {
    const char *subject;        /* the same rule is not raised again soon for the same subject */
    const char *who, *desktop;  /* or NULL */
    const struct addr *address; /* or NULL */
};

/* 0 or -ENOMEM. The store must be open. */
int alert_start(struct keeper *keeper);

void alert_stop(struct keeper *keeper); /* writes down how far it is */

/* Raises it, unless the rule is off or the limits on repetitions forbid it. Outside a transaction.
 */
void alert_raise(struct keeper *keeper, enum alert_rule rule, const struct alert_about *about,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* For alert.c: alert_judge.c, alert_send.c. */
void alert_judge(struct keeper *keeper); /* what is new in the audit log */
void alert_send(struct keeper *keeper);  /* what the supervisor does not have yet */

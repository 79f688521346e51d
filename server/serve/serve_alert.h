/* Alerts on their way to the configured command and webhook. Both run as programs of their own (the
 * webhook as this binary with a hidden verb), with the alert on their standard input: bounded in
 * number and time, and nothing of what they do can hold up the supervisor. */
#pragma once

#include "conf.h"

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVE_ALERT_RUNNING 2
#define SERVE_ALERT_WAITING 32

struct serve_alert_job {
    int alert; /* a descriptor with JSON in it; -1: none */
    bool webhook;
    pid_t pid;        /* once it runs */
    uint64_t kill_ms; /* then */
};

struct serve_alerts {
    const struct conf *conf;
    const sigset_t *mask; /* for the programs to begin with */
    int target;           /* of the webhook, for alert_post.h; -1: none */
    struct serve_alert_job running[SERVE_ALERT_RUNNING];
    struct serve_alert_job waiting[SERVE_ALERT_WAITING]; /* in order */
    size_t waiting_count;
};

/* What cannot be used is logged and left out. conf and mask stay. */
void serve_alert_init(struct serve_alerts *alerts, const struct conf *conf, const sigset_t *mask);
/* Kills what runs. May run twice. */
void serve_alert_stop(struct serve_alerts *alerts);

/* Times are CLOCK_MONOTONIC in milliseconds. */
void serve_alert_take(struct serve_alerts *alerts, int alert, uint64_t now); /* consumes `alert` */
void serve_alert_ended(struct serve_alerts *alerts, pid_t pid, int status, uint64_t now);
void serve_alert_turn(struct serve_alerts *alerts, uint64_t now);
uint64_t serve_alert_due(const struct serve_alerts *alerts); /* the next turn; 0: none is due */

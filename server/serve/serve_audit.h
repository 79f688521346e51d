/* What the supervisor runs for the audit log: the process that forwards it to syslog, and once a
 * day 'deskgate audit expire', which archives what is older than keep_days. Neither can hold up the
 * keeper: it hands over rows when there is room, and old rows leave a thousand at a time. */
#pragma once

#include "conf.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct serve_audit {
    const struct conf *conf;
    const int *conf_fd;       /* for the children (conf_memory.h) */
    const sigset_t *mask;     /* likewise */
    pid_t forwarder, expirer; /* 0: does not run */
    uint64_t forward_ms, expire_ms, kill_ms;
};

/* All that is given stays. Times are CLOCK_MONOTONIC in milliseconds. */
void serve_audit_init(struct serve_audit *audit, const struct conf *conf, const int *conf_fd,
                      const sigset_t *mask, uint64_t now);
/* Starts what is due. `keeper` is its control socket, -1: it does not run. */
void serve_audit_turn(struct serve_audit *audit, int keeper, uint64_t now);
uint64_t serve_audit_due(const struct serve_audit *audit); /* the next turn; 0: none is due */
/* False: that process is not ours. */
bool serve_audit_ended(struct serve_audit *audit, pid_t pid, int status, uint64_t now);
void serve_audit_stop(struct serve_audit *audit); /* kills what runs */

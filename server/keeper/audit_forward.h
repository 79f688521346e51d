/* Rows of the audit log on their way to syslog. Another process speaks to the receiver
 * (serve/syslog_forward.h): the keeper hands it rows over a SOCK_SEQPACKET pair and takes back the
 * number of the last one that the receiver has. What was handed over and not acknowledged is handed
 * over again to the next such process: at least once. The queue is the log itself. */
#pragma once

#include <stdint.h>

struct keeper;

/* One packet: a row's number and its message. Back come numbers alone (int64_t). */
struct audit_forward_head {
    int64_t id;
};

void audit_forward_init(struct keeper *keeper);
/* From now on rows go to this end of the pair, which is taken over. */
void audit_forward_to(struct keeper *keeper, int fd);
void audit_forward_stop(struct keeper *keeper);

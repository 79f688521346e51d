/* What only one keeper does at a time, though two may have the store open while an earlier gateway
 * drains (CONTROL_RETIRE): judge what is worth an alert, verify the audit log, forward it. Whoever
 * holds the lock on a file of the state folder does; it goes free when its holder retires or dies,
 * however it dies. Everything else both keepers do, each for its own gate. */
#pragma once

struct keeper;

/* At start: takes the duties, or waits for them. 0 or a negative errno. */
int duty_start(struct keeper *keeper);
/* Takes them when they have become free. Call it often. */
void duty_look(struct keeper *keeper);
/* Leaves them for good, with all that is known written down. */
void duty_retire(struct keeper *keeper);
/* At the end. */
void duty_stop(struct keeper *keeper);
/* Where to forward the audit log, now or when it becomes our duty. Takes over the descriptor. */
void duty_forward_to(struct keeper *keeper, int fd);

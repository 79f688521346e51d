/* The keeper's own watch over the audit log: it follows the chain a few rows at a time, from the
 * first to the last and on with what is added, and begins again now and then, and soon after
 * somebody else wrote to the database. A fault is a row of the log, which becomes an alert. What
 * was found to be whole is noted in audit.head (audit_seal.h). */
#pragma once

struct keeper;

int audit_check_start(struct keeper *keeper); /* 0 or -ENOMEM; the store is open */
/* Somebody else has written to the database. */
void audit_check_changed(struct keeper *keeper);
/* Notes the last row that was found whole, at the end. */
void audit_check_stop(struct keeper *keeper);

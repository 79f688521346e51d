/* What is wrong with the audit log, in words. */
#pragma once

#include "conf.h"
#include "store_audit.h"

#define AUDIT_FAULT_SIZE 320

/* "row 12 is not what was written there: …". Returns `to`. The walk has a fault. */
const char *audit_fault_words(const struct store_audit_walk *walk, char to[AUDIT_FAULT_SIZE]);
/* One word, for scripts: "changed", "removed", …; "" when all is well. */
const char *audit_fault_name(enum store_audit_fault fault);

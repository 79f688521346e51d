/* A row of the audit log as a syslog message (RFC 5424): facility authpriv, the event as MSGID, the
 * row as JSON, and its number as sequenceId, so that a receiver sees gaps. Pure. */
#pragma once

#include "store.h"

#include <stddef.h>

#define AUDIT_SYSLOG_SIZE 8192 /* the longest row in JSON has less than 6 KiB */

/* `host` is the gateway's name. The size, without a NUL behind it; 0: out of memory. */
size_t audit_syslog(const struct store_audit *row, const char *host, char to[AUDIT_SYSLOG_SIZE]);

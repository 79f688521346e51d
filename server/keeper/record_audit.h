/* Rows of the audit log as the keeper writes them, each with its log line. */
#pragma once

#include "ipc.h"
#include "keeper_state.h"

/* `who`, `desktop` and `detail` may be NULL. Within the caller's transaction, if there is one. */
enum store_result record_audit(struct keeper *keeper, const struct ipc_origin *origin,
                               const char *event, const char *outcome, const char *who,
                               const char *desktop, const char *detail);

/* The same for what a stranger can cause as often as he likes: at most RECORD_NOTES a second, and a
 * row that counts the ones left out. */
#define RECORD_NOTES 10
void record_note(struct keeper *keeper, const struct ipc_origin *origin, const char *event,
                 const char *outcome, const char *who, const char *detail);

#include "audit_fault.h"

#include <inttypes.h>
#include <stdio.h>

static void rows_words(int64_t first, int64_t last, char *to, size_t size)
{
    if (first == last)
        snprintf(to, size, "row %" PRId64 " was", first);
    else
        snprintf(to, size, "rows %" PRId64 " to %" PRId64 " were", first, last);
}

const char *audit_fault_words(const struct store_audit_walk *walk, char to[AUDIT_FAULT_SIZE])
{
    char rows[64];
    int64_t bad = walk->bad;
    switch (walk->fault) {
    case STORE_AUDIT_WHOLE:
        snprintf(to, AUDIT_FAULT_SIZE, "each row is as it was written");
        break;
    case STORE_AUDIT_CHANGED:
        snprintf(to, AUDIT_FAULT_SIZE,
                 "row %" PRId64 " is not what was written there: it was changed, put in or moved",
                 bad);
        break;
    case STORE_AUDIT_REMOVED:
        rows_words(walk->last + 1, bad - 1, rows, sizeof(rows));
        snprintf(to, AUDIT_FAULT_SIZE, "%s removed", rows);
        break;
    case STORE_AUDIT_CUT:
        rows_words(walk->last + 1, bad, rows, sizeof(rows));
        snprintf(to, AUDIT_FAULT_SIZE, "%s cut off at the end", rows);
        break;
    case STORE_AUDIT_REMADE:
        snprintf(to, AUDIT_FAULT_SIZE,
                 "row %" PRId64 ", the last, is not the one that was sealed: links were made anew",
                 bad);
        break;
    case STORE_AUDIT_UNSEALED:
        snprintf(to, AUDIT_FAULT_SIZE,
                 "the seal behind row %" PRId64 " is missing or was made with another key: the log "
                 "was made anew, or " CONF_SECRET_KEY " is not the one it was written with",
                 bad);
        break;
    case STORE_AUDIT_CHECKPOINT:
        snprintf(to, AUDIT_FAULT_SIZE,
                 "the checkpoint at row %" PRId64 " was sealed with another key", bad);
        break;
    case STORE_AUDIT_RETURNED:
        snprintf(to, AUDIT_FAULT_SIZE,
                 "row %" PRId64 " stands where all rows were archived and removed", bad);
        break;
    case STORE_AUDIT_UNEXPECTED:
        snprintf(to, AUDIT_FAULT_SIZE,
                 "row %" PRId64 " is not there with the link that was noted: the log was cut off, "
                 "made anew, or replaced by an older copy",
                 bad);
        break;
    }
    return to;
}

const char *audit_fault_name(enum store_audit_fault fault)
{
    static const char *const names[] = {"",         "changed",    "removed",  "cut",       "remade",
                                        "unsealed", "checkpoint", "returned", "unexpected"};
    return names[fault];
}

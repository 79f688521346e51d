/* What store_audit*.c and the migration share. Private to db/. */
#pragma once

#include "audit_chain.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct audit_place {
    int64_t id;
    bool whole;  /* the link has its size … */
    bool sealed; /* … and there is a seal */
    uint8_t link[AUDIT_CHAIN_SIZE], seal[AUDIT_CHAIN_SIZE];
};

/* The columns id, link and seal, into a struct audit_place. */
void store_audit_read_place(sqlite3_stmt *statement, void *row);
/* Links rows that have no link yet, in a transaction of the caller's, and sets the head. */
bool store_audit_link_all(sqlite3 *db);

/* The audit log as a chain: each row's link is SHA-256 over the link before it and the row. Whoever
 * changes, removes, adds or moves a row has to make all links behind it anew, and the seal of the
 * last one, for which a key is needed that is not in the database. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_CHAIN_SIZE 32 /* of a link, a key and a seal */
#define AUDIT_CHAIN_TEXTS 7

struct audit_chain_row {
    int64_t id;
    int64_t at_ms;
    const uint8_t *address; /* 16 bytes, or NULL */
    struct {
        const char *at;
        size_t size;
    } texts[AUDIT_CHAIN_TEXTS]; /* event, outcome, who, by, desktop, conn, detail */
};

/* `link` is the one before (zeroes before the first row) and becomes this row's. */
void audit_chain_add(uint8_t link[AUDIT_CHAIN_SIZE], const struct audit_chain_row *row);

/* HMAC-SHA-256 over what is sealed (a word such as "head"), a row's number and its link. */
void audit_chain_seal(const uint8_t key[AUDIT_CHAIN_SIZE], const char *what, int64_t id,
                      const uint8_t link[AUDIT_CHAIN_SIZE], uint8_t seal[AUDIT_CHAIN_SIZE]);
/* In constant time. */
bool audit_chain_sealed(const uint8_t key[AUDIT_CHAIN_SIZE], const char *what, int64_t id,
                        const uint8_t link[AUDIT_CHAIN_SIZE], const uint8_t seal[AUDIT_CHAIN_SIZE]);

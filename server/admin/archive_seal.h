/* An archive of the audit log: lines of JSON. The head names the rows and the link before the
 * first; then each row with its link; the foot repeats the end and has a seal over all lines before
 * it. */
#pragma once

#include "secret.h"
#include "store_audit.h"

#include <sodium.h>
#include <stdbool.h>

#define ARCHIVE_FORMAT 1
#define ARCHIVE_LINE_MOST 65536

/* The lines so far. */
struct archive_seal {
    crypto_hash_sha256_state state;
};

void archive_seal_init(struct archive_seal *seal);
void archive_seal_add(struct archive_seal *seal, const char *line, size_t size);
/* The seal of a file whose last row is `last`. */
void archive_seal_final(struct archive_seal *seal, const struct secret_key *secret, int64_t last,
                        uint8_t to[STORE_AUDIT_LINK]);

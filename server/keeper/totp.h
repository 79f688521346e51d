/* Time-based one-time passwords, RFC 6238, as authenticator apps do them: SHA-1, six digits, steps
 * of 30 seconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOTP_SEED_SIZE 20 /* RFC 4226 section 4, R6: 160 bits */
#define TOTP_STEP_SECONDS 30
#define TOTP_WINDOW 1 /* steps before and after the present one that are accepted */
#define TOTP_BASE32_SIZE 33
#define TOTP_URI_SIZE 512

void totp_new_seed(uint8_t seed[TOTP_SEED_SIZE]);

/* True when `code` is the present one, or one step off; `*step` is the step that it belongs to.
 * Always the same work. */
bool totp_matches(const uint8_t *seed, size_t size, const char *code, int64_t now, int64_t *step);

void totp_base32(const uint8_t seed[TOTP_SEED_SIZE], char to[TOTP_BASE32_SIZE]);

/* otpauth://totp/ISSUER:NAME?secret=…&issuer=ISSUER, percent-encoded. False when it does not fit.
 */
bool totp_uri(const uint8_t seed[TOTP_SEED_SIZE], const char *issuer, const char *name,
              char to[TOTP_URI_SIZE]);

/* What an authenticator app needs to know about a new second factor, shown once. */
#pragma once

#include "act.h"
#include "totp.h"

#include <stdbool.h>

/* Prints to act->out: for scripts an object of user, totp_secret (base32) and otpauth (the
 * URI); for people "User NAME DONE.", a QR code, the URI and the secret. The configured name of the
 * gateway is the issuer. An exit code; what this function held of the seed is wiped. */
int enrol_print(struct act *act, const char *name, const uint8_t seed[TOTP_SEED_SIZE], bool json,
                const char *done);

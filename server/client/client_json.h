/* The few JSON texts exchanged with the gateway, without leaving secrets in freed memory. */
#pragma once

#include "client_http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_JSON_TOKEN_SIZE 129

/* {"username","password","code"} into `to`; false when it does not fit. The texts are UTF-8. */
bool client_json_login(char *to, size_t size, const char *user, const char *password,
                       const char *code);

/* The body of POST /api/factor. False when it does not fit. */
bool client_json_code(char *to, size_t size, const char *code);

/* From the answer to a sign-in. False unless the token is 16 to 128 characters of base64url.
 * `*expires` is in Unix seconds, 0 when it is not told. */
bool client_json_token(const struct client_answer *answer, char token[CLIENT_JSON_TOKEN_SIZE],
                       int64_t *expires);

/* What an answer other than the wished one means, with the gateway's own words. Returns -1. */
int client_json_refusal(const struct client_answer *answer, struct client_failure *failure);

/* Whether the list of desktops has this one; `others` gets the names there are ("a, b, c"). True
 * also when the list cannot be understood: then the tunnel itself will tell. */
bool client_json_has_desktop(const struct client_answer *answer, const char *desktop, char *others,
                             size_t size);

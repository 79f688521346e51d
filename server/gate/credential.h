/* Who a request says it is: the session reference from the cookie or the Authorization header, and
 * whether the page it comes from is ours. */
#pragma once

#include "request.h"

#define CREDENTIAL_COOKIE "__Host-deskgate"
/* That a person has signed in with this browser before. */
#define CREDENTIAL_BROWSER "__Host-deskgate-browser"

/* Sets request->credential and request->token. A malformed reference is no credential. */
void credential_read(struct request *request);
/* False: the cookie came from a foreign page (RFC 6455 section 10.2), or, when `required`, from one
 * that does not say. A bearer token needs no Origin: no page of another site can set it. */
bool credential_same_origin(const struct request *request, bool required);
/* The Set-Cookie value (RFC 6265bis section 4.1.3.2: __Host- needs Secure, Path=/ and no Domain).
 * `token` NULL: forget it. `to` holds CREDENTIAL_SET_COOKIE_SIZE. */
#define CREDENTIAL_SET_COOKIE_SIZE 160
void credential_set_cookie(char *to, const char *token);
/* The browser's own cookie; false, and zeros, when there is none. */
bool credential_browser(const struct request *request, uint8_t to[IPC_TOKEN_SIZE]);
/* The Set-Cookie value that keeps it. */
void credential_set_browser(char *to, const uint8_t browser[IPC_TOKEN_SIZE]);
/* A browser asks, and not a program of another kind: only those say where a page is from (Fetch
 * standard, "append a request Origin header"). */
bool credential_in_browser(const struct request *request);

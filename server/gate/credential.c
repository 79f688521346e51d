#include "credential.h"

#include "gate_state.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void credential_read(struct request *request)
{
    const char *authorization = request_header(request, "Authorization");
    const char *text;
    request->credential = REQUEST_NO_CREDENTIAL;
    if (authorization && strncasecmp(authorization, "Bearer ", 7) == 0) {
        text = authorization + 7;
        while (*text == ' ')
            text++;
        if (text_base64url_decode(text, strlen(text), request->token, IPC_TOKEN_SIZE))
            request->credential = REQUEST_BEARER;
        return;
    }
    text = MHD_lookup_connection_value(request->mhd, MHD_COOKIE_KIND, CREDENTIAL_COOKIE);
    if (text && text_base64url_decode(text, strlen(text), request->token, IPC_TOKEN_SIZE))
        request->credential = REQUEST_COOKIE;
}

/* A page of the very address that the request went to: people reach one gateway by several names. A
 * browser lets no page choose either header, and the cookie goes to no other host. */
static bool is_host(const char *origin, const char *host)
{
    static const char scheme[] = "https://";
    return host && strncasecmp(origin, scheme, strlen(scheme)) == 0 &&
           strcasecmp(origin + strlen(scheme), host) == 0;
}

bool credential_same_origin(const struct request *request, bool required)
{
    if (request->credential == REQUEST_BEARER)
        return true;
    const char *origin = request_header(request, "Origin");
    if (!origin)
        return !required;
    return strcasecmp(origin, request->gate->origin) == 0 ||
           is_host(origin, request_header(request, "Host"));
}

void credential_set_cookie(char *to, const char *token)
{
    snprintf(to, CREDENTIAL_SET_COOKIE_SIZE,
             CREDENTIAL_COOKIE "=%s; Secure; HttpOnly; SameSite=Strict; Path=/%s",
             token ? token : "", token ? "" : "; Max-Age=0");
}

bool credential_browser(const struct request *request, uint8_t to[IPC_TOKEN_SIZE])
{
    const char *text =
        MHD_lookup_connection_value(request->mhd, MHD_COOKIE_KIND, CREDENTIAL_BROWSER);
    if (text && text_base64url_decode(text, strlen(text), to, IPC_TOKEN_SIZE))
        return true;
    memset(to, 0, IPC_TOKEN_SIZE);
    return false;
}

/* 400 days are as long as browsers keep any (RFC 6265bis section 5.5). */
void credential_set_browser(char *to, const uint8_t browser[IPC_TOKEN_SIZE])
{
    char text[text_base64url_size(IPC_TOKEN_SIZE)];
    text_base64url(text, browser, IPC_TOKEN_SIZE);
    snprintf(to, CREDENTIAL_SET_COOKIE_SIZE,
             CREDENTIAL_BROWSER "=%s; Secure; HttpOnly; SameSite=Strict; Path=/; Max-Age=34560000",
             text);
    explicit_bzero(text, sizeof(text));
}

bool credential_in_browser(const struct request *request)
{
    return request_header(request, "Origin") != NULL;
}

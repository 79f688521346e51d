#include "rdpfile_sign.h"

#include "bytes.h"
#include "utf16.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GROUP 64 /* characters of base64, two spaces behind each group: as rdpsign writes them */

/* In this order. */
static const struct {
    const char *prefix, *scope;
} secure[] = {
    {"full address:s:", "Full Address"},
    {"alternate full address:s:", "Alternate Full Address"},
    {"autoreconnection enabled:i:", "AutoReconnection Enabled"},
    {"gatewayhostname:s:", "GatewayHostname"},
    {"gatewayusagemethod:i:", "GatewayUsageMethod"},
    {"gatewayprofileusagemethod:i:", "GatewayProfileUsageMethod"},
    {"gatewaycredentialssource:i:", "GatewayCredentialsSource"},
    {"promptcredentialonce:i:", "PromptCredentialOnce"},
    {"alternate shell:s:", "Alternate Shell"},
    {"shell working directory:s:", "Shell Working Directory"},
    {"remoteapplicationprogram:s:", "RemoteApplicationProgram"},
    {"remoteapplicationmode:i:", "RemoteApplicationMode"},
    {"remoteapplicationname:s:", "RemoteApplicationName"},
    {"remoteapplicationicon:s:", "RemoteApplicationIcon"},
    {"remoteapplicationfile:s:", "RemoteApplicationFile"},
    {"remoteapplicationcmdline:s:", "RemoteApplicationCmdLine"},
    {"audiomode:i:", "AudioMode"},
    {"redirectprinters:i:", "RedirectPrinters"},
    {"redirectcomports:i:", "RedirectCOMPorts"},
    {"redirectsmartcards:i:", "RedirectSmartCards"},
    {"redirectclipboard:i:", "RedirectClipboard"},
    {"devicestoredirect:s:", "DevicesToRedirect"},
    {"drivestoredirect:s:", "DrivesToRedirect"},
    {"loadbalanceinfo:s:", "LoadBalanceInfo"},
    {"redirectwebauthn:i:", "RedirectWebAuthn"},
};
#define SECURE (sizeof(secure) / sizeof(*secure))
#define SCOPE_PREFIX "signscope:s:"

/* The line that begins with `prefix`, and its size with CRLF; NULL when there is none. */
static const char *find_line(const char *text, size_t size, const char *prefix, size_t *length)
{
    size_t begin = strlen(prefix);
    for (const char *at = text, *end = text + size; at < end; at += *length) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        *length = (size_t)((feed ? feed + 1 : end) - at);
        if (*length >= begin && strncasecmp(at, prefix, begin) == 0)
            return at;
    }
    return NULL;
}

struct adding {
    char *text;
    size_t size, room;
    bool full;
};

static void add(struct adding *adding, const char *data, size_t size)
{
    if (adding->full || size > adding->room - adding->size) {
        adding->full = true;
        return;
    }
    memmove(adding->text + adding->size, data, size); /* of the same text, perhaps */
    adding->size += size;
}

static void add_words(struct adding *adding, const char *words)
{
    add(adding, words, strlen(words));
}

size_t rdpfile_sign_scope(char *text, size_t size, size_t room)
{
    struct adding adding = {text, size, room, false};
    size_t length;
    const char *address = find_line(text, size, secure[0].prefix, &length);
    if (!address)
        return 0;
    add_words(&adding, secure[1].prefix);
    add(&adding, address + strlen(secure[0].prefix), length - strlen(secure[0].prefix));
    add_words(&adding, SCOPE_PREFIX);
    size = adding.size;
    for (size_t i = 0; i < SECURE; i++) {
        if (!find_line(text, size, secure[i].prefix, &length))
            continue;
        add_words(&adding, i ? "," : "");
        add_words(&adding, secure[i].scope);
    }
    add_words(&adding, "\r\n");
    return adding.full ? 0 : adding.size;
}

size_t rdpfile_sign_message(const char *text, size_t size, uint8_t *to)
{
    char *message = malloc(size + 1);
    struct adding adding = {message, 0, size, false};
    size_t length;
    if (!message)
        return 0;
    for (size_t i = 0; i <= SECURE; i++) {
        const char *line =
            find_line(text, size, i < SECURE ? secure[i].prefix : SCOPE_PREFIX, &length);
        if (line)
            add(&adding, line, length);
    }
    message[adding.size] = '\0';
    uint8_t *end = utf16_put(to, to + 2 * size, message);
    *end++ = 0; /* the NUL */
    *end++ = 0;
    explicit_bzero(message, size);
    free(message);
    return adding.full ? 0 : (size_t)(end - to);
}

/* The 12 bytes before it: two numbers that never change, and its size. */
static uint8_t *with_header(const uint8_t *der, size_t size)
{
    uint8_t *blob = malloc(12 + size);
    if (!blob)
        return NULL;
    uint8_t *at = bytes_put_le32(bytes_put_le32(blob, 0x00010001), 1);
    memcpy(bytes_put_le32(at, (uint32_t)size), der, size);
    return blob;
}

size_t rdpfile_sign_add(char *text, size_t size, size_t room, const uint8_t *der, size_t der_size)
{
    struct adding adding = {text, size, room, false};
    uint8_t *blob = with_header(der, der_size);
    gnutls_datum_t in = {blob, (unsigned)(12 + der_size)}, out = {0};
    if (!blob || gnutls_base64_encode2(&in, &out) < 0) {
        free(blob);
        return 0;
    }
    add_words(&adding, "signature:s:");
    for (size_t at = 0; at < out.size; at += GROUP) {
        add(&adding, (const char *)out.data + at, out.size - at < GROUP ? out.size - at : GROUP);
        add_words(&adding, "  ");
    }
    add_words(&adding, "\r\n");
    gnutls_free(out.data);
    free(blob);
    return adding.full ? 0 : adding.size;
}

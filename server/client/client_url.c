#include "client_url.h"

#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HTTPS_PORT 443

/* Splits "host:port", "[v6]:port", "host", "[v6]"; `*port` is NULL when there is none. The host is
 * copied without brackets. */
static bool split(const char *text, char *host, size_t size, const char **port, bool *bracketed)
{
    *bracketed = text[0] == '[';
    const char *begin = *bracketed ? text + 1 : text;
    size_t length = strcspn(begin, *bracketed ? "]" : ":");
    const char *behind = begin + length;
    if (!length || length >= size || (*bracketed && *behind != ']'))
        return false;
    if (*bracketed)
        behind++;
    if (*behind && *behind != ':')
        return false;
    *port = *behind ? behind + 1 : NULL;
    memcpy(host, begin, length);
    host[length] = '\0';
    return true;
}

static bool parse_port(const char *text, uint16_t least, uint16_t *out)
{
    uint64_t number;
    if (!text || strlen(text) > 5 || !text_number(text, UINT16_MAX, &number) || number < least)
        return false;
    *out = (uint16_t)number;
    return true;
}

/* Letters, digits, hyphens and dots; labels of 1 to 63 (RFC 1123 section 2.1), underscores as they
 * occur in practice. One dot at the end is the root's. */
static bool is_host_name(const char *host)
{
    size_t label = 0;
    for (const char *at = host; *at; at++) {
        bool fits = isascii((unsigned char)*at) &&
                    (isalnum((unsigned char)*at) || *at == '-' || *at == '_');
        if (*at == '.' ? label == 0 : !fits || label == 63)
            return false;
        label = *at == '.' ? 0 : label + 1;
    }
    return host[0] != '-' && host[0] != '.';
}

static const char *judge_rest(const char *rest)
{
    if (strchr(rest, '@'))
        return "a user name does not belong into the address; use --user NAME";
    return "expected https://HOST or https://HOST:PORT";
}

static bool parse_host(struct client_url *out, bool bracketed, const char **why)
{
    struct addr address;
    out->numeric = addr_parse(&address, out->host);
    if (bracketed != (out->numeric && strchr(out->host, ':') != NULL)) {
        *why = "an IPv6 address stands in brackets: https://[2001:db8::1]:8443";
        return false;
    }
    for (char *at = out->host; *at; at++) {
        if ((unsigned char)*at >= 0x80) {
            *why = "write the host name in its ASCII form (xn--...)";
            return false;
        }
        *at = (char)tolower((unsigned char)*at);
    }
    if (!out->numeric && !is_host_name(out->host)) {
        *why = "this is not a host name";
        return false;
    }
    return true;
}

bool client_url_parse(struct client_url *out, const char *text, const char **why)
{
    char place[CLIENT_URL_HOST_SIZE + 16];
    const char *port, *scheme = strstr(text, "://");
    bool bracketed;
    memset(out, 0, sizeof(*out));
    if (scheme && strncasecmp(text, "https://", 8) != 0) {
        *why = "the address must begin with https://";
        return false;
    }
    text = scheme ? scheme + 3 : text;
    size_t length = strcspn(text, "/?#@");
    bool rest = text[length] && strcmp(text + length, "/") != 0;
    if (rest || length >= sizeof(place)) {
        *why = judge_rest(text);
        return false;
    }
    memcpy(place, text, length);
    place[length] = '\0';
    if (!split(place, out->host, sizeof(out->host), &port, &bracketed)) {
        *why = judge_rest(text);
        return false;
    }
    out->port = HTTPS_PORT;
    if (port && !parse_port(port, 1, &out->port)) {
        *why = "a port is a number from 1 to 65535";
        return false;
    }
    if (!parse_host(out, bracketed, why))
        return false;
    int made =
        snprintf(out->authority, sizeof(out->authority), bracketed ? "[%s]" : "%s", out->host);
    if (out->port != HTTPS_PORT)
        snprintf(out->authority + made, sizeof(out->authority) - (size_t)made, ":%u", out->port);
    return true;
}

bool client_listen_parse(struct client_listen *out, const char *text)
{
    char host[CLIENT_URL_HOST_SIZE];
    const char *port;
    bool bracketed;
    memset(out, 0, sizeof(*out));
    addr_parse(&out->address, "127.0.0.1");
    if (parse_port(text, 0, &out->port))
        return true;
    if (!split(text, host, sizeof(host), &port, &bracketed) || !parse_port(port, 0, &out->port))
        return false;
    if (strcasecmp(host, "localhost") == 0)
        return !bracketed;
    return addr_parse(&out->address, host) && bracketed == (strchr(host, ':') != NULL);
}

bool client_listen_is_loopback(const struct client_listen *listen)
{
    struct addr_net v4, v6;
    return (addr_net_parse(&v4, "127.0.0.0/8") && addr_in(&listen->address, &v4)) ||
           (addr_net_parse(&v6, "::1") && addr_in(&listen->address, &v6));
}

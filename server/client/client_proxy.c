/* libcurl judges by the same rules. But it would do so after the proxy's scheme, and a proxy that
 * we cannot use shall be nobody's concern where none is wanted. */
#include "client_proxy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SEPARATORS ", \t"

static const char *environment(const char *lower, const char *upper)
{
    const char *value = getenv(lower);
    if (!value || !*value)
        value = getenv(upper);
    return value && *value ? value : NULL;
}

static size_t without_dot(const char *name, size_t size)
{
    return size && name[size - 1] == '.' ? size - 1 : size;
}

/* The host is the name, or one below it. */
static bool covers_name(const char *name, size_t size, const char *host)
{
    size_t length = without_dot(host, strlen(host));
    if (*name == '.') {
        name++;
        size--;
    }
    size = without_dot(name, size);
    if (!size || size > length || strncasecmp(host + length - size, name, size) != 0)
        return false;
    return size == length || host[length - size - 1] == '.';
}

static bool covers_address(const char *net, size_t size, const char *host)
{
    char text[ADDR_NET_TEXT_SIZE];
    struct addr_net parsed;
    struct addr address;
    if (size >= sizeof(text))
        return false;
    memcpy(text, net, size);
    text[size] = '\0';
    return addr_net_parse(&parsed, text) && addr_parse(&address, host) &&
           addr_in(&address, &parsed);
}

bool client_proxy_spares(const char *list, const struct client_url *gateway)
{
    if (strcmp(list, "*") == 0)
        return true;
    for (;;) {
        list += strspn(list, SEPARATORS);
        size_t size = strcspn(list, SEPARATORS);
        if (!size)
            return false;
        if (gateway->numeric ? covers_address(list, size, gateway->host)
                             : covers_name(list, size, gateway->host))
            return true;
        list += size;
    }
}

const char *client_proxy_for(const struct client_url *gateway)
{
    const char *none = environment("no_proxy", "NO_PROXY");
    const char *proxy = environment("https_proxy", "HTTPS_PROXY");
    if (!proxy)
        proxy = environment("all_proxy", "ALL_PROXY");
    return none && client_proxy_spares(none, gateway) ? NULL : proxy;
}

bool client_proxy_usable(const char *proxy)
{
    static const char *const schemes[] = {"http://", "socks4://", "socks4a://", "socks5://",
                                          "socks5h://"};
    if (!strstr(proxy, "://"))
        return true;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        if (strncasecmp(proxy, schemes[i], strlen(schemes[i])) == 0)
            return true;
    }
    return false;
}

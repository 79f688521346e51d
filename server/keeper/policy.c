#include "policy.h"

static bool in(const struct addr *address, const char *net)
{
    struct addr_net parsed;
    return addr_net_parse(&parsed, net) && addr_in(address, &parsed);
}

static bool in_any(const struct addr *address, const struct addr_net *nets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (addr_in(address, &nets[i]))
            return true;
    }
    return false;
}

bool policy_may_dial(const struct conf *conf, const struct addr *address)
{
    /* IANA's registries of special-purpose addresses (RFC 6890): what is no host's address. */
    static const char *const never[] = {"0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128",
                                        "ff00::/8"};
    if (in_any(address, conf->dial_deny, conf->dial_deny_count))
        return false;
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
        if (in(address, never[i]))
            return false;
    }
    if (in(address, "127.0.0.0/8") || in(address, "::1/128"))
        return conf->dial_loopback;
    if (in(address, "169.254.0.0/16") || in(address, "fe80::/10"))
        return conf->dial_link_local;
    return in_any(address, conf->dial_allow, conf->dial_allow_count);
}

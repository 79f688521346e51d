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

bool policy_may_dial(const struct conf *conf, const struct addr *address, bool own)
{
    /* IANA's registries of special-purpose addresses (RFC 6890): what is no host's address. */
    static const char *const never[] = {"0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128",
                                        "ff00::/8"};
    /* Where clouds keep what a machine may know of itself, credentials among it: Amazon's, Google's
     * and most others' by IPv4, Amazon's and Google's by IPv6, Alibaba's, Azure's, Oracle's. */
    static const char *const metadata[] = {"169.254.169.254", "fd00:ec2::254", "fd20:ce::254",
                                           "100.100.100.200", "168.63.129.16", "192.0.0.192"};
    if (in_any(address, conf->dial_deny, conf->dial_deny_count))
        return false;
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
        if (in(address, never[i]))
            return false;
    }
    if (!in_any(address, conf->dial_allow, conf->dial_allow_count))
        return false;
    if (in(address, "127.0.0.0/8") || in(address, "::1/128"))
        return conf->dial_loopback;
    for (size_t i = 0; i < sizeof(metadata) / sizeof(*metadata); i++) {
        if (in(address, metadata[i]))
            return conf->dial_metadata;
    }
    if (in(address, "169.254.0.0/16") || in(address, "fe80::/10"))
        return conf->dial_link_local;
    return !own || conf->dial_own;
}

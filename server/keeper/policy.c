#include "policy.h"

#include "conf_word.h"

static bool in(const struct addr *address, const char *net)
{
    struct addr_net parsed;
    return addr_net_parse(&parsed, net) && addr_in(address, &parsed);
}

bool policy_may_dial(const struct conf *conf, const struct addr *address, bool own)
{
    /* IANA's registries of special-purpose addresses (RFC 6890): what is no host's address. */
    static const char *const never[] = {"0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128",
                                        "ff00::/8"};
    if (addr_in_any(address, conf->dial_deny, conf->dial_deny_count))
        return false;
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
        if (in(address, never[i]))
            return false;
    }
    if (!addr_in_any(address, conf->dial_allow, conf->dial_allow_count))
        return false;
    if (conf_word_holds("loopback", address))
        return conf->dial_loopback;
    if (conf_word_holds("metadata", address))
        return conf->dial_metadata;
    if (conf_word_holds("link-local", address))
        return conf->dial_link_local;
    return !own || conf->dial_own;
}

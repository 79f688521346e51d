#include "conf_word.h"

#include <string.h>

static const struct {
    const char *word, *net;
} words[] = {
    {"private", "10.0.0.0/8"}, /* RFC 1918 section 3 */
    {"private", "172.16.0.0/12"},
    {"private", "192.168.0.0/16"},
    {"private", "fc00::/7"}, /* RFC 4193 section 3.1 */
    {"loopback", "127.0.0.0/8"},
    {"loopback", "::1/128"},
    {"link-local", "169.254.0.0/16"}, /* RFC 3927 section 2.1 */
    {"link-local", "fe80::/10"},      /* RFC 4291 section 2.5.6 */
    /* Where clouds keep what a machine may know of itself, credentials among it: Amazon's, Google's
     * and most others' by IPv4, Amazon's and Google's by IPv6, Alibaba's, Azure's, Oracle's. */
    {"metadata", "169.254.169.254"},
    {"metadata", "fd00:ec2::254"},
    {"metadata", "fd20:ce::254"},
    {"metadata", "100.100.100.200"},
    {"metadata", "168.63.129.16"},
    {"metadata", "192.0.0.192"},
    {"any", "::/0"}, /* over the mapped form, so IPv4 as well */
};

const char *conf_word_net(const char *word, size_t *at)
{
    while (*at < sizeof(words) / sizeof(words[0])) {
        size_t here = (*at)++;
        if (strcmp(words[here].word, word) == 0)
            return words[here].net;
    }
    return NULL;
}

bool conf_word_covers(const char *word, const struct addr_net *net)
{
    struct addr_net known;
    const char *text;
    for (size_t at = 0; (text = conf_word_net(word, &at)) != NULL;) {
        if (addr_net_parse(&known, text) && net->bits >= known.bits && addr_in(&net->base, &known))
            return true;
    }
    return false;
}

bool conf_word_holds(const char *word, const struct addr *address)
{
    return conf_word_covers(word, &(struct addr_net){*address, 8 * sizeof(address->bytes)});
}

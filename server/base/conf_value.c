#include "conf_value.h"

#include "conf_word.h"
#include "text.h"
#include "zone.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SYSLOG_TLS_PORT 6514 /* RFC 5425 section 4.1 */

static bool fault(struct conf_reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fault(struct conf_reading *reading, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reading->why, sizeof(reading->why), format, arguments);
    va_end(arguments);
    return false;
}

bool conf_take_number(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    uint64_t number;
    if (!text_number(value, key->most, &number) || number < key->least)
        return fault(reading, "'%s' is not a whole number from %u to %u", value, key->least,
                     key->most);
    uint32_t narrow = (uint32_t)number;
    memcpy((char *)reading->conf + key->offset, &narrow, sizeof(narrow));
    return true;
}

/* "192.0.2.1:443" or "[2001:db8::1]:443"; port 0 lets the system choose one. */
bool conf_parse_listen(struct conf_listen *to, const char *text)
{
    char address[ADDR_TEXT_SIZE + 2];
    const char *colon = strrchr(text, ':');
    uint64_t port;

    if (!colon || !text_number(colon + 1, UINT16_MAX, &port))
        return false;
    size_t length = (size_t)(colon - text);
    bool brackets = length >= 2 && text[0] == '[' && colon[-1] == ']';
    if (brackets) {
        text++;
        length -= 2;
    }
    if (length >= sizeof(address))
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    to->port = (uint16_t)port;
    return brackets == (strchr(address, ':') != NULL) && addr_parse(&to->address, address);
}

static bool listener(struct conf_reading *reading, const char *value, struct conf_listen wanted)
{
    struct conf *conf = reading->conf;
    int example = wanted.tls ? 443 : wanted.metrics ? 9090 : 80;

    if (!conf_parse_listen(&wanted, value))
        return fault(reading,
                     "'%s' is not an address and port, such as 192.0.2.1:%d or [2001:db8::1]:%d",
                     value, example, example);
    if (conf->listen_count == CONF_LISTEN_MAX)
        return fault(reading, "more than %d addresses", CONF_LISTEN_MAX);
    for (size_t i = 0; i < conf->listen_count; i++) {
        if (wanted.port && conf->listen[i].port == wanted.port &&
            addr_equal(&conf->listen[i].address, &wanted.address))
            return fault(reading, "'%s' is there twice", value);
    }
    conf->listen[conf->listen_count++] = wanted;
    return true;
}

bool conf_take_listen(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    (void)key;
    return listener(reading, value, (struct conf_listen){.tls = true});
}

bool conf_take_http_listen(struct conf_reading *reading, const struct conf_key *key,
                           const char *value)
{
    (void)key;
    return listener(reading, value, (struct conf_listen){.tls = false});
}

bool conf_take_metrics_listen(struct conf_reading *reading, const struct conf_key *key,
                              const char *value)
{
    (void)key;
    return listener(reading, value, (struct conf_listen){.metrics = true});
}

/* RFC 1123 section 2.1: letters, digits and hyphens in labels of at most 63 bytes. */
static bool host_name(const char *text)
{
    size_t label = 0;
    for (const char *c = text; *c; c++) {
        if (*c == '.') {
            if (label == 0 || c[-1] == '-')
                return false;
            label = 0;
        } else if ((!isalnum((unsigned char)*c) && !(*c == '-' && label > 0)) || ++label > 63) {
            return false;
        }
    }
    return label > 0 && text[strlen(text) - 1] != '-';
}

bool conf_name(char *to, size_t size, const char *text)
{
    size_t length = strlen(text);
    char bare[256];
    struct addr address;

    if (length == 0 || length + 3 > sizeof(bare) || length + 3 > size)
        return false;
    bool brackets = text[0] == '[' && text[length - 1] == ']';
    snprintf(bare, sizeof(bare), "%.*s", (int)(brackets ? length - 2 : length), text + brackets);
    if (strchr(bare, ':') && addr_parse(&address, bare)) {
        char plain[ADDR_TEXT_SIZE];
        addr_text(&address, plain);
        snprintf(to, size, "[%s]", plain);
        return !addr_is_v4(&address);
    }
    if (brackets || !host_name(bare))
        return false;
    for (size_t i = 0; i <= length; i++)
        to[i] = (char)tolower((unsigned char)text[i]);
    return true;
}

bool conf_take_name(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    (void)key;
    if (*value && !conf_name(reading->conf->name, sizeof(reading->conf->name), value))
        return fault(reading,
                     "'%s' is not a host name or address; give it alone, without https:// and port",
                     value);
    return true;
}

bool conf_take_port(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    (void)key;
    uint64_t port;
    if (!text_number(value, UINT16_MAX, &port) || port == 0)
        return fault(reading, "'%s' is not a port from 1 to 65535", value);
    reading->conf->public_port = (uint16_t)port;
    reading->conf->public_port_given = true;
    return true;
}

bool conf_take_user(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    (void)key;
    if (strpbrk(value, " \t:/,") || value[0] == '-' ||
        !text_copy(reading->conf->user, sizeof(reading->conf->user), value))
        return fault(reading, "'%s' is not the name of a system user", value);
    return true;
}

/* Relative to the state folder. */
static bool path(struct conf_reading *reading, char *to, const char *value)
{
    const char *state = value[0] == '/' ? "" : reading->conf->state;
    int length = snprintf(to, CONF_PATH_SIZE, "%s%s%s", state, *state ? "/" : "", value);
    return (length > 0 && length < CONF_PATH_SIZE) || fault(reading, "the path is too long");
}

bool conf_take_path(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    char *to = (char *)reading->conf + key->offset;
    *to = '\0';
    return !*value || path(reading, to, value);
}

bool conf_take_flag(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    bool yes = strcmp(value, "yes") == 0;
    if (!yes && strcmp(value, "no") != 0)
        return fault(reading, "'%s' is neither yes nor no", value);
    *(bool *)((char *)reading->conf + key->offset) = yes;
    return true;
}

bool conf_take_text(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    char *to = (char *)reading->conf + key->offset;
    for (const char *c = value; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return fault(reading, "the text has a control character");
    }
    size_t used = reading->continued ? strlen(to) : 0;
    if (used && used < TEXT_WORDS_SIZE - 1)
        to[used++] = ' ';
    return text_copy(to + used, TEXT_WORDS_SIZE - used, value) ||
           fault(reading, "the text is longer than %d bytes", TEXT_WORDS_SIZE - 1);
}

bool conf_take_profile(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    (void)key;
    bool classic = strcmp(value, "classic") == 0;
    if (!classic && strcmp(value, "modern") != 0)
        return fault(reading, "'%s' is neither modern nor classic", value);
    reading->conf->password_profile = classic ? CONF_PASSWORD_CLASSIC : CONF_PASSWORD_MODERN;
    return true;
}

bool conf_take_zone(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    (void)key;
    if (*value && !zone_known(value))
        return fault(reading,
                     "'%s' is no time zone that this machine knows; give one such as Europe/Berlin "
                     "(the package tzdata has them)",
                     value);
    return text_copy(reading->conf->time_zone, sizeof(reading->conf->time_zone), value);
}

bool conf_take_cage(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    (void)key;
    bool require = strcmp(value, "require") == 0;
    if (!require && strcmp(value, "prefer") != 0)
        return fault(reading, "'%s' is neither prefer nor require", value);
    reading->conf->cage = require ? CONF_CAGE_REQUIRE : CONF_CAGE_PREFER;
    return true;
}

bool conf_take_certificate(struct conf_reading *reading, const struct conf_key *key,
                           const char *value)
{
    (void)key;
    if (reading->certificates == CONF_PAIRS_MAX)
        return fault(reading, "more than %d certificates", CONF_PAIRS_MAX);
    return path(reading, reading->conf->pairs[reading->certificates++].certificate, value);
}

bool conf_take_tls_key(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    (void)key;
    if (reading->keys == CONF_PAIRS_MAX)
        return fault(reading, "more than %d keys", CONF_PAIRS_MAX);
    return path(reading, reading->conf->pairs[reading->keys++].key, value);
}

static bool append(struct conf_reading *reading, struct addr_net *to, size_t *count,
                   const char *text, const char *value)
{
    if (*count == CONF_NETS_MAX)
        return fault(reading, "more than %d networks", CONF_NETS_MAX);
    if (!addr_net_parse(&to[*count], text))
        return fault(reading,
                     "'%s' is neither a network, such as 10.0.0.0/8 or fd00::/8, nor an address, "
                     "nor one of the words private, loopback, link-local, metadata%s any",
                     value, to == reading->conf->dial_allow ? ", own and" : " and");
    ++*count;
    return true;
}

static bool networks(struct conf_reading *reading, struct addr_net *to, size_t *count,
                     const char *value)
{
    const char *net;
    bool word = false;
    for (size_t at = 0; (net = conf_word_net(value, &at)) != NULL; word = true) {
        if (!append(reading, to, count, net, value))
            return false;
    }
    return word || append(reading, to, count, value, value);
}

bool conf_take_allow(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    (void)key;
    struct conf *conf = reading->conf;
    size_t before = conf->dial_allow_count;
    if (strcmp(value, "own") == 0) {
        conf->dial_own = true;
        return true;
    }
    if (!networks(reading, conf->dial_allow, &conf->dial_allow_count, value))
        return false;
    /* "any" does not name them: they are refused unless somebody meant exactly them. */
    for (size_t i = before; i < conf->dial_allow_count; i++) {
        conf->dial_loopback |= conf_word_covers("loopback", &conf->dial_allow[i]);
        conf->dial_metadata |= conf_word_covers("metadata", &conf->dial_allow[i]);
        conf->dial_link_local |= conf_word_covers("link-local", &conf->dial_allow[i]);
    }
    return true;
}

bool conf_take_deny(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    (void)key;
    return networks(reading, reading->conf->dial_deny, &reading->conf->dial_deny_count, value);
}

bool conf_take_proxy(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    struct conf_nets *nets = (void *)((char *)reading->conf + key->offset);
    struct addr_net net;
    if (nets->count == CONF_NETS_MAX)
        return fault(reading, "more than %d networks", CONF_NETS_MAX);
    if (!addr_net_parse(&net, value))
        return fault(reading,
                     "'%s' is neither an address, such as 192.0.2.10, nor a network, such as "
                     "10.1.2.0/24 or fd00:1::/64",
                     value);
    if (net.bits == 0 || (net.bits == 96 && addr_is_v4(&net.base)))
        return fault(reading,
                     "'%s' is everybody, who could then claim any address; name the machines that "
                     "stand in front of the gateway",
                     value);
    nets->nets[nets->count++] = net;
    return true;
}

bool conf_take_proxy_header(struct conf_reading *reading, const struct conf_key *key,
                            const char *value)
{
    (void)key;
    bool standard = strcasecmp(value, "Forwarded") == 0;
    if (!standard && strcasecmp(value, "X-Forwarded-For") != 0)
        return fault(reading, "'%s' is neither X-Forwarded-For nor Forwarded", value);
    reading->conf->proxy_header = standard ? CONF_PROXY_FORWARDED : CONF_PROXY_X_FORWARDED_FOR;
    return true;
}

/* "192.168.1.255", or with a port. */
bool conf_take_wake_broadcast(struct conf_reading *reading, const struct conf_key *key,
                              const char *value)
{
    (void)key;
    struct conf *conf = reading->conf;
    struct conf_listen at = {0};
    if ((!addr_parse(&at.address, value) && !conf_parse_listen(&at, value)) ||
        !addr_is_v4(&at.address))
        return fault(reading,
                     "'%s' is not an IPv4 address, such as 192.168.1.255, with or without a port",
                     value);
    if (conf->wake_broadcast_count == CONF_WAKE_MAX)
        return fault(reading, "more than %d addresses", CONF_WAKE_MAX);
    conf->wake_broadcast[conf->wake_broadcast_count++] = at;
    return true;
}

bool conf_take_rule(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    (void)key;
    int rule = alert_rule_find(value);
    if (strcmp(value, "all") == 0) {
        reading->alert_rules = (1U << ALERT_RULES) - 1;
        return true;
    }
    if (rule < 0)
        return fault(reading, "'%s' is no rule; 'deskgate alert rules' lists them", value);
    reading->alert_rules |= 1U << rule;
    return true;
}

bool conf_take_webhook(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    if (strncmp(value, "https://", 8) != 0 && strstr(value, "://"))
        return fault(reading, "'%s' does not begin with https://", value);
    if (strncmp(value, "https://", 8) != 0)
        return conf_take_path(reading, key, value);
    return text_copy((char *)reading->conf + key->offset, CONF_PATH_SIZE, value) ||
           fault(reading, "the address is too long");
}

/* "host", "host:port", "[2001:db8::1]:port". */
static bool take_receiver(struct conf_reading *reading, const char *value)
{
    struct conf *conf = reading->conf;
    char host[sizeof(conf->audit_syslog_host)];
    const char *behind = strrchr(value, ':');
    uint64_t port = SYSLOG_TLS_PORT;
    if (behind && strchr(behind, ']'))
        behind = NULL; /* within an address */
    size_t length = behind ? (size_t)(behind - value) : strlen(value);
    if (length >= sizeof(host))
        return fault(reading, "the address is too long");
    snprintf(host, sizeof(host), "%.*s", (int)length, value);
    if (!conf_name(conf->audit_syslog_host, sizeof(conf->audit_syslog_host), host))
        return fault(reading, "'%s' is not a host name or address", host);
    if (behind && (!text_number(behind + 1, UINT16_MAX, &port) || port == 0))
        return fault(reading, "'%s' is not a port", behind + 1);
    conf->audit_syslog_port = (uint16_t)port;
    conf->audit_syslog = CONF_SYSLOG_TLS;
    return true;
}

bool conf_take_syslog(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    struct conf *conf = reading->conf;
    (void)key;
    if (strncmp(value, "tls://", 6) == 0)
        return take_receiver(reading, value + 6);
    conf->audit_syslog = *value ? CONF_SYSLOG_LOCAL : CONF_SYSLOG_NONE;
    if (*value == '\0')
        return true;
    if (strcmp(value, "local") == 0)
        return text_copy(conf->audit_syslog_path, sizeof(conf->audit_syslog_path), "/dev/log");
    if (strncmp(value, "local:/", 7) != 0)
        return fault(reading, "'%s' is none of local, local:/PATH and tls://HOST:PORT", value);
    return text_copy(conf->audit_syslog_path, sizeof(conf->audit_syslog_path), value + 6) ||
           fault(reading, "the path of a socket has at most 107 bytes");
}

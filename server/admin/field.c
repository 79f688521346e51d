#include "field.h"

#include "addr.h"
#include "text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FIELD_LABEL_MAX 63 /* RFC 1035 section 2.3.4 */

/* IANA's service name registry and common practice. 3389 and its neighbours are missing on purpose:
 * they are usual for RDP. */
static const struct {
    uint16_t first, last;
    const char *note;
} field_ports[] = {
    {20, 21, "the port of FTP"},
    {22, 22, "the port of SSH"},
    {23, 23, "the port of Telnet"},
    {25, 25, "the port of mail (SMTP)"},
    {53, 53, "the port of DNS"},
    {80, 80, "the port of HTTP"},
    {88, 88, "the port of Kerberos"},
    {110, 110, "the port of mail (POP3)"},
    {135, 135, "the port of Windows RPC (endpoint mapper)"},
    {137, 139, "a port of NetBIOS"},
    {143, 143, "the port of mail (IMAP)"},
    {389, 389, "the port of LDAP"},
    {443, 443, "the port of HTTPS, and of a gateway such as this one"},
    {445, 445, "the port of SMB (file sharing)"},
    {465, 465, "the port of mail (SMTP)"},
    {514, 514, "the port of syslog"},
    {587, 587, "the port of mail (submission)"},
    {593, 593, "the port of Windows RPC over HTTP"},
    {636, 636, "the port of LDAP over TLS"},
    {993, 993, "the port of mail (IMAP)"},
    {995, 995, "the port of mail (POP3)"},
    {1433, 1434, "a port of SQL Server"},
    {1521, 1521, "the port of Oracle's database"},
    {2049, 2049, "the port of NFS"},
    {3306, 3306, "the port of MySQL"},
    {5432, 5432, "the port of PostgreSQL"},
    {5900, 5909, "a port of VNC"},
    {5985, 5986, "a port of Windows Remote Management"},
    {6379, 6379, "the port of Redis"},
    {8080, 8080, "a port of HTTP proxies"},
    {8443, 8443, "a port of HTTPS"},
    {49152, 65535, "within 49152-65535, which Windows RPC and outgoing connections take from"},
};

const char *field_port_note(uint16_t port)
{
    for (size_t i = 0; i < sizeof(field_ports) / sizeof(field_ports[0]); i++) {
        if (port >= field_ports[i].first && port <= field_ports[i].last)
            return field_ports[i].note;
    }
    return NULL;
}

/* A label of letters, digits, '-' and '_' that neither begins nor ends with '-'. */
static bool field_label(const char *label, size_t length)
{
    if (length < 1 || length > FIELD_LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isascii((unsigned char)label[i]) ||
            (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_'))
            return false;
    }
    return true;
}

/* A last label that is a number makes getaddrinfo() read an address in some old form. */
static bool field_numeric(const char *label, size_t length)
{
    bool hex = length >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X');
    const char *set = hex ? "0123456789abcdefABCDEF" : "0123456789";
    size_t skip = hex ? 2 : 0;

    return strspn(label + skip, set) >= length - skip;
}

static const char *field_name(const char *text)
{
    const char *label = text;

    for (;;) {
        size_t length = strcspn(label, ".");
        const char *rest = label + length;
        bool last = rest[0] == '\0' || rest[1] == '\0'; /* one dot may end the name */
        if (!field_label(label, length))
            return "is neither a host name nor an IPv4 or IPv6 address";
        if (last && field_numeric(label, length))
            return "looks like an IPv4 address but is none; write four decimal numbers, "
                   "such as 192.0.2.10";
        if (last)
            return NULL;
        label = rest + 1;
    }
}

/* The address within brackets, or the text as it is. */
static bool field_unbracket(const char *text, char *to, size_t size)
{
    size_t length = strlen(text);
    bool brackets = length >= 2 && text[0] == '[' && text[length - 1] == ']';

    if (!brackets)
        return text_copy(to, size, text);
    int written = snprintf(to, size, "%.*s", (int)length - 2, text + 1);
    return written > 0 && (size_t)written < size && strchr(to, ':') != NULL;
}

const char *field_host(const char *text, char *to, size_t size)
{
    struct addr address;

    if (text[0] == '\0')
        return "is empty";
    if (strlen(text) > 255)
        return "is longer than a host name can be";
    if (!field_unbracket(text, to, size))
        return "has brackets around something that is no IPv6 address";
    if (addr_parse(&address, to))
        return NULL;
    if (strchr(to, '%') != NULL)
        return "has a zone behind '%'; link-local addresses are not supported, use another address";
    const char *colon = strchr(to, ':');
    if (colon != NULL && (strchr(colon + 1, ':') == NULL || text[0] == '['))
        return "is no address; a port is given with --port";
    if (colon != NULL)
        return "is no IPv6 address";
    return field_name(to);
}

const char *field_port(const char *text, uint16_t *port)
{
    uint64_t number = 0;

    if (!text_number(text, UINT16_MAX, &number) || number == 0)
        return "is no port; give a number from 1 to 65535";
    *port = (uint16_t)number;
    return NULL;
}

const char *field_mac(const char *text, char to[FIELD_MAC_SIZE])
{
    static const char fault[] = "is no MAC address; write it as aa:bb:cc:dd:ee:ff";
    size_t length = strlen(text);
    char parting = length == 17 ? text[2] : '\0';
    unsigned bytes[6] = {0};

    if (length == 0 || strcmp(text, "none") == 0) {
        to[0] = '\0';
        return NULL;
    }
    if (!(length == 12 || (length == 17 && (parting == ':' || parting == '-'))))
        return fault;
    size_t step = length == 12 ? 2 : 3;
    for (size_t i = 0; i < 6; i++) {
        const char *at = text + i * step;
        if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]) ||
            (step == 3 && i < 5 && at[2] != parting) || sscanf(at, "%2x", &bytes[i]) != 1)
            return fault;
    }
    if ((bytes[0] & 1) != 0)
        return "is a group address; give the one of the desktop's network card";
    snprintf(to, FIELD_MAC_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0] & 0xff, bytes[1] & 0xff,
             bytes[2] & 0xff, bytes[3] & 0xff, bytes[4] & 0xff, bytes[5] & 0xff);
    if (strcmp(to, "00:00:00:00:00:00") == 0)
        return "is no card's address";
    return NULL;
}

const char *field_description(const char *text, char *to, size_t size)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((uint8_t)*at < 0x20 || *at == 0x7f)
            return "has control characters in it";
    }
    if (!text_is_utf8((const uint8_t *)text, strlen(text)))
        return "is not UTF-8 text";
    if (!text_copy(to, size, text))
        return "is longer than 200 bytes";
    return NULL;
}

const char *field_fingerprint(const char *typed, uint8_t to[32])
{
    size_t digits = 0;

    memset(to, 0, 32);
    for (; *typed; typed++) {
        const char *const all = "0123456789abcdef";
        if (*typed == ':' || *typed == ' ')
            continue;
        const char *digit = strchr(all, tolower((unsigned char)*typed));
        if (digit == NULL || digits == 64)
            return "is not a SHA-256 fingerprint: 64 hexadecimal digits";
        to[digits / 2] = (uint8_t)(to[digits / 2] << 4 | (digit - all));
        digits++;
    }
    return digits == 64 ? NULL : "is not a SHA-256 fingerprint: 64 hexadecimal digits";
}

const char *field_yes(const char *typed, bool *to)
{
    *to = strcmp(typed, "yes") == 0;
    return *to || strcmp(typed, "no") == 0 ? NULL : "is neither yes nor no";
}

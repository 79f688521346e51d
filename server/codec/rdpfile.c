#include "rdpfile.h"

#include "tsgu.h"
#include "utf16.h"

#include <stdio.h>
#include <string.h>

#define HTTPS 443 /* the gateway's port, unless it is named */

/* [MS-RDPBCGR] has no word on these files; the numbers are the ones of Microsoft's "Supported RDP
 * properties with Remote Desktop Services" and of what mstsc writes. */
enum {
    USE_GATEWAY_ALWAYS = 1,    /* gatewayusagemethod */
    PROFILE_FROM_FILE = 1,     /* gatewayprofileusagemethod: else mstsc ignores the rest */
    CREDENTIALS_BY_COOKIE = 5, /* gatewaycredentialssource: the access token */
    ASK_FOR_DESKTOP_TOO = 0    /* promptcredentialonce: the gateway's are not the desktop's */
};

void rdpfile_begin(struct rdpfile *file, char *to, size_t room)
{
    *file = (struct rdpfile){.to = to, .room = room};
}

static void put(struct rdpfile *file, const char *text, size_t size)
{
    if (file->full || size > file->room - file->size) {
        file->full = true;
        return;
    }
    memcpy(file->to + file->size, text, size);
    file->size += size;
}

/* The bytes of a control character, or of a separator of lines or paragraphs, that `text` begins
 * with; 0 when it begins with anything else. C1 (U+0080 to U+009F) has U+0085, next line. */
static size_t breaker(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    if (at[0] < 0x20 || at[0] == 0x7f)
        return 1;
    if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
        return 2;
    if (at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9))
        return 3; /* U+2028, U+2029 */
    return 0;
}

static void put_value(struct rdpfile *file, const char *value)
{
    while (*value) {
        size_t skipped = breaker(value);
        if (!skipped)
            put(file, value, 1);
        value += skipped ? skipped : 1;
    }
    put(file, "\r\n", 2);
}

void rdpfile_text(struct rdpfile *file, const char *name, const char *value)
{
    put(file, name, strlen(name));
    put(file, ":s:", 3);
    put_value(file, value);
}

void rdpfile_number(struct rdpfile *file, const char *name, uint32_t value)
{
    char text[16];
    snprintf(text, sizeof(text), "%u", value);
    put(file, name, strlen(name));
    put(file, ":i:", 3);
    put_value(file, text);
}

size_t rdpfile_end(const struct rdpfile *file)
{
    return file->full ? 0 : file->size;
}

/* The client knows before it connects; the gateway says so again then. */
static void put_forbidden(struct rdpfile *file, unsigned forbidden)
{
    if (forbidden & TSGU_FORBID_DRIVES)
        rdpfile_text(file, "drivestoredirect", "");
    if (forbidden & TSGU_FORBID_PRINTERS)
        rdpfile_number(file, "redirectprinters", 0);
    if (forbidden & TSGU_FORBID_PORTS)
        rdpfile_number(file, "redirectcomports", 0);
    if (forbidden & TSGU_FORBID_CLIPBOARD)
        rdpfile_number(file, "redirectclipboard", 0);
    if (forbidden & TSGU_FORBID_PNP) {
        rdpfile_text(file, "devicestoredirect", "");
        rdpfile_text(file, "usbdevicestoredirect", "");
    }
}

/* Lines that end with a line feed, which becomes what the others end with. */
static void put_settings(struct rdpfile *file, const char *lines)
{
    while (lines && *lines) {
        size_t size = strcspn(lines, "\n");
        put(file, lines, size);
        put(file, "\r\n", 2);
        lines += size + (lines[size] == '\n');
    }
}

size_t rdpfile_write(const struct rdpfile_way *way, char to[RDPFILE_MOST])
{
    struct rdpfile file;
    char gateway[300], port[8] = "";
    if (way->port != HTTPS)
        snprintf(port, sizeof(port), ":%u", way->port);
    int size = snprintf(gateway, sizeof(gateway), "%s%s", way->gateway, port);
    if (size < 0 || (size_t)size >= sizeof(gateway))
        return 0;
    rdpfile_begin(&file, to, RDPFILE_MOST);
    rdpfile_text(&file, "full address", way->desktop);
    if (way->username)
        rdpfile_text(&file, "username", way->username);
    rdpfile_text(&file, "gatewayhostname", gateway);
    rdpfile_number(&file, "gatewayusagemethod", USE_GATEWAY_ALWAYS);
    rdpfile_number(&file, "gatewayprofileusagemethod", PROFILE_FROM_FILE);
    rdpfile_number(&file, "gatewaycredentialssource", CREDENTIALS_BY_COOKIE);
    rdpfile_text(&file, "gatewayaccesstoken", way->ticket);
    rdpfile_number(&file, "promptcredentialonce", ASK_FOR_DESKTOP_TOO);
    put_forbidden(&file, way->forbidden);
    put_settings(&file, way->settings);
    return rdpfile_end(&file);
}

size_t rdpfile_encode(const char *text, size_t size, uint8_t *to)
{
    bool ascii = true;
    for (size_t i = 0; i < size; i++)
        ascii = ascii && (unsigned char)text[i] < 0x80;
    if (ascii) {
        memcpy(to, text, size);
        return size;
    }
    to[0] = 0xff; /* U+FEFF */
    to[1] = 0xfe;
    return (size_t)(utf16_put(to + 2, to + RDPFILE_ENCODED_MOST(size), text) - to);
}

#include "rdpfile.h"

#include <stdio.h>
#include <string.h>

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

static void put_value(struct rdpfile *file, const char *value)
{
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        if (c >= 0x20 && c != 0x7f)
            put(file, value, 1);
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

size_t rdpfile_write(const struct rdpfile_way *way, char to[RDPFILE_MOST])
{
    struct rdpfile file;
    char gateway[300];
    if (way->port == 443)
        snprintf(gateway, sizeof(gateway), "%s", way->gateway);
    else
        snprintf(gateway, sizeof(gateway), "%s:%u", way->gateway, way->port);
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
    return rdpfile_end(&file);
}

/* What an administrator may add to a desktop's .rdp files. Names and types: Microsoft's "Supported
 * RDP properties". */
#include "rdpfile.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NUMBER_MOST UINT32_MAX
#define TEXT_MOST 512 /* bytes of a value */

static const struct {
    const char *name;
    char type;
} known[] = {
    /* screen */
    {"screen mode id", 'i'},
    {"use multimon", 'i'},
    {"selectedmonitors", 's'},
    {"singlemoninwindowedmode", 'i'},
    {"maximizetocurrentdisplays", 'i'},
    {"desktopwidth", 'i'},
    {"desktopheight", 'i'},
    {"desktop size id", 'i'},
    {"desktopscalefactor", 'i'},
    {"dynamic resolution", 'i'},
    {"smart sizing", 'i'},
    {"session bpp", 'i'},
    {"winposstr", 's'},
    {"displayconnectionbar", 'i'},
    {"pinconnectionbar", 'i'},
    /* sound, cameras, what is not --forbid's */
    {"audiomode", 'i'},
    {"audiocapturemode", 'i'},
    {"audioqualitymode", 'i'},
    {"videoplaybackmode", 'i'},
    {"camerastoredirect", 's'},
    {"encode redirected video capture", 'i'},
    {"redirected video capture encoding quality", 'i'},
    {"redirectsmartcards", 'i'},
    {"redirectwebauthn", 'i'},
    {"redirectlocation", 'i'},
    {"keyboardhook", 'i'},
    /* how it feels */
    {"connection type", 'i'},
    {"networkautodetect", 'i'},
    {"bandwidthautodetect", 'i'},
    {"compression", 'i'},
    {"autoreconnection enabled", 'i'},
    {"autoreconnect max retries", 'i'},
    {"bitmapcachepersistenable", 'i'},
    {"bitmapcachesize", 'i'},
    {"allow desktop composition", 'i'},
    {"allow font smoothing", 'i'},
    {"disable cursor setting", 'i'},
    {"disable full window drag", 'i'},
    {"disable menu anims", 'i'},
    {"disable themes", 'i'},
    {"disable wallpaper", 'i'},
    /* what begins there */
    {"administrative session", 'i'},
    {"alternate shell", 's'},
    {"shell working directory", 's'},
    {"loadbalanceinfo", 's'},
    {"remoteapplicationmode", 'i'},
    {"remoteapplicationname", 's'},
    {"remoteapplicationprogram", 's'},
    {"remoteapplicationcmdline", 's'},
    {"remoteapplicationexpandcmdline", 'i'},
    {"remoteapplicationexpandworkingdir", 'i'},
    {"remoteapplicationfile", 's'},
    {"remoteapplicationicon", 's'},
    {"disableremoteappcapscheck", 'i'},
};

static bool fail(char *why, size_t size, const char *words)
{
    snprintf(why, size, "%s", words);
    return false;
}

static int find(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (strlen(known[i].name) == length && strncasecmp(known[i].name, name, length) == 0)
            return (int)i;
    }
    return -1;
}

static bool number_ok(const char *value, char *why, size_t size)
{
    uint64_t number;
    return text_number(value, NUMBER_MOST, &number) ||
           fail(why, size, "its value must be a whole number");
}

/* The same that rdpfile_text() would leave out. */
static bool text_ok(const char *value, char *why, size_t size)
{
    char kept[TEXT_MOST + 16];
    struct rdpfile file;
    rdpfile_begin(&file, kept, sizeof(kept));
    rdpfile_text(&file, "", value);
    size_t whole = rdpfile_end(&file);
    if (!text_is_utf8((const uint8_t *)value, strlen(value)))
        return fail(why, size, "its value is no UTF-8");
    if (!whole || strlen(value) > TEXT_MOST)
        return fail(why, size, "its value is too long");
    return whole == strlen(value) + strlen(":s:\r\n") ||
           fail(why, size, "its value has a control character or a line break");
}

bool rdpfile_setting_ok(const char *line, char *why, size_t size)
{
    size_t length = strcspn(line, ":");
    const char *type = line + length;
    if (!length || type[0] != ':' || !type[1] || type[2] != ':')
        return fail(why, size, "it must have the form NAME:i:NUMBER or NAME:s:TEXT");
    int at = find(line, length);
    if (at < 0)
        return fail(why, size,
                    "the gateway writes this setting itself, --forbid decides it, or it "
                    "is not one of those that may be added (see deskgate(8))");
    if (type[1] != known[at].type)
        return fail(why, size,
                    known[at].type == 'i' ? "it must have the form NAME:i:NUMBER"
                                          : "it must have the form NAME:s:TEXT");
    return known[at].type == 'i' ? number_ok(type + 3, why, size) : text_ok(type + 3, why, size);
}

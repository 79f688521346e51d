#include "rdp_field.h"

#include "ipc.h"
#include "rdpfile.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *word;
    enum ipc_forbid bit;
} rdp_field_words[] = {
    {"drives", IPC_FORBID_DRIVES}, {"printers", IPC_FORBID_PRINTERS},
    {"ports", IPC_FORBID_PORTS},   {"clipboard", IPC_FORBID_CLIPBOARD},
    {"pnp", IPC_FORBID_PNP},
};
#define RDP_FIELD_WORDS (sizeof(rdp_field_words) / sizeof(rdp_field_words[0]))

static uint8_t rdp_field_bit(const char *word, size_t length)
{
    for (size_t i = 0; i < RDP_FIELD_WORDS; i++) {
        if (strlen(rdp_field_words[i].word) == length &&
            memcmp(rdp_field_words[i].word, word, length) == 0)
            return (uint8_t)rdp_field_words[i].bit;
    }
    return 0;
}

const char *rdp_field_forbid(const char *typed, uint8_t *to)
{
    static const char fault[] = "is no list of words among drives, printers, ports, clipboard and "
                                "pnp, parted by commas; and neither all nor none";
    bool all = strcmp(typed, "all") == 0;
    unsigned mask = 0;

    if (all || strcmp(typed, "none") == 0) {
        *to = all ? IPC_FORBID_ALL : 0;
        return NULL;
    }
    for (;;) {
        size_t length = strcspn(typed, ",");
        uint8_t bit = rdp_field_bit(typed, length);
        if (bit == 0)
            return fault;
        mask |= bit;
        if (typed[length] == '\0')
            break;
        typed += length + 1;
    }
    *to = (uint8_t)mask;
    return NULL;
}

void rdp_field_forbid_lines(uint8_t forbidden, char to[RDP_FIELD_FORBID_SIZE])
{
    char *at = to;

    for (size_t i = 0; i < RDP_FIELD_WORDS; i++) {
        if ((forbidden & rdp_field_words[i].bit) != 0) {
            at = stpcpy(at, rdp_field_words[i].word); /* all of them fit, by far */
            *at++ = '\n';
        }
    }
    *at = '\0';
}

/* Clients do not tell names apart by case. */
static bool rdp_field_same_name(const char *line, const char *typed)
{
    size_t length = strcspn(typed, ":");
    return strncasecmp(line, typed, length) == 0 && line[length] == ':';
}

bool rdp_field_setting(const char *typed, char settings[STORE_SETTINGS_SIZE], char *why,
                       size_t size)
{
    char kept[STORE_SETTINGS_SIZE], *at = kept;

    if (strcmp(typed, "none") == 0) {
        settings[0] = '\0';
        return true;
    }
    if (!rdpfile_setting_ok(typed, why, size))
        return false;
    for (const char *line = settings; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        length += line[length] == '\n';
        if (!rdp_field_same_name(line, typed))
            at = mempcpy(at, line, length);
        line += length;
    }
    *at = '\0';
    size_t room = (size_t)(kept + sizeof(kept) - at), length = strlen(typed);
    if (length + 2 > room) { /* the line feed, the NUL */
        snprintf(why, size, "with it, the settings of this desktop are longer than %d bytes",
                 STORE_SETTINGS_SIZE - 1);
        return false;
    }
    memcpy(at, typed, length);
    memcpy(at + length, "\n", 2);
    memcpy(settings, kept, (size_t)(at - kept) + length + 2);
    return true;
}

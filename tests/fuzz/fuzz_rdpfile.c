/* .rdp files that we write: out of what an administrator, a person and a name server have said. Six
 * texts, each ended by a NUL; whatever they are, no line is in the file that we did not mean, and
 * the signed form is no other. */
#include "fuzz_kit.h"
#include "rdpfile.h"
#include "rdpfile_sign.h"

#define SIGN_ROOM 8192

/* "name:s:…" or "name:i:digits", CRLF, nothing else that breaks a line; how many. */
static size_t count_lines(const char *text, size_t size)
{
    size_t lines = 0;
    while (size) {
        const char *end = memchr(text, '\r', size);
        fuzz_demand(end && end + 1 < text + size && end[1] == '\n');
        size_t length = (size_t)(end - text);
        const char *colon = memchr(text, ':', length);
        fuzz_demand(colon && colon > text && (size_t)(colon - text) + 2 < length);
        fuzz_demand((colon[1] == 's' || colon[1] == 'i') && colon[2] == ':');
        for (const char *c = text; c < end; c++)
            fuzz_demand((unsigned char)*c >= ' ' && *c != 0x7f);
        text = end + 2;
        size -= length + 2;
        lines++;
    }
    return lines;
}

static void check_signed(const char *file, size_t size)
{
    char *text = malloc(SIGN_ROOM);
    fuzz_demand(text != NULL);
    memcpy(text, file, size);
    size_t scoped = rdpfile_sign_scope(text, size, SIGN_ROOM);
    fuzz_demand(scoped > size && count_lines(text, scoped) == count_lines(file, size) + 2);
    uint8_t *message = malloc(RDPFILE_SIGNED_MOST(scoped));
    fuzz_demand(message != NULL);
    fuzz_demand(rdpfile_sign_message(text, scoped, message) > 0);
    size_t whole = rdpfile_sign_add(text, scoped, SIGN_ROOM, (const uint8_t *)file, 600);
    fuzz_demand(!whole || count_lines(text, whole) == count_lines(text, scoped) + 1);
    free(message);
    free(text);
}

/* One line of it, if it is good. */
static char *settings_of(const char *line)
{
    char why[256];
    if (!rdpfile_setting_ok(line, why, sizeof(why)))
        return NULL;
    char *settings = malloc(strlen(line) + 2);
    fuzz_demand(settings != NULL);
    memcpy(settings, line, strlen(line) + 1);
    strcat(settings, "\n");
    return settings;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *texts[5];
    char made[RDPFILE_MOST];
    if (size < 2)
        return 0;
    char *all = fuzz_text(data + 2, size - 2), *at = all, *end = all + size - 2;
    for (size_t i = 0; i < 5; i++) {
        texts[i] = at;
        at += strlen(at) + (at + strlen(at) < end);
    }
    char *settings = settings_of(texts[4]);
    struct rdpfile_way way = {.desktop = texts[0],
                              .gateway = texts[1],
                              .port = data[0] & 1 ? 443 : 8443,
                              .ticket = texts[2],
                              .username = data[0] & 2 ? texts[3] : NULL,
                              .forbidden = data[1],
                              .settings = settings};
    size_t whole = rdpfile_write(&way, made);
    if (whole) {
        fuzz_demand(whole <= sizeof(made));
        count_lines(made, whole);
        if (whole >= 600 || memchr(made, '\n', whole))
            check_signed(made, whole);
        char *text = fuzz_text((uint8_t *)made, whole);
        uint8_t *coded = malloc(RDPFILE_ENCODED_MOST(whole));
        fuzz_demand(coded && rdpfile_encode(text, whole, coded) <= RDPFILE_ENCODED_MOST(whole));
        free(coded);
        free(text);
    }
    free(settings);
    free(all);
    return 0;
}

/* The small readers that all others stand on: references in base64url (cookies, bearer headers,
 * tickets), numbers, names, UTF-8. What is read must be written back the same. */
#include "fuzz_kit.h"
#include "text.h"

#include <stdio.h>

#define REFERENCE 32

static void check_reference(const char *text, size_t size)
{
    uint8_t read[REFERENCE];
    char written[text_base64url_size(REFERENCE)];
    if (!text_base64url_decode(text, size, read, sizeof(read)))
        return;
    text_base64url(written, read, sizeof(read));
    fuzz_demand(strlen(written) == size && memcmp(written, text, size) == 0);
}

/* Whatever the bytes, what we write is read again, and no shorter or longer text is. */
static void check_written(const uint8_t *data, size_t size)
{
    uint8_t read[REFERENCE];
    char written[text_base64url_size(REFERENCE) + 1];
    if (size < REFERENCE)
        return;
    text_base64url(written, data, REFERENCE);
    size_t length = strlen(written);
    fuzz_demand(text_base64url_decode(written, length, read, sizeof(read)));
    fuzz_demand(memcmp(read, data, sizeof(read)) == 0);
    fuzz_demand(!text_base64url_decode(written, length - 1, read, sizeof(read)));
    memcpy(written + length, "A", 2);
    fuzz_demand(!text_base64url_decode(written, length + 1, read, sizeof(read)));
}

static void check_number(const char *text)
{
    char written[24];
    uint64_t number;
    const char *digits = text;
    if (!text_number(text, UINT32_MAX, &number))
        return;
    fuzz_demand(number <= UINT32_MAX);
    while (digits[0] == '0' && digits[1])
        digits++;
    snprintf(written, sizeof(written), "%llu", (unsigned long long)number);
    fuzz_demand(strcmp(written, digits) == 0);
}

static void check_name(const char *text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@+-";
    if (!text_is_name(text))
        return;
    fuzz_demand(strlen(text) < TEXT_NAME_SIZE && strspn(text, allowed) == strlen(text));
    fuzz_demand(!strchr("._@+-", text[0]));
}

/* Two good texts are good together, and a good one stays so wherever a character ends. */
static void check_utf8(const uint8_t *data, size_t size)
{
    if (!text_is_utf8(data, size))
        return;
    for (size_t cut = 0; cut < size; cut++) {
        bool begins = (data[cut] & 0xc0) != 0x80;
        fuzz_demand(text_is_utf8(data, cut) == begins);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    char *text = fuzz_text(data, size);
    char short_copy[16], *hex = malloc(2 * size + 1);
    check_reference((const char *)copy, size);
    check_written(copy, size);
    check_number(text);
    check_name(text);
    check_utf8(copy, size < 256 ? size : 256);
    fuzz_demand(text_copy(short_copy, sizeof(short_copy), text) ==
                (strlen(text) < sizeof(short_copy)));
    fuzz_demand(hex != NULL);
    text_hex(hex, copy, size);
    fuzz_demand(strlen(hex) == 2 * size);
    free(hex);
    free(text);
    free(copy);
    return 0;
}

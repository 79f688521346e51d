#include "json_body.h"

#include "text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Wrong whatever the right one is; and not empty, which is "none given". */
#define NO_CODE "?"

/* The next character of a code, in lower case; '\0' for one that is no letter or digit of ASCII.
 * Full width is what Japanese keyboards give (U+FF01 to U+FF5E are ASCII's, in its order). */
static char next_of_code(const char **text)
{
    unsigned char lead = (unsigned char)*(*text)++;
    unsigned value = lead;
    if (lead == 0xef) { /* jansson has seen to it that UTF-8 is whole */
        value = 0xf000U | (unsigned)(**text & 0x3f) << 6;
        value = (value | (unsigned)((*text)[1] & 0x3f)) - 0xfee0U;
        *text += 2;
    }
    if (value >= 'A' && value <= 'Z')
        value += 'a' - 'A';
    bool good = (value >= '0' && value <= '9') || (value >= 'a' && value <= 'z');
    return good ? (char)value : '\0';
}

/* What does not fit is a wrong code, as any other: nobody who mistypes one is told of JSON. */
static void take_code(const struct json_field *field, const char *text)
{
    size_t made = 0;
    while (*text) {
        char one = next_of_code(&text);
        if (one && made + 1 >= field->size) {
            text_copy(field->to, field->size, NO_CODE);
            return;
        }
        if (one)
            field->to[made++] = one;
    }
    field->to[made] = '\0';
}

static bool take(const json_t *object, const struct json_field *field)
{
    const json_t *value = json_object_get(object, field->key);
    const char *text = json_string_value(value); /* NULL: it is no text */
    if (!text || strlen(text) != json_string_length(value))
        return false;
    if (!field->code)
        return text_copy(field->to, field->size, text);
    take_code(field, text);
    return true;
}

bool json_body_read(const char *body, size_t size, const struct json_field *fields, size_t count)
{
    json_t *object = json_loadb(body, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    bool good = json_is_object(object) && json_object_size(object) == count;
    for (size_t i = 0; good && i < count; i++)
        good = take(object, &fields[i]);
    json_decref(object);
    return good;
}

void json_body_words(char to[JSON_BODY_WORDS_SIZE], const struct json_field *fields, size_t count)
{
    if (count == 0) {
        text_copy(to, JSON_BODY_WORDS_SIZE, "Send an empty JSON object: {}.");
        return;
    }
    size_t used = (size_t)snprintf(to, JSON_BODY_WORDS_SIZE, "Send a JSON object with exactly %s:",
                                   count == 1 ? "one text" : "these texts");
    for (size_t i = 0; i < count && used < JSON_BODY_WORDS_SIZE; i++)
        used += (size_t)snprintf(to + used, JSON_BODY_WORDS_SIZE - used, "%s %s", i ? "," : "",
                                 fields[i].key);
    if (used < JSON_BODY_WORDS_SIZE)
        snprintf(to + used, JSON_BODY_WORDS_SIZE - used, ".");
}

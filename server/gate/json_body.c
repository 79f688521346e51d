#include "json_body.h"

#include "text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static bool take_code(const struct json_field *field, const char *text)
{
    size_t made = 0;
    for (; *text; text++) {
        if (*text == ' ' || *text == '-')
            continue;
        if (made + 1 >= field->size)
            return false;
        field->to[made++] = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
    }
    field->to[made] = '\0';
    return true;
}

static bool take(const json_t *object, const struct json_field *field)
{
    const json_t *value = json_object_get(object, field->key);
    const char *text = json_string_value(value); /* NULL: it is no text */
    if (!text || strlen(text) != json_string_length(value))
        return false;
    return field->code ? take_code(field, text) : text_copy(field->to, field->size, text);
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

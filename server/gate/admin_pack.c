#include "admin_pack.h"

#include "text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "/api/admin/"
#define NAME_MOST 32 /* of an option */

static bool put(struct ipc_admin *record, const char *bytes, size_t size)
{
    if (size > sizeof(record->arguments) - record->size)
        return false;
    memcpy(record->arguments + record->size, bytes, size);
    record->size = (uint16_t)(record->size + size);
    return true;
}

bool admin_pack_path(struct ipc_admin *record, const char *path)
{
    if (strncmp(path, PREFIX, sizeof(PREFIX) - 1) != 0)
        return false;
    const char *verb = path + sizeof(PREFIX) - 1, *slash = strchr(verb, '/');
    size_t length = slash ? (size_t)(slash - verb) : strlen(verb);
    const char *sub = slash ? slash + 1 : "";
    return length > 0 && put(record, verb, length) && put(record, "", 1) &&
           put(record, sub, strlen(sub) + 1);
}

static bool is_option(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length > 0 && length <= NAME_MOST && name[length] == '\0' && name[0] != '-';
}

/* `size` bytes that may not hold a NUL. */
static bool put_word(struct ipc_admin *record, const char *text, size_t size)
{
    return !memchr(text, '\0', size) && put(record, "w", 1) && put(record, text, size) &&
           put(record, "", 1);
}

/* `value` NULL: a flag. */
static bool put_option(struct ipc_admin *record, const char *name, const char *value, size_t size)
{
    if (!is_option(name) || !put(record, "o", 1) || !put(record, name, strlen(name)))
        return false;
    if (value && (memchr(value, '\0', size) || !put(record, "=", 1) || !put(record, value, size)))
        return false;
    return put(record, "", 1);
}

/* ---- a query ---- */

/* RFC 3986 section 2.1. */
static bool decode(char *to, size_t room, const char *from, size_t *size)
{
    for (*size = 0; *from; from++) {
        int value = (unsigned char)*from;
        if (*from == '%') {
            int high = text_hex_digit(from[1]), low = high < 0 ? -1 : text_hex_digit(from[2]);
            if (low < 0)
                return false;
            value = high << 4 | low;
            from += 2;
        }
        if (*size + 1 >= room)
            return false;
        to[(*size)++] = (char)value;
    }
    to[*size] = '\0';
    return true;
}

bool admin_pack_pair(struct ipc_admin *record, const char *key, const char *value)
{
    char text[IPC_ARGUMENTS_SIZE];
    size_t size = 0;
    if (value && !decode(text, sizeof(text), value, &size))
        return false;
    if (strcmp(key, "word") == 0)
        return value && put_word(record, text, size);
    return put_option(record, key, value ? text : NULL, size);
}

/* ---- a body ---- */

static bool put_json_option(struct ipc_admin *record, const char *name, const json_t *value)
{
    char digits[24];
    if (json_is_string(value))
        return put_option(record, name, json_string_value(value), json_string_length(value));
    if (json_is_integer(value)) {
        int size = snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(value));
        return put_option(record, name, digits, (size_t)size);
    }
    if (json_is_true(value))
        return put_option(record, name, NULL, 0);
    return json_is_false(value) && is_option(name);
}

static bool put_options(struct ipc_admin *record, json_t *options)
{
    const char *name;
    json_t *value, *item;
    size_t i;
    json_object_foreach(options, name, value)
    {
        if (!json_is_array(value) && !put_json_option(record, name, value))
            return false;
        json_array_foreach(value, i, item)
        {
            if (!json_is_string(item) || !put_json_option(record, name, item))
                return false;
        }
    }
    return true;
}

static bool put_words(struct ipc_admin *record, const json_t *words)
{
    json_t *item;
    size_t i;
    json_array_foreach(words, i, item)
    {
        if (!json_is_string(item) ||
            !put_word(record, json_string_value(item), json_string_length(item)))
            return false;
    }
    return true;
}

bool admin_pack_body(struct ipc_admin *record, const char *body, size_t size)
{
    json_t *object = json_loadb(body, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    json_t *words = json_object_get(object, "words"), *options = json_object_get(object, "options");
    size_t known = (words ? 1U : 0U) + (options ? 1U : 0U);
    bool good = json_is_object(object) && json_object_size(object) == known &&
                (!words || json_is_array(words)) && (!options || json_is_object(options)) &&
                put_words(record, words) && put_options(record, options);
    json_decref(object);
    return good;
}

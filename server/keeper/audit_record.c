#include "audit_record.h"

#include "text.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *key;
    size_t offset, size;
} texts[] = {
#define TEXT(key, member)                                                                          \
    {                                                                                              \
        key, offsetof(struct store_audit, member), sizeof(((struct store_audit *)NULL)->member)    \
    }
    TEXT("event", event),     TEXT("outcome", outcome), TEXT("user", who),      TEXT("by", by),
    TEXT("desktop", desktop), TEXT("conn", conn),       TEXT("detail", detail),
#undef TEXT
};

static json_t *text_json(const char *text)
{
    char hex[2 * sizeof(((struct store_audit *)NULL)->detail) + 1];
    size_t size = strlen(text);

    if (text_is_utf8((const uint8_t *)text, size))
        return json_stringn(text, size);
    text_hex(hex, (const uint8_t *)text, size);
    return json_pack("{s:s}", "hex", hex);
}

const char *audit_record_time(int64_t at_ms, char to[AUDIT_RECORD_TIME])
{
    time_t at = (time_t)(at_ms / 1000);
    struct tm utc = {0};
    char date[24] = "";

    gmtime_r(&at, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(to, AUDIT_RECORD_TIME, "%s.%03uZ", date, (unsigned)(at_ms % 1000) % 1000U);
    return to;
}

json_t *audit_record(const struct store_audit *row)
{
    char at[AUDIT_RECORD_TIME], address[ADDR_TEXT_SIZE] = "", link[2 * sizeof(row->link) + 1];

    if (row->has_address)
        addr_text(&row->address, address);
    text_hex(link, row->link, sizeof(row->link));
    json_t *object = json_pack("{s:I,s:s,s:I}", "id", (json_int_t)row->id, "at",
                               audit_record_time(row->at_ms, at), "at_ms", (json_int_t)row->at_ms);
    int failed = object == NULL;
    for (size_t i = 0; !failed && i < sizeof(texts) / sizeof(texts[0]); i++)
        failed = json_object_set_new(object, texts[i].key,
                                     text_json((const char *)row + texts[i].offset));
    if (!failed)
        failed = json_object_set_new(object, "address",
                                     address[0] ? json_string(address) : json_null()) ||
                 json_object_set_new(object, "link", json_string(link));
    if (!failed)
        return object;
    json_decref(object);
    return NULL;
}

static bool read_text(const json_t *value, char *to, size_t size)
{
    const char *hex = json_string_value(json_object_get(value, "hex"));
    size_t length = 0;

    if (json_is_string(value))
        return json_string_length(value) == strlen(json_string_value(value)) &&
               text_copy(to, size, json_string_value(value));
    if (hex == NULL ||
        sodium_hex2bin((unsigned char *)to, size - 1, hex, strlen(hex), NULL, &length, NULL) != 0)
        return false;
    to[length] = '\0';
    return strlen(to) == length;
}

bool audit_record_read(const json_t *object, struct store_audit *row)
{
    const json_t *id = json_object_get(object, "id"), *at = json_object_get(object, "at_ms"),
                 *address = json_object_get(object, "address");
    const char *link = json_string_value(json_object_get(object, "link"));
    size_t size = 0;

    *row = (struct store_audit){.id = json_integer_value(id), .at_ms = json_integer_value(at)};
    if (!json_is_integer(id) || !json_is_integer(at) || link == NULL ||
        sodium_hex2bin(row->link, sizeof(row->link), link, strlen(link), NULL, &size, NULL) != 0 ||
        size != sizeof(row->link))
        return false;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!read_text(json_object_get(object, texts[i].key), (char *)row + texts[i].offset,
                       texts[i].size))
            return false;
    }
    row->has_address = json_is_string(address);
    return json_is_null(address) ||
           (row->has_address && addr_parse(&row->address, json_string_value(address)));
}

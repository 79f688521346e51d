/* A request's body: one JSON object of exactly the texts that a route asks for. Read from
 * strangers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_field {
    const char *key;
    char *to;
    size_t size; /* of `to`, the NUL included */
    bool code;
};

#define JSON_BODY_TEXT(key, array)                                                                 \
    {                                                                                              \
        (key), (array), sizeof(array), false                                                       \
    }
/* A code as people copy it, "123 456", "ABCD-efgh-…" or in full width, as the keeper compares it:
 * ASCII's letters and digits alone, in lower case. One that is too long becomes one that is wrong.
 */
#define JSON_BODY_CODE(key, array)                                                                 \
    {                                                                                              \
        (key), (array), sizeof(array), true                                                        \
    }

/* Fills every field. False when the body is anything else than an object with these members, each
 * once, each a text that fits and holds no NUL; what was filled in by then is the caller's to wipe.
 */
bool json_body_read(const char *body, size_t size, const struct json_field *fields, size_t count);

/* What to tell whoever sent something else; never what they sent. */
#define JSON_BODY_WORDS_SIZE 160
void json_body_words(char to[JSON_BODY_WORDS_SIZE], const struct json_field *fields, size_t count);

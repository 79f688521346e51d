#include "login_json.h"
#include "owner.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool take(json_t *object, const char *key, char *to, size_t size)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return false;
    size_t length = json_string_length(value);
    if (length >= size || memchr(json_string_value(value), '\0', length))
        return false;
    memcpy(to, json_string_value(value), length + 1);
    return true;
}

static void drop_spaces(char *text)
{
    char *to = text;
    for (; *text; text++) {
        if (*text != ' ')
            *to++ = *text;
    }
    *to = '\0';
}

bool login_json_read(const char *body, size_t size, struct ipc_sign_in *to, const char **why)
{
    json_t *object = json_loadb(body, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    bool good = json_is_object(object) && json_object_size(object) == 3 &&
                take(object, "username", to->username, sizeof(to->username)) &&
                take(object, "password", to->password, sizeof(to->password)) &&
                take(object, "code", to->code, sizeof(to->code));
    if (good)
        drop_spaces(to->code);
    else
        *why = "Send a JSON object with exactly three texts: username, password and code.";
    json_decref(object);
    return good;
}

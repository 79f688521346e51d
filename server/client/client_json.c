#include "client_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* ---- writing ---- */

/* A JSON string (RFC 8259 section 7) at `*at`, which moves on. */
static bool put_string(char **at, const char *end, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    char *to = *at;
    if (to == end)
        return false;
    *to++ = '"';
    for (; *text; text++) {
        if (end - to < 7)
            return false;
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20) {
            memcpy(to, "\\u00", 4);
            to[4] = digits[byte >> 4];
            to[5] = digits[byte & 15];
            to += 6;
            continue;
        }
        if (byte == '"' || byte == '\\')
            *to++ = '\\';
        *to++ = (char)byte;
    }
    if (to == end)
        return false;
    *to++ = '"';
    *at = to;
    return true;
}

static bool put(char **at, const char *end, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(end - *at) < size)
        return false;
    memcpy(*at, text, size);
    *at += size;
    return true;
}

bool client_json_login(char *to, size_t size, const char *user, const char *password,
                       const char *code)
{
    char *at = to;
    const char *end = to + size - 1;
    bool whole = put(&at, end, "{\"username\":") && put_string(&at, end, user) &&
                 put(&at, end, ",\"password\":") && put_string(&at, end, password) &&
                 put(&at, end, ",\"code\":") && put_string(&at, end, code) && put(&at, end, "}");
    *at = '\0';
    return whole;
}

bool client_json_code(char *to, size_t size, const char *code)
{
    char *at = to;
    const char *end = to + size - 1;
    bool whole = put(&at, end, "{\"code\":") && put_string(&at, end, code) && put(&at, end, "}");
    *at = '\0';
    return whole;
}

/* ---- reading ---- */

static json_t *load(const struct client_answer *answer)
{
    json_t *json = json_loadb(answer->body, answer->body_size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

static const char *member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool is_token(const char *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t size = strlen(text);
    return size >= 16 && size < CLIENT_JSON_TOKEN_SIZE && strspn(text, alphabet) == size;
}

bool client_json_token(const struct client_answer *answer, char token[CLIENT_JSON_TOKEN_SIZE],
                       int64_t *expires)
{
    json_t *json = load(answer);
    const char *text = member(json, "token");
    bool good = is_token(text);
    if (good)
        memcpy(token, text, strlen(text) + 1);
    struct tm utc = {0};
    const char *end = strptime(member(json, "expires"), "%Y-%m-%dT%H:%M:%SZ", &utc);
    *expires = end && !*end ? (int64_t)timegm(&utc) : 0;
    json_decref(json);
    return good;
}

static const struct refusal {
    const char *code; /* NULL: any with this status */
    unsigned status;
    enum client_fault fault;
    const char *words; /* when the gateway has none of its own */
} refusals[] = {
    {"sign_in_refused", 0, CLIENT_FAULT_DENIED, "the user name, password or code is not right"},
    {"too_many_attempts", 0, CLIENT_FAULT_THROTTLED, "too many failed attempts"},
    {"busy", 0, CLIENT_FAULT_BUSY, "the gateway is busy"},
    {"stopping", 0, CLIENT_FAULT_BUSY, "the gateway is stopping"},
    {"no_session", 0, CLIENT_FAULT_SESSION, "the session is over"},
    {"no_desktop", 0, CLIENT_FAULT_DESKTOP, "there is no such desktop for you"},
    {"not_now", 0, CLIENT_FAULT_DESKTOP, "this desktop is for other days or hours"},
    {"not_from_here", 0, CLIENT_FAULT_DESKTOP, "this desktop is not for where you are"},
    {"password_change_due", 0, CLIENT_FAULT_DENIED,
     "choose a new password first, on the gateway's page"},
    {"factor_stale", 0, CLIENT_FAULT_FACTOR, "this desktop wants a new code"},
    {"wrong_code", 0, CLIENT_FAULT_DENIED, "the code is not right"},
    {"too_many", 0, CLIENT_FAULT_DESKTOP, "there are as many connections as are allowed"},
    {"desktop_asleep", 0, CLIENT_FAULT_ASLEEP, "the desktop does not answer"},
    {"desktop_refused", 0, CLIENT_FAULT_ASLEEP, "the desktop refuses remote desktop connections"},
    {"desktop_name", 0, CLIENT_FAULT_ASLEEP, "the desktop's host name does not resolve"},
    {"desktop_address", 0, CLIENT_FAULT_ASLEEP, "the gateway may not reach this desktop's address"},
    {NULL, 401, CLIENT_FAULT_SESSION, "the sign-in was not accepted"},
    {NULL, 403, CLIENT_FAULT_DESKTOP, "this is not allowed"},
    {NULL, 404, CLIENT_FAULT_DESKTOP, "there is nothing of this name"},
    {NULL, 429, CLIENT_FAULT_THROTTLED, "too many attempts"},
    {NULL, 503, CLIENT_FAULT_BUSY, "the gateway is busy"},
    {NULL, 502, CLIENT_FAULT_GATEWAY, "the gateway could not go on"},
    {NULL, 504, CLIENT_FAULT_GATEWAY, "the gateway waited in vain"},
    {NULL, 500, CLIENT_FAULT_GATEWAY, "the gateway failed"},
};

static const struct refusal *find_refusal(const char *code, unsigned status)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        const struct refusal *at = &refusals[i];
        if (at->code ? strcmp(at->code, code) == 0 : at->status == status)
            return at;
    }
    return NULL;
}

/* The gateway's words on one line. */
static void one_line(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from);
    for (; *to; to++) {
        if (*to == '\n')
            *to = ' ';
    }
}

int client_json_refusal(const struct client_answer *answer, struct client_failure *failure)
{
    char message[256], id[40], wait[48] = "";
    json_t *json = answer->body ? load(answer) : NULL;
    const struct refusal *refusal = find_refusal(member(json, "error"), answer->head.status);
    one_line(message, sizeof(message), member(json, "message"));
    one_line(id, sizeof(id), member(json, "id"));
    json_decref(json);
    failure->retry_seconds = answer->head.retry_after;
    if (!refusal)
        return client_fail(failure, CLIENT_FAULT_ANSWER,
                           "the gateway answered with status %u, which is not understood here%s%s",
                           answer->head.status, message[0] ? ": " : "", message);
    if (failure->retry_seconds)
        snprintf(wait, sizeof(wait), " (try again in %u s)", failure->retry_seconds);
    return client_fail(failure, refusal->fault, "%s%s%s%s%s", message[0] ? message : refusal->words,
                       wait, id[0] ? " [id " : "", id, id[0] ? "]" : "");
}

bool client_json_has_desktop(const struct client_answer *answer, const char *desktop, char *others,
                             size_t size)
{
    json_t *json = load(answer);
    const json_t *list = json_object_get(json, "desktops"), *item;
    bool has = !json_is_array(list);
    size_t i, used = 0;
    others[0] = '\0';
    json_array_foreach(list, i, item)
    {
        const char *name = member(item, "name");
        has = has || strcasecmp(name, desktop) == 0; /* as the gateway compares */
        size_t need = strlen(name) + 2;
        if (used + need < size) {
            snprintf(others + used, size - used, "%s%s", used ? ", " : "", name);
            used = strlen(others);
        }
    }
    json_decref(json);
    return has;
}

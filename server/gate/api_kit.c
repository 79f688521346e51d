#include "api_kit.h"

#include "answer.h"
#include "credential.h"

#include <string.h>
#include <time.h>

bool api_kit_told(struct request *request, enum ipc_type type, enum MHD_Result *result)
{
    if (request->answer->head.type == type)
        return true;
    *result = answer_status(request, IPC_BUSY, 1);
    return false;
}

bool api_kit_body(struct request *request, const struct json_field *fields, size_t count,
                  enum MHD_Result *result)
{
    char words[JSON_BODY_WORDS_SIZE];
    if (json_body_read(request->body, request->body_size, fields, count))
        return true;
    json_body_words(words, fields, count);
    *result = answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request", words);
    return false;
}

enum MHD_Result api_kit_ask(struct request *request, const struct json_field *fields, size_t count,
                            struct ipc_head *record, enum ipc_type expected)
{
    enum MHD_Result result;
    if (api_kit_body(request, fields, count, &result))
        result = request_ask(request, record, expected);
    explicit_bzero(record, record->size);
    return result;
}

void api_kit_stamp(char to[32], int64_t seconds)
{
    time_t time = (time_t)seconds;
    struct tm utc;
    if (!gmtime_r(&time, &utc) || strftime(to, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        to[0] = '\0';
}

enum MHD_Result api_kit_welcome(struct request *request, const uint8_t token[IPC_TOKEN_SIZE],
                                const uint8_t *browser, int64_t expires, const char *username,
                                json_t *codes)
{
    static const uint8_t nothing[IPC_TOKEN_SIZE];
    char text[text_base64url_size(IPC_TOKEN_SIZE)], stamp[32];
    char cookie[CREDENTIAL_SET_COOKIE_SIZE], known[CREDENTIAL_SET_COOKIE_SIZE] = "";
    text_base64url(text, token, IPC_TOKEN_SIZE);
    api_kit_stamp(stamp, expires);
    credential_set_cookie(cookie, text);
    if (browser && memcmp(browser, nothing, sizeof(nothing)) != 0)
        credential_set_browser(known, browser);
    json_t *json = json_pack("{s:s, s:s, s:s, s:o*}", "token", text, "expires", stamp, "username",
                             username, "recovery_codes", codes);
    enum MHD_Result result = answer_json_cookies(request, MHD_HTTP_OK, json, cookie, known);
    explicit_bzero(text, sizeof(text));
    explicit_bzero(cookie, sizeof(cookie));
    explicit_bzero(known, sizeof(known));
    return result;
}

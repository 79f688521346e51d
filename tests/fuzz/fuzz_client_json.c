/* A hostile gateway's JSON, as the tunnel client takes it: the answer to a sign-in, a refusal, a
 * list of desktops. The first two bytes are the status. And what we send is read as it was meant.
 */
#include "client_json.h"
#include "fuzz_kit.h"
#include "text.h"

#include <jansson.h>

static void check_token(const struct client_answer *answer)
{
    char token[CLIENT_JSON_TOKEN_SIZE];
    int64_t expires = -1;
    if (client_json_token(answer, token, &expires))
        fuzz_demand(strlen(token) >= 16 && !strpbrk(token, "\r\n \"\\"));
}

/* It is shown on a terminal. */
static void check_refusal(const struct client_answer *answer)
{
    struct client_failure failure = {0};
    fuzz_demand(client_json_refusal(answer, &failure) == -1);
    fuzz_demand(failure.fault != CLIENT_FAULT_NONE && failure.words[0]);
    for (const char *c = failure.words; *c; c++)
        fuzz_demand((*c >= ' ' && *c <= '~') || *c == '\n');
}

static void check_list(const struct client_answer *answer)
{
    char others[200];
    client_json_has_desktop(answer, "office-pc", others, sizeof(others));
    fuzz_demand(memchr(others, '\0', sizeof(others)) != NULL);
}

/* A person's texts, whatever they are: one object with just these members. */
static void check_login(const char *text)
{
    char body[4096];
    if (!text_is_utf8((const uint8_t *)text, strlen(text)) ||
        !client_json_login(body, sizeof(body), text, text, "123456"))
        return;
    json_t *json = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    fuzz_demand(json_object_size(json) == 3);
    fuzz_demand(strcmp(json_string_value(json_object_get(json, "username")), text) == 0);
    fuzz_demand(strcmp(json_string_value(json_object_get(json, "password")), text) == 0);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct client_answer answer;
    if (size < 2)
        return 0;
    answer.body = fuzz_text(data + 2, size - 2);
    answer.body_size = size - 2;
    answer.head.status = (uint16_t)(100 + (data[0] << 8 | data[1]) % 500);
    answer.head.retry_after = data[0];
    check_token(&answer);
    check_refusal(&answer);
    check_list(&answer);
    check_login(answer.body);
    free(answer.body);
    return 0;
}

/* The bodies of requests: what a stranger may send before anyone has signed in. The first byte says
 * how many texts are asked for. */
#include "ipc.h"
#include "json_body.h"
#include "wiped_json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    char username[IPC_USERNAME_SIZE], password[IPC_PASSWORD_SIZE], code[IPC_CODE_SIZE];
    const struct json_field fields[] = {JSON_BODY_TEXT("username", username),
                                        JSON_BODY_TEXT("password", password),
                                        JSON_BODY_CODE("code", code)};
    if (!ready)
        wiped_json_init();
    ready = true;
    if (size == 0)
        return 0;
    size_t count = data[0] % 4;
    if (!json_body_read((const char *)data + 1, size - 1, fields, count))
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (!ipc_text_ok(fields[i].to, fields[i].size))
            abort();
    }
    if (count == 3 && code[strspn(code, "0123456789abcdefghijklmnopqrstuvwxyz")] &&
        strcmp(code, "?") != 0)
        abort();
    return 0;
}

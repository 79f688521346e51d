/* The sign-in's body: what a stranger may send before anyone has signed in. */
#include "login_json.h"
#include "wiped_json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct ipc_sign_in to;
    const char *why = NULL;
    if (!ready)
        wiped_json_init();
    ready = true;
    IPC_INIT(&to, SIGN_IN, 0);
    bool good = login_json_read((const char *)data, size, &to, &why);
    if (good == (why != NULL) || !ipc_text_ok(to.username, sizeof(to.username)) ||
        !ipc_text_ok(to.password, sizeof(to.password)) || !ipc_text_ok(to.code, sizeof(to.code)))
        abort();
    return 0;
}

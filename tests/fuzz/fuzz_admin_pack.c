/* What administrators' pages send: bodies, pairs of a query, paths. The first byte says which. What
 * is packed must come apart again as words and options, whatever was sent. */
#include "admin_pack.h"
#include "wiped_json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool pack(struct ipc_admin *record, char kind, char *text, size_t size)
{
    if (kind == 'p')
        return admin_pack_path(record, text);
    if (kind == 'q') {
        size_t key = strlen(text);
        return admin_pack_pair(record, text, key < size ? text + key + 1 : NULL);
    }
    return admin_pack_body(record, text, size);
}

static void look(const struct ipc_admin *record, char kind)
{
    if (record->size > sizeof(record->arguments) ||
        (record->size && record->arguments[record->size - 1] != '\0'))
        abort();
    for (size_t at = 0; kind != 'p' && at < record->size;) {
        const char *item = record->arguments + at;
        size_t name = strspn(item + 1, "abcdefghijklmnopqrstuvwxyz0123456789-");
        if (*item == 'o' && (name == 0 || item[1] == '-' || !strchr("=", item[1 + name])))
            abort();
        if (*item != 'o' && *item != 'w')
            abort();
        at += strlen(item) + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    static struct ipc_admin record;
    if (!ready)
        wiped_json_init();
    ready = true;
    if (size == 0)
        return 0;
    char *text = calloc(1, size);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    IPC_INIT(&record, ADMIN, 0);
    if (pack(&record, (char)data[0], text, size - 1))
        look(&record, (char)data[0]);
    free(text);
    return 0;
}

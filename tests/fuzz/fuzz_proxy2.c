/* PROXY protocol version 2: no verdict is taken back as more bytes come, and nothing behind the
 * header counts. */
#include "proxy2.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum proxy2_result read_exactly(const uint8_t *data, size_t size, struct proxy2 *out)
{
    uint8_t *copy = malloc(size ? size : 1); /* exact, so that a sanitizer sees an overrun */
    if (!copy)
        abort();
    memcpy(copy, data, size);
    enum proxy2_result result = proxy2_read(copy, size, out);
    free(copy);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy2 whole, cut;
    enum proxy2_result verdict = read_exactly(data, size, &whole);
    if (verdict == PROXY2_DONE && (whole.size > size || whole.size > PROXY2_MOST))
        abort();
    if (verdict == PROXY2_MORE && (whole.size <= size || whole.told))
        abort();
    if (whole.size < PROXY2_FIXED || (verdict == PROXY2_BAD && whole.told))
        abort();
    for (size_t i = 0; i < size && i < 2 * PROXY2_FIXED; i++) {
        enum proxy2_result before = read_exactly(data, i, &cut);
        if (before != PROXY2_MORE && before != verdict)
            abort();
        if (before == PROXY2_MORE && verdict == PROXY2_DONE && i >= whole.size)
            abort();
    }
    if (verdict == PROXY2_DONE) {
        if (read_exactly(data, whole.size, &cut) != PROXY2_DONE || cut.told != whole.told ||
            memcmp(&cut.source, &whole.source, sizeof(cut.source)) != 0)
            abort();
        if (read_exactly(data, whole.size - 1, &cut) != PROXY2_MORE)
            abort();
    }
    return 0;
}

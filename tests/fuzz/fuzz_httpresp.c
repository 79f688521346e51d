/* A hostile gateway's answer, as the tunnel client takes it: a head, then perhaps a chunked body.
 */
#include "httpresp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is consumed of a whole must not depend on what follows it. */
static void check_head(const uint8_t *data, size_t size, ssize_t consumed)
{
    struct httpresp again;
    if (consumed > (ssize_t)size || httpresp_parse(data, (size_t)consumed, &again) != consumed)
        abort();
    if (again.accept && (again.accept < (const char *)data ||
                         again.accept + again.accept_size > (const char *)data + size))
        abort();
    if (httpresp_parse(data, (size_t)consumed - 1, &again) != HTTPRESP_MORE)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct httpresp answer;
    ssize_t head = httpresp_parse(data, size, &answer);
    if (head > 0)
        check_head(data, size, head);
    size_t at = head > 0 ? (size_t)head : 0, content = 0;
    uint8_t *copy = malloc(size - at + 1); /* exact, so that a sanitizer sees an overrun */
    if (!copy)
        return 0;
    memcpy(copy, data + at, size - at);
    ssize_t body = httpresp_chunks(copy, size - at, &content);
    if (body > 0 && ((size_t)body > size - at || content > (size_t)body))
        abort();
    free(copy);
    return 0;
}

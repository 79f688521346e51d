/* A browser's first message, and a desktop's first answer: what the gate reads of each. */
#include "cleanpath.h"
#include "x224.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(struct cleanpath_view view, const uint8_t *pdu, size_t size)
{
    if (!view.size || view.data < pdu || view.data + view.size > pdu + size)
        abort();
}

static void check_request(const uint8_t *data, size_t size)
{
    struct cleanpath_request request;
    int whole = cleanpath_request_size(data, size);
    if (whole <= 0)
        return;
    if ((size_t)whole > size || whole > CLEANPATH_REQUEST_MOST ||
        cleanpath_request_size(data, (size_t)whole - 1) != 0)
        abort();
    if (cleanpath_request_read(data, (size_t)whole, &request))
        return;
    check_within(request.destination, data, (size_t)whole);
    check_within(request.proxy_auth, data, (size_t)whole);
    check_within(request.x224, data, (size_t)whole);
    x224_request_ok(request.x224.data, request.x224.size);
}

static void check_confirm(const uint8_t *data, size_t size)
{
    struct x224_confirm confirm, again;
    int whole = x224_confirm_read(data, size, &confirm);
    if (whole > (int)size || whole > X224_CONFIRM_MOST)
        abort();
    if (whole > 0 && x224_confirm_read(data, (size_t)whole, &again) != whole)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* exact, so that a sanitizer sees an overrun */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    check_request(copy, size);
    check_confirm(copy, size);
    x224_request_ok(copy, size);
    free(copy);
    return 0;
}

/* The first PDUs of RDP: what a browser hands over for the desktop, and what the desktop answers.
 */
#include "x224.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PDU_LEAST 11 /* TPKT and the fixed part of X.224 */

/* Good is one PDU whose own length is the whole, and nothing shorter or longer. */
static void check_request(const uint8_t *data, size_t size)
{
    if (!x224_request_ok(data, size))
        return;
    if (size < PDU_LEAST || size > X224_REQUEST_MOST || (size_t)(data[2] << 8 | data[3]) != size)
        abort();
    for (size_t cut = 0; cut < size; cut++) {
        if (x224_request_ok(data, cut))
            abort();
    }
}

/* The verdict on a longer piece never takes back the one on a shorter. */
static void check_confirm(const uint8_t *data, size_t size)
{
    struct x224_confirm confirm, earlier;
    int whole = x224_confirm_read(data, size, &confirm);
    if (whole > 0 && ((size_t)whole > size || whole < PDU_LEAST || whole > X224_CONFIRM_MOST))
        abort();
    if ((whole == 0 && size >= X224_CONFIRM_MOST) || (whole < 0 && whole != -EPROTO))
        abort();
    if (confirm.failure && !confirm.negotiated)
        abort();
    for (size_t cut = 0; cut < size && cut <= X224_CONFIRM_MOST; cut++) {
        int before = x224_confirm_read(data, cut, &earlier);
        if (before != 0 && before != whole)
            abort();
        if (before == 0 && whole > 0 && cut >= (size_t)whole)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* exact, so that a sanitizer sees an overrun */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    check_request(copy, size);
    check_confirm(copy, size);
    free(copy);
    return 0;
}

/* A browser's first message, and the gate's answers to it. */
#include "cleanpath.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ANSWER_OVERHEAD 100 /* of an answer with two certificates: more than its headers */

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
    if (memchr(request.destination.data, '\0', request.destination.size))
        abort();
}

/* What is written is one PDU within its bound, whatever is put into it. */
static void check_writers(const uint8_t *data, size_t size)
{
    struct cleanpath_view all = {data, size < 512 ? size : 512};
    struct cleanpath_view chain[] = {{data, size / 2}, {data + size / 2, size - size / 2}};
    struct cleanpath_error error = {.code = CLEANPATH_NEGOTIATION,
                                    .http_status = size > 1 ? data[0] << 8 | data[1] : 0,
                                    .wsa = size > 3 ? data[2] << 8 | data[3] : 0,
                                    .tls_alert = size > 4 ? data[4] : 0};
    uint8_t *made = malloc(CLEANPATH_ERROR_MOST);
    size_t room = size + ANSWER_OVERHEAD, written;
    if (made) {
        written = cleanpath_write_error(made, CLEANPATH_ERROR_MOST, &error, all);
        if (!written || cleanpath_request_size(made, written) != (int)written)
            abort();
        if (cleanpath_write_error(made, written - 1, &error, all))
            abort();
    }
    free(made);
    made = malloc(room);
    if (made) {
        struct cleanpath_view x224 = {data, 0};
        written = cleanpath_write_answer(made, room, x224, chain, 2, "192.0.2.7");
        if (!written || (written <= CLEANPATH_REQUEST_MOST &&
                         cleanpath_request_size(made, written) != (int)written))
            abort();
        if (cleanpath_write_answer(made, written - 1, x224, chain, 2, "192.0.2.7"))
            abort();
    }
    free(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* exact, so that a sanitizer sees an overrun */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    check_request(copy, size);
    check_writers(copy, size);
    free(copy);
    return 0;
}

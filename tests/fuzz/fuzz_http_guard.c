/* Requests on their way to libmicrohttpd, cut anywhere: the same verdict, however they are cut, and
 * no line that two readers could end in different places. */
#include "http_guard.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
    if (!holds)
        abort();
}

static unsigned verdict(const uint8_t *data, size_t size, size_t cut)
{
    struct http_guard guard = {0};
    unsigned wrong = 0;
    for (size_t at = 0; at < size && !wrong; at += cut) {
        size_t piece = size - at < cut ? size - at : cut;
        uint8_t *copy = malloc(piece); /* exact, so that a sanitizer sees an overrun */
        demand(copy != NULL);
        memcpy(copy, data + at, piece);
        wrong = http_guard_read(&guard, copy, piece);
        demand(memcmp(copy, data + at, piece) == 0);
        free(copy);
    }
    demand(wrong == 0 || wrong == 400 || wrong == 414 || wrong == 431 || wrong == 501 ||
           wrong == 505);
    return wrong;
}

/* A head that passes has no CR without LF, no LF without CR, no NUL, no line that goes on. */
static void look_at_head(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        demand(data[i] != '\0');
        demand(data[i] != '\n' || (i && data[i - 1] == '\r'));
        demand(data[i] != '\r' || i + 1 == size || data[i + 1] == '\n');
        demand(!i || data[i - 1] != '\n' || (data[i] != ' ' && data[i] != '\t'));
        if (i >= 4 && memcmp(data + i - 3, "\r\n\r\n", 4) == 0)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    unsigned whole = verdict(data + 1, size - 1, size);
    demand(whole == verdict(data + 1, size - 1, data[0] + 1U));
    demand(whole == verdict(data + 1, size - 1, 1));
    if (!whole)
        look_at_head(data + 1, size - 1);
    return 0;
}

/* The chunked coding, cut anywhere: the same payload and the same end, however it is cut. */
#include "chunked.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct story {
    uint8_t *payload;
    size_t size, used;
    enum chunked_event end;
};

static void demand(int holds)
{
    if (!holds)
        abort();
}

static struct story tell(const uint8_t *data, size_t size, size_t cut)
{
    struct chunked_reader reader = {0};
    struct story story = {.payload = malloc(size + 1), .end = CHUNKED_MORE};
    demand(story.payload != NULL);
    while (story.used < size) {
        size_t piece = size - story.used < cut ? size - story.used : cut, at = 0;
        uint8_t *copy = malloc(piece);
        demand(copy != NULL);
        memcpy(copy, data + story.used, piece);
        while (at < piece && story.end != CHUNKED_BAD && story.end != CHUNKED_END) {
            size_t payload;
            size_t used =
                chunked_read_onto(&reader, copy, copy + at, piece - at, &story.end, &payload);
            demand(used > 0 && used <= piece - at && payload <= used);
            memcpy(story.payload + story.size, copy, payload);
            story.size += payload;
            at += used;
        }
        free(copy);
        story.used += at;
        if (story.end == CHUNKED_BAD || story.end == CHUNKED_END)
            break;
    }
    return story;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct story whole = tell(data + 1, size - 1, size),
                 cut = tell(data + 1, size - 1, data[0] + 1U);
    demand((whole.end == CHUNKED_BAD) == (cut.end == CHUNKED_BAD));
    demand((whole.end == CHUNKED_END) == (cut.end == CHUNKED_END));
    demand(whole.size == cut.size && whole.used == cut.used);
    demand(memcmp(whole.payload, cut.payload, whole.size) == 0);
    free(whole.payload);
    free(cut.payload);
    return 0;
}

/* WebSocket frames. The first byte chooses the role and how the rest is cut; whatever the cut, the
 * same payload and the same end must come out. */
#include "ws.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    uint64_t hash; /* FNV-1a over payload and events */
    uint64_t bytes;
    int end;
};

static void add(struct outcome *outcome, uint8_t byte)
{
    outcome->hash = (outcome->hash ^ byte) * 1099511628211ULL;
}

static struct outcome run(const uint8_t *data, size_t size, bool from_client, size_t piece)
{
    struct ws_reader reader = {.from_client = from_client};
    struct outcome outcome = {.hash = 14695981039346656037ULL};
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    for (size_t at = 0; at < size && !outcome.end;) {
        size_t end = size - at < piece ? size : at + piece;
        while (at < end && !outcome.end) {
            struct ws_event event;
            size_t used = ws_read(&reader, copy + at, end - at, &event);
            if (used > end - at || (used == 0 && event.kind == WS_EVENT_MORE))
                abort();
            at += used;
            if (event.kind == WS_EVENT_DATA &&
                (event.data < copy || event.data + event.size > copy + size))
                abort();
            if (event.kind != WS_EVENT_MORE && event.kind != WS_EVENT_DATA)
                add(&outcome, (uint8_t)(event.kind + 100));
            for (size_t i = 0; event.kind != WS_EVENT_BAD && i < event.size; i++)
                add(&outcome, event.data[i]);
            outcome.bytes += event.kind == WS_EVENT_DATA ? event.size : 0;
            if (event.kind == WS_EVENT_BAD || event.kind == WS_EVENT_CLOSE)
                outcome.end = (int)event.kind * 100000 + event.code;
        }
    }
    free(copy);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    bool from_client = data[0] & 1;
    size_t piece = (size_t)(data[0] >> 1) + 1;
    struct outcome whole = run(data + 1, size - 1, from_client, size);
    struct outcome cut = run(data + 1, size - 1, from_client, piece);
    if (whole.hash != cut.hash || whole.bytes != cut.bytes || whole.end != cut.end)
        abort();
    return 0;
}

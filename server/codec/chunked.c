#include "chunked.h"

#include "text.h"

#include <stdbool.h>
#include <string.h>

enum state {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
    TRAILER_TEXT,
    TRAILER_LF,
    LAST_LF
};

/* False: this byte may not stand here. */
static bool take_size(struct chunked_reader *reader, uint8_t c)
{
    int digit = text_hex_digit((char)c);
    if (digit >= 0) {
        reader->left = reader->left << 4 | (uint32_t)digit;
        return ++reader->digits <= CHUNKED_DIGITS_MOST;
    }
    reader->state = c == '\r' ? SIZE_LF : EXTENSION;
    return reader->digits && (c == '\r' || c == ';');
}

/* Text of an extension or a trailer, up to its CR. */
static bool take_text(struct chunked_reader *reader, uint8_t c, enum state behind)
{
    if (c == '\r')
        reader->state = (uint8_t)behind;
    return c == '\r' || c == '\t' || (c >= 0x20 && c != 0x7f);
}

static bool take_line_feed(struct chunked_reader *reader, uint8_t c, enum state behind)
{
    reader->state = (uint8_t)behind;
    return c == '\n';
}

/* One byte of what is not payload. */
static bool take(struct chunked_reader *reader, uint8_t c)
{
    if (++reader->line > CHUNKED_LINE_MOST)
        return false;
    switch (reader->state) {
    case SIZE:
        return take_size(reader, c);
    case EXTENSION:
        return take_text(reader, c, SIZE_LF);
    case SIZE_LF:
        reader->line = 0;
        reader->digits = 0;
        return take_line_feed(reader, c, reader->left ? DATA : TRAILER);
    case DATA_CR:
        reader->state = DATA_LF;
        return c == '\r';
    case DATA_LF:
        reader->line = 0;
        return take_line_feed(reader, c, SIZE);
    case TRAILER:
        reader->state = c == '\r' ? LAST_LF : TRAILER_TEXT;
        return c == '\r' || c > 0x20;
    case TRAILER_TEXT:
        return take_text(reader, c, TRAILER_LF);
    case TRAILER_LF:
        return take_line_feed(reader, c, TRAILER);
    default: /* LAST_LF */
        return c == '\n';
    }
}

size_t chunked_read_onto(struct chunked_reader *reader, uint8_t *to, const uint8_t *data,
                         size_t size, enum chunked_event *event, size_t *payload)
{
    *event = CHUNKED_MORE;
    *payload = 0;
    if (reader->state == DATA && size) {
        size_t most = size < reader->left ? size : reader->left;
        if (to != data)
            memmove(to, data, most);
        reader->left -= (uint32_t)most;
        if (!reader->left)
            reader->state = DATA_CR;
        *payload = most;
        *event = CHUNKED_DATA;
        return most;
    }
    for (size_t used = 0; used < size;) {
        bool last = reader->state == LAST_LF;
        bool good = take(reader, data[used++]);
        if (!good || last) {
            *event = good ? CHUNKED_END : CHUNKED_BAD;
            return used;
        }
        if (reader->state == DATA)
            return used;
    }
    return size;
}

#include "cleanpath.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* X.690 section 8.1.2 */
enum {
    TAG_INTEGER = 0x02,
    TAG_OCTETS = 0x04,
    TAG_UTF8 = 0x0c,
    TAG_SEQUENCE = 0x30,
    TAG_FIELD = 0xa0 /* and the field's number: context class, constructed */
};

enum {
    FIELD_VERSION,
    FIELD_ERROR,
    FIELD_DESTINATION,
    FIELD_PROXY_AUTH,
    FIELD_SERVER_AUTH,
    FIELD_PRECONNECTION,
    FIELD_X224,
    FIELD_CHAIN,
    FIELD_ADDRESS = 9
};

/* ---- reading ---- */

/* The header at the beginning of `data`: definite length in its shortest form (section 10.1).
 * Returns the header's size, 0 when more bytes are needed, -EPROTO. */
static int header_read(const uint8_t *data, size_t size, size_t *length)
{
    if (size < 2)
        return 0;
    unsigned count = data[1] & 0x7f;
    if (!(data[1] & 0x80)) {
        *length = count;
        return 2;
    }
    if (count < 1 || count > 2)
        return -EPROTO;
    if (size < 2 + count)
        return 0;
    *length = data[2];
    if (count == 2)
        *length = *length << 8 | data[3];
    return *length < (count == 1 ? 0x80U : 0x100U) ? -EPROTO : 2 + (int)count;
}

int cleanpath_request_size(const uint8_t *data, size_t size)
{
    size_t length = 0;
    if (size && data[0] != TAG_SEQUENCE)
        return -EPROTO;
    int head = header_read(data, size, &length);
    if (head <= 0)
        return head;
    size_t whole = (size_t)head + length;
    if (whole > CLEANPATH_REQUEST_MOST)
        return -EPROTO;
    return size < whole ? 0 : (int)whole;
}

/* Takes the element with this tag off the front of `from`. */
static bool take(struct cleanpath_view *from, unsigned tag, struct cleanpath_view *body)
{
    size_t length = 0;
    int head =
        from->size && from->data[0] == tag ? header_read(from->data, from->size, &length) : 0;
    if (head <= 0 || length > from->size - (size_t)head)
        return false;
    *body = (struct cleanpath_view){from->data + head, length};
    from->data += (size_t)head + length;
    from->size -= (size_t)head + length;
    return true;
}

/* The same for an explicitly tagged field that holds exactly one element. */
static bool take_field(struct cleanpath_view *from, unsigned number, unsigned tag,
                       struct cleanpath_view *body)
{
    struct cleanpath_view field;
    return take(from, TAG_FIELD + number, &field) && take(&field, tag, body) && field.size == 0;
}

/* A text that somebody must read: not empty, and without a NUL, before which a reader would end. */
static bool take_text(struct cleanpath_view *from, unsigned number, struct cleanpath_view *text)
{
    return take_field(from, number, TAG_UTF8, text) && text->size &&
           !memchr(text->data, '\0', text->size);
}

static bool skip_field(struct cleanpath_view *from, unsigned number)
{
    struct cleanpath_view ignored;
    if (!from->size || from->data[0] != TAG_FIELD + number)
        return true;
    return take_field(from, number, TAG_UTF8, &ignored);
}

static bool is_version(struct cleanpath_view integer)
{
    static const uint8_t version[] = {CLEANPATH_VERSION >> 8, CLEANPATH_VERSION & 0xff};
    return integer.size == sizeof(version) && memcmp(integer.data, version, sizeof(version)) == 0;
}

int cleanpath_request_read(const uint8_t *pdu, size_t size, struct cleanpath_request *out)
{
    struct cleanpath_view all = {pdu, size}, body, version;
    *out = (struct cleanpath_request){0};
    if (!take(&all, TAG_SEQUENCE, &body) || all.size ||
        !take_field(&body, FIELD_VERSION, TAG_INTEGER, &version) || !version.size)
        return -EPROTO;
    if (!is_version(version))
        return -ENOTSUP;
    /* In the order of their numbers; each but the three that count may be left out. */
    bool good = take_text(&body, FIELD_DESTINATION, &out->destination) &&
                take_text(&body, FIELD_PROXY_AUTH, &out->proxy_auth) &&
                skip_field(&body, FIELD_SERVER_AUTH) && skip_field(&body, FIELD_PRECONNECTION) &&
                take_field(&body, FIELD_X224, TAG_OCTETS, &out->x224) && body.size == 0 &&
                out->x224.size;
    return good ? 0 : -EPROTO;
}

/* ---- writing ---- */

/* From the end of the buffer to its beginning: a length is known when its header is written. */
struct writer {
    uint8_t *start, *at;
    bool full;
};

static void put(struct writer *writer, const void *data, size_t size)
{
    if (size > (size_t)(writer->at - writer->start)) {
        writer->full = true;
        return;
    }
    writer->at -= size;
    if (size)
        memcpy(writer->at, data, size);
}

static void put_byte(struct writer *writer, unsigned byte)
{
    put(writer, &(uint8_t){(uint8_t)byte}, 1);
}

/* The header of all that was written since `end` was the writer's place. */
static void put_header(struct writer *writer, unsigned tag, const uint8_t *end)
{
    size_t length = (size_t)(end - writer->at);
    unsigned count = 0;
    if (length >= 0x80) {
        for (size_t left = length; left; left >>= 8, count++)
            put_byte(writer, left & 0xff);
        put_byte(writer, 0x80 | count);
    } else {
        put_byte(writer, (unsigned)length);
    }
    put_byte(writer, tag);
}

static void put_element(struct writer *writer, unsigned tag, const void *data, size_t size)
{
    const uint8_t *end = writer->at;
    put(writer, data, size);
    put_header(writer, tag, end);
}

static void put_field(struct writer *writer, unsigned number, unsigned tag, const void *data,
                      size_t size)
{
    const uint8_t *end = writer->at;
    put_element(writer, tag, data, size);
    put_header(writer, TAG_FIELD + number, end);
}

/* A value that is not negative. */
static void put_number(struct writer *writer, unsigned number, int value)
{
    const uint8_t *field = writer->at, *end = field;
    unsigned left = (unsigned)value, top;
    do {
        top = left & 0xff;
        put_byte(writer, top);
        left >>= 8;
    } while (left);
    if (top & 0x80) /* section 8.3: it would be a negative number */
        put_byte(writer, 0);
    put_header(writer, TAG_INTEGER, end);
    put_header(writer, TAG_FIELD + number, field);
}

static size_t finish(struct writer *writer, uint8_t *to, const uint8_t *end)
{
    put_number(writer, FIELD_VERSION, CLEANPATH_VERSION);
    put_header(writer, TAG_SEQUENCE, end);
    if (writer->full)
        return 0;
    size_t size = (size_t)(end - writer->at);
    memmove(to, writer->at, size);
    return size;
}

size_t cleanpath_write_answer(uint8_t *to, size_t room, struct cleanpath_view x224,
                              const struct cleanpath_view *chain, size_t count, const char *address)
{
    uint8_t *end = to + room;
    struct writer writer = {.start = to, .at = end};
    put_field(&writer, FIELD_ADDRESS, TAG_UTF8, address, strlen(address));
    const uint8_t *list = writer.at;
    while (count--)
        put_element(&writer, TAG_OCTETS, chain[count].data, chain[count].size);
    put_header(&writer, TAG_SEQUENCE, list);
    put_header(&writer, TAG_FIELD + FIELD_CHAIN, list);
    put_field(&writer, FIELD_X224, TAG_OCTETS, x224.data, x224.size);
    return finish(&writer, to, end);
}

size_t cleanpath_write_error(uint8_t *to, size_t room, const struct cleanpath_error *error,
                             struct cleanpath_view x224)
{
    const int details[] = {error->code, error->http_status, error->wsa, error->tls_alert};
    uint8_t *end = to + room;
    struct writer writer = {.start = to, .at = end};
    if (x224.size)
        put_field(&writer, FIELD_X224, TAG_OCTETS, x224.data, x224.size);
    const uint8_t *field = writer.at;
    for (unsigned i = sizeof(details) / sizeof(*details); i-- > 0;) {
        if (details[i] > 0 || i == 0)
            put_number(&writer, i, details[i]);
    }
    put_header(&writer, TAG_SEQUENCE, field);
    put_header(&writer, TAG_FIELD + FIELD_ERROR, field);
    return finish(&writer, to, end);
}

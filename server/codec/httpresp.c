#include "httpresp.h"

#include "chunked.h"

#include <string.h>
#include <strings.h>

struct span {
    const char *at;
    size_t size;
};

/* What has been seen once already, and what only the end of the head can judge. */
struct seen {
    bool length, coding, upgrade, accept;
    bool connection_upgrade, websocket, accept_twice;
};

static bool is_token_byte(uint8_t byte)
{
    if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
        (byte >= 'a' && byte <= 'z'))
        return true;
    return byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte);
}

static bool is_value_byte(uint8_t byte)
{
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

static bool span_is(struct span span, const char *word)
{
    return span.size == strlen(word) && strncasecmp(span.at, word, span.size) == 0;
}

static struct span span_trim(struct span span)
{
    while (span.size && (span.at[0] == ' ' || span.at[0] == '\t')) {
        span.at++;
        span.size--;
    }
    while (span.size && (span.at[span.size - 1] == ' ' || span.at[span.size - 1] == '\t'))
        span.size--;
    return span;
}

/* At most 15 digits, so that it can never overflow. */
static bool span_number(struct span span, uint64_t *out)
{
    *out = 0;
    if (!span.size || span.size > 15)
        return false;
    for (size_t i = 0; i < span.size; i++) {
        if (span.at[i] < '0' || span.at[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(span.at[i] - '0');
    }
    return true;
}

/* Whether a comma-separated list (RFC 9110 section 5.6.1) names the word. */
static bool list_has(struct span list, const char *word)
{
    while (list.size) {
        const char *comma = memchr(list.at, ',', list.size);
        size_t size = comma ? (size_t)(comma - list.at) : list.size;
        if (span_is(span_trim((struct span){list.at, size}), word))
            return true;
        size_t step = comma ? size + 1 : size;
        list.at += step;
        list.size -= step;
    }
    return false;
}

static bool find_line(const uint8_t *data, size_t size, size_t *line)
{
    const uint8_t *end = memmem(data, size, "\r\n", 2);
    if (end)
        *line = (size_t)(end - data);
    return end != NULL;
}

/* "HTTP/1.1 200 OK"; the phrase may be empty, and its space missing (a common omission). */
static bool parse_status(struct span line, struct httpresp *out)
{
    if (line.size < 12 || memcmp(line.at, "HTTP/1.", 7) != 0 || line.at[8] != ' ' ||
        (line.at[7] != '0' && line.at[7] != '1'))
        return false;
    uint64_t status;
    if (!span_number((struct span){line.at + 9, 3}, &status) || status < 100 || status > 599)
        return false;
    if (line.size > 12 && line.at[12] != ' ')
        return false;
    for (size_t i = 12; i < line.size; i++) {
        if (!is_value_byte((uint8_t)line.at[i]))
            return false;
    }
    out->status = (uint16_t)status;
    out->close = line.at[7] == '0';
    return true;
}

static bool take_framing(struct span name, struct span value, struct httpresp *out,
                         struct seen *seen)
{
    if (span_is(name, "content-length")) {
        if (seen->length || !span_number(value, &out->length))
            return false;
        seen->length = true;
    } else {
        if (seen->coding || !span_is(value, "chunked"))
            return false;
        seen->coding = true;
    }
    return true;
}

static void take_accept(struct span value, struct httpresp *out, struct seen *seen)
{
    seen->accept_twice = seen->accept;
    seen->accept = true;
    out->accept = value.at;
    out->accept_size = value.size;
}

static bool take_field(struct span name, struct span value, struct httpresp *out, struct seen *seen)
{
    uint64_t seconds;
    if (span_is(name, "content-length") || span_is(name, "transfer-encoding"))
        return take_framing(name, value, out, seen);
    if (span_is(name, "connection")) {
        out->close = out->close || list_has(value, "close");
        seen->connection_upgrade = seen->connection_upgrade || list_has(value, "upgrade");
    } else if (span_is(name, "upgrade")) {
        seen->websocket = !seen->upgrade && span_is(value, "websocket");
        seen->upgrade = true;
    } else if (span_is(name, "sec-websocket-accept")) {
        take_accept(value, out, seen);
    } else if (span_is(name, "sec-websocket-extensions") ||
               span_is(name, "sec-websocket-protocol")) {
        out->extends = true;
    } else if (span_is(name, "retry-after") && span_number(value, &seconds)) {
        out->retry_after = seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
    }
    return true;
}

static bool parse_field(struct span line, struct httpresp *out, struct seen *seen)
{
    size_t name = 0;
    while (name < line.size && is_token_byte((uint8_t)line.at[name]))
        name++;
    if (!name || name == line.size || line.at[name] != ':')
        return false;
    for (size_t i = name + 1; i < line.size; i++) {
        if (!is_value_byte((uint8_t)line.at[i]))
            return false;
    }
    struct span value = span_trim((struct span){line.at + name + 1, line.size - name - 1});
    return take_field((struct span){line.at, name}, value, out, seen);
}

static bool judge(struct httpresp *out, const struct seen *seen)
{
    if (seen->length && seen->coding)
        return false;
    if (seen->accept_twice)
        out->accept = NULL;
    out->upgrades = seen->connection_upgrade && seen->websocket;
    if (out->status < 200 || out->status == 204 || out->status == 304)
        out->body = HTTPRESP_BODY_NONE;
    else if (seen->coding)
        out->body = HTTPRESP_BODY_CHUNKED;
    else if (seen->length)
        out->body = HTTPRESP_BODY_LENGTH;
    else
        out->body = HTTPRESP_BODY_END;
    return true;
}

/* More is worth waiting for while this may still become a head. */
static ssize_t incomplete(const uint8_t *data, size_t size)
{
    static const char start[] = "HTTP/1.";
    size_t known = size < sizeof(start) - 1 ? size : sizeof(start) - 1;
    if (size >= HTTPRESP_HEAD_MAX || (known && memcmp(data, start, known) != 0))
        return HTTPRESP_BAD;
    for (size_t i = known; i < size; i++) {
        if (data[i] == '\n' && data[i - 1] != '\r')
            return HTTPRESP_BAD;
    }
    return HTTPRESP_MORE;
}

ssize_t httpresp_parse(const uint8_t *data, size_t size, struct httpresp *out)
{
    struct seen seen = {0};
    *out = (struct httpresp){0};
    size_t within = size < HTTPRESP_HEAD_MAX ? size : HTTPRESP_HEAD_MAX;
    if (!within || !memmem(data, within, "\r\n\r\n", 4))
        return incomplete(data, size);
    for (size_t at = 0, lines = 0;; lines++) {
        size_t line;
        if (lines > HTTPRESP_FIELDS_MAX || !find_line(data + at, within - at, &line))
            return HTTPRESP_BAD;
        struct span text = {(const char *)data + at, line};
        at += line + 2;
        if (lines && !line)
            return judge(out, &seen) ? (ssize_t)at : HTTPRESP_BAD;
        if (lines ? !parse_field(text, out, &seen) : !parse_status(text, out))
            return HTTPRESP_BAD;
    }
}

/* ---- the chunked coding ---- */

/* Reads all chunks; with `move` their content goes to the front. */
static ssize_t chunk_walk(uint8_t *data, size_t size, bool move, size_t *content)
{
    struct chunked_reader reader = {0};
    *content = 0;
    for (size_t at = 0; at < size;) {
        enum chunked_event event;
        size_t payload;
        uint8_t *to = data + (move ? *content : at);
        at += chunked_read_onto(&reader, to, data + at, size - at, &event, &payload);
        *content += payload;
        if (event == CHUNKED_END)
            return (ssize_t)at;
        if (event == CHUNKED_BAD)
            return HTTPRESP_BAD;
    }
    return HTTPRESP_MORE;
}

ssize_t httpresp_chunks(uint8_t *data, size_t size, size_t *content)
{
    ssize_t whole = chunk_walk(data, size, false, content);
    return whole > 0 ? chunk_walk(data, size, true, content) : whole;
}

#include "http_guard.h"

#include "text.h"

#include <string.h>
#include <strings.h>

#define EMPTY_LINES_MOST 4 /* before a request; RFC 9112 section 2.2 wants one passed over */
#define LENGTH_DIGITS_MOST 18
#define BAD 400
#define LONG_TARGET 414
#define LONG_HEAD 431
#define NO_CODING 501
#define NO_VERSION 505

enum state {
    BEGIN,
    BEGIN_LF,
    METHOD,
    TARGET_BEGIN,
    TARGET,
    VERSION,
    VERSION_LF,
    FIELD,
    NAME,
    VALUE_BEGIN,
    VALUE,
    VALUE_LF,
    HEAD_LF,
    BODY,
    CHUNKS
};

enum field { OTHER, HOST, LENGTH, CODING, UPGRADE, COOKIE };

static const char *const names[] = {
    [HOST] = "host",       [LENGTH] = "content-length", [CODING] = "transfer-encoding",
    [UPGRADE] = "upgrade", [COOKIE] = "cookie",
};

/* RFC 9110 section 5.6.2 */
static bool is_token(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* RFC 3986 section 3.2: host and port, without user information. */
static bool is_host(uint8_t c)
{
    return c == ' ' || c == '\t' || (is_token(c) && !strchr("#^`|", c)) ||
           (c && strchr("():;,=[]", c));
}

static void keep(struct http_guard *guard, uint8_t c)
{
    if (guard->text_size + 1 < HTTP_GUARD_TEXT)
        guard->text[guard->text_size++] = (char)c;
    else
        guard->too_long = true;
    guard->text[guard->text_size] = '\0';
}

static void forget(struct http_guard *guard)
{
    guard->text_size = 0;
    guard->text[0] = '\0';
    guard->too_long = false;
}

static unsigned goes_on(struct http_guard *guard, enum state state, bool good)
{
    guard->state = (uint8_t)state;
    return good ? 0 : BAD;
}

/* ---- the request line, RFC 9112 section 3 ---- */

static unsigned begin(struct http_guard *guard, uint8_t c)
{
    if (c == '\r')
        return goes_on(guard, BEGIN_LF, ++guard->empty_lines <= EMPTY_LINES_MOST);
    *guard = (struct http_guard){.state = METHOD, .begun = guard->begun + 1};
    return is_token(c) ? 0 : BAD;
}

static unsigned version(struct http_guard *guard, uint8_t c)
{
    static const char form[] = "HTTP/1.1";
    if (c != '\r') {
        keep(guard, c);
        return c > ' ' && c < 0x7f && guard->text_size <= strlen(form) ? 0 : BAD;
    }
    guard->old = strcmp(guard->text, "HTTP/1.0") == 0;
    if (guard->old || strcmp(guard->text, form) == 0)
        return goes_on(guard, VERSION_LF, true);
    bool digits = guard->text_size == 8 && guard->text[6] == '.' &&
                  strspn(guard->text + 5, "0123456789") == 1 &&
                  strspn(guard->text + 7, "0123456789") == 1;
    return strncmp(guard->text, form, 5) == 0 && digits ? NO_VERSION : BAD;
}

/* ---- fields, section 5 ---- */

/* A line that begins with white space would continue the one before (section 5.2). */
static unsigned field(struct http_guard *guard, uint8_t c)
{
    if (c == '\r')
        return goes_on(guard, HEAD_LF, true);
    forget(guard);
    keep(guard, c);
    return goes_on(guard, NAME, is_token(c));
}

static unsigned name(struct http_guard *guard, uint8_t c)
{
    if (c != ':') {
        keep(guard, c);
        return is_token(c) ? 0 : BAD;
    }
    guard->field = OTHER;
    for (uint8_t i = HOST; i <= COOKIE; i++) {
        if (!guard->too_long && strcasecmp(guard->text, names[i]) == 0)
            guard->field = i;
    }
    forget(guard);
    return goes_on(guard, VALUE_BEGIN, true);
}

static unsigned value(struct http_guard *guard, uint8_t c)
{
    if (c == '\r')
        return goes_on(guard, VALUE_LF, true);
    keep(guard, c);
    if (guard->field == HOST && !is_host(c))
        return BAD;
    return c == '\t' || (c >= ' ' && c != 0x7f) ? 0 : BAD;
}

static unsigned take_length(struct http_guard *guard)
{
    uint64_t length;
    if (guard->lengths++ || guard->too_long || guard->text_size > LENGTH_DIGITS_MOST ||
        !text_number(guard->text, INT64_MAX, &length))
        return BAD;
    guard->left = length;
    return 0;
}

static unsigned field_ends(struct http_guard *guard)
{
    while (guard->text_size && strchr(" \t", guard->text[guard->text_size - 1]))
        guard->text[--guard->text_size] = '\0';
    guard->state = FIELD;
    switch (guard->field) {
    case HOST:
        return guard->hosts++ ? BAD : 0;
    case LENGTH:
        return take_length(guard);
    case CODING:
        if (guard->codings++)
            return BAD;
        return !guard->too_long && strcasecmp(guard->text, "chunked") == 0 ? 0 : NO_CODING;
    case UPGRADE:
        guard->unjudged = true;
        return 0;
    default:
        return 0;
    }
}

/* Section 6.3, without its ways out: a length and a coding, or a coding in HTTP/1.0, are no
 * request. */
static unsigned head_ends(struct http_guard *guard)
{
    if ((!guard->hosts && !guard->old) || (guard->codings && (guard->lengths || guard->old)))
        return BAD;
    guard->empty_lines = 0;
    guard->state = guard->codings ? CHUNKS : guard->left ? BODY : BEGIN;
    return 0;
}

/* ---- room for it ---- */

/* Of the byte that came in `state`. */
static unsigned count(struct http_guard *guard, enum state state, uint8_t c)
{
    bool cookie = state >= VALUE_BEGIN && state <= VALUE && guard->field == COOKIE;
    if (state == FIELD || (state == TARGET && (c == '?' || c == '&')) ||
        (cookie && (c == ';' || c == ',')))
        guard->taken += HTTP_GUARD_ITEM;
    guard->taken += cookie ? 2 : 1;
    if (guard->taken <= HTTP_GUARD_ROOM)
        return 0;
    return state < TARGET ? BAD : state == TARGET ? LONG_TARGET : LONG_HEAD;
}

/* ---- byte by byte, and bodies by the piece ---- */

static unsigned take_byte(struct http_guard *guard, uint8_t c)
{
    switch (guard->state) {
    case BEGIN:
        return begin(guard, c);
    case BEGIN_LF:
        return goes_on(guard, BEGIN, c == '\n');
    case METHOD:
        return c == ' ' ? goes_on(guard, TARGET_BEGIN, true) : is_token(c) ? 0 : BAD;
    case TARGET_BEGIN:
        return goes_on(guard, TARGET, c > ' ' && c < 0x7f);
    case TARGET:
        return c == ' ' ? goes_on(guard, VERSION, true) : c > ' ' && c < 0x7f ? 0 : BAD;
    case VERSION:
        return version(guard, c);
    case VERSION_LF:
        return goes_on(guard, FIELD, c == '\n');
    case FIELD:
        return field(guard, c);
    case NAME:
        return name(guard, c);
    case VALUE_BEGIN:
        if (c == ' ' || c == '\t')
            return 0;
        guard->state = VALUE;
        return value(guard, c);
    case VALUE:
        return value(guard, c);
    case VALUE_LF:
        return c == '\n' ? field_ends(guard) : BAD;
    default: /* HEAD_LF */
        return c == '\n' ? head_ends(guard) : BAD;
    }
}

static unsigned take(struct http_guard *guard, uint8_t c)
{
    enum state state = guard->state;
    unsigned wrong = take_byte(guard, c);
    return wrong ? wrong : count(guard, state, c);
}

static size_t take_body(struct http_guard *guard, size_t size)
{
    size_t most = size < guard->left ? size : (size_t)guard->left;
    guard->left -= most;
    if (!guard->left)
        guard->state = BEGIN;
    return most;
}

static size_t take_chunks(struct http_guard *guard, const uint8_t *data, size_t size,
                          unsigned *wrong)
{
    enum chunked_event event;
    size_t payload;
    uint8_t *in_place = (uint8_t *)(uintptr_t)data; /* is left as it is */
    size_t used = chunked_read_onto(&guard->chunks, in_place, in_place, size, &event, &payload);
    if (event == CHUNKED_BAD)
        *wrong = BAD;
    if (event == CHUNKED_END)
        guard->state = BEGIN;
    return used;
}

unsigned http_guard_read(struct http_guard *guard, const uint8_t *data, size_t size)
{
    unsigned wrong = 0;
    for (size_t at = 0; at < size && !wrong;) {
        bool between = guard->state == BEGIN || guard->state == BODY || guard->state == CHUNKS;
        if (guard->unjudged && between)
            return 0;
        if (guard->state == BODY)
            at += take_body(guard, size - at);
        else if (guard->state == CHUNKS)
            at += take_chunks(guard, data + at, size - at, &wrong);
        else
            wrong = take(guard, data[at++]);
    }
    return wrong;
}

bool http_guard_rests(const struct http_guard *guard, unsigned answered)
{
    return guard->state == BEGIN && !guard->unjudged && guard->begun == answered;
}

#include "forwarded.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NODE_MOST 64 /* "[2001:db8::1]:65535" with room */

struct slice {
    const char *at;
    size_t size;
};

static struct slice trimmed(const char *at, size_t size)
{
    while (size && (*at == ' ' || *at == '\t')) {
        at++;
        size--;
    }
    while (size && (at[size - 1] == ' ' || at[size - 1] == '\t'))
        size--;
    return (struct slice){at, size};
}

/* An address, with or without a port, in RFC 7239's form of a node (section 6) or bare. */
static bool read_node(struct slice node, struct addr *to)
{
    char text[NODE_MOST];
    if (node.size >= sizeof(text) || memchr(node.at, '\0', node.size))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)node.size, node.at);
    char *colon = strchr(text, ':');
    if (text[0] == '[') {
        char *end = strchr(text, ']');
        if (!colon || !end || (end[1] != '\0' && end[1] != ':'))
            return false;
        *end = '\0';
        return addr_parse(to, text + 1);
    }
    if (colon && colon == strrchr(text, ':'))
        *colon = '\0';
    return addr_parse(to, text);
}

/* A value is a token or a quoted string; what would have to be unescaped is no address. */
static bool read_value(struct slice value, struct addr *to)
{
    bool quoted = value.size >= 2 && value.at[0] == '"' && value.at[value.size - 1] == '"';
    if (quoted)
        value = (struct slice){value.at + 1, value.size - 2};
    return !memchr(value.at, '"', value.size) && read_node(value, to);
}

/* Up to the next ';' that is not quoted; false where a quote is left open. */
static bool next_pair(struct slice *rest, struct slice *pair)
{
    bool quoted = false;
    size_t end = 0;
    while (end < rest->size && (quoted || rest->at[end] != ';')) {
        if (rest->at[end] == '\\' && quoted && end + 1 < rest->size)
            end++;
        else if (rest->at[end] == '"')
            quoted = !quoted;
        end++;
    }
    *pair = trimmed(rest->at, end);
    size_t used = end < rest->size ? end + 1 : end;
    *rest = (struct slice){rest->at + used, rest->size - used};
    return !quoted;
}

/* "for=192.0.2.1;proto=https": `for` must be there, and once. */
static bool read_pairs(struct slice element, struct addr *to)
{
    bool found = false;
    while (element.size) {
        struct slice pair;
        if (!next_pair(&element, &pair))
            return false;
        if (pair.size < 4 || strncasecmp(pair.at, "for=", 4) != 0)
            continue;
        if (found || !read_value((struct slice){pair.at + 4, pair.size - 4}, to))
            return false;
        found = true;
    }
    return found;
}

static void add(struct forwarded *list, bool known, const struct addr *address)
{
    if (list->count == FORWARDED_MOST) {
        memmove(list->hops, list->hops + 1, sizeof(list->hops) - sizeof(list->hops[0]));
        list->count--;
    }
    list->hops[list->count].known = known;
    list->hops[list->count].address = *address;
    list->count++;
}

void forwarded_add(struct forwarded *list, enum forwarded_kind kind, const char *value)
{
    while (*value) {
        size_t size = strcspn(value, ",");
        struct slice element = trimmed(value, size);
        struct addr address = {0};
        value += size + (value[size] == ',');
        if (element.size == 0) /* RFC 9110 section 5.6.1.2: empty elements do not count */
            continue;
        bool known = kind == FORWARDED_STANDARD ? read_pairs(element, &address)
                                                : read_node(element, &address);
        add(list, known, &address);
    }
}

struct addr forwarded_client(const struct forwarded *list, const struct addr *peer,
                             const struct addr_net *trusted, size_t count)
{
    struct addr client = *peer;
    for (size_t i = list->count; i > 0 && list->hops[i - 1].known; i--) {
        client = list->hops[i - 1].address;
        if (!addr_in_any(&client, trusted, count))
            break;
    }
    return client;
}

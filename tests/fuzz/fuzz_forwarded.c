/* X-Forwarded-For and Forwarded: a client writes what it likes, the proxy appends its line, and the
 * line alone decides. */
#include "forwarded.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
    if (!holds)
        abort();
}

static char *joined(const uint8_t *data, size_t size, const char *behind)
{
    char *text = malloc(size + strlen(behind) + 1);
    demand(text != NULL);
    for (size_t i = 0; i < size; i++)
        text[i] = data[i] ? (char)data[i] : ' '; /* a field's value has no NUL */
    strcpy(text + size, behind);
    return text;
}

static void try(const uint8_t *data, size_t size, enum forwarded_kind kind, const char *line)
{
    struct forwarded list = {0};
    struct addr peer, due;
    struct addr_net trusted;
    demand(addr_parse(&peer, "192.0.2.1") && addr_parse(&due, "203.0.113.5") &&
           addr_net_parse(&trusted, "192.0.2.0/24"));
    char *field = joined(data, size, ""), *whole = joined(data, size, line);
    forwarded_add(&list, kind, field);
    demand(list.count <= FORWARDED_MOST);
    forwarded_client(&list, &peer, &trusted, 1);
    forwarded_add(&list, kind, line); /* as a field of its own … */
    struct addr client = forwarded_client(&list, &peer, &trusted, 1);
    demand(addr_equal(&client, &due));
    list.count = 0; /* … or behind a comma */
    forwarded_add(&list, kind, whole);
    client = forwarded_client(&list, &peer, &trusted, 1);
    demand(addr_equal(&client, &due));
    free(field);
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try(data, size, FORWARDED_X_FOR, ", 203.0.113.5, 192.0.2.7");
    try(data, size, FORWARDED_STANDARD, ", for=203.0.113.5;proto=https, for=192.0.2.7");
    return 0;
}

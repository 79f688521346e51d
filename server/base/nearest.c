#include "nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

void nearest_init(struct nearest *nearest, const char *typed)
{
    size_t allowed = strlen(typed) / 2;

    *nearest = (struct nearest){.typed = typed};
    nearest->distance = (allowed < 1 ? 1 : allowed > 3 ? 3 : (unsigned)allowed) + 1;
}

static unsigned nearest_least(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

/* Levenshtein's distance without case, one row at a time; both texts are at most a name long. */
static unsigned nearest_distance(const char *a, const char *b)
{
    unsigned row[TEXT_NAME_SIZE];
    size_t width = strlen(b);

    for (size_t j = 0; j <= width; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < width; j++) {
            bool same = tolower((unsigned char)a[i]) == tolower((unsigned char)b[j]);
            unsigned above = row[j + 1];
            row[j + 1] = nearest_least(above + 1, row[j] + 1, corner + (same ? 0 : 1));
            corner = above;
        }
    }
    return row[width];
}

void nearest_offer(struct nearest *nearest, const char *name)
{
    if (strlen(name) >= TEXT_NAME_SIZE || strlen(nearest->typed) >= TEXT_NAME_SIZE)
        return;
    unsigned distance = nearest_distance(nearest->typed, name);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        text_copy(nearest->name, sizeof(nearest->name), name);
    }
}

/* Rows in aligned columns, for people. Cells are made harmless (plain.h) when they come in. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 12

struct table {
    const char *const *heads; /* static, plain; count of them */
    size_t columns;
    size_t rows, room;
    char **cells; /* rows × columns */
    bool failed;  /* memory ran out: table_print() says so */
};

/* `heads` ends with NULL and has at most TABLE_COLUMNS_MAX entries. A head beginning with '>' is
 * printed without it and its column is aligned to the right. */
void table_init(struct table *table, const char *const *heads);
void table_deinit(struct table *table); /* twice is fine */

/* One cell per column; NULL or "" is shown as "-". */
void table_row(struct table *table, const char *const *cells);

/* Heads, then rows. False when memory ran out or `out` could not be written. */
bool table_print(const struct table *table, FILE *out);

#include "table.h"

#include "plain.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_GAP 2

void table_init(struct table *table, const char *const *heads)
{
    *table = (struct table){.heads = heads};
    while (heads[table->columns] != NULL && table->columns < TABLE_COLUMNS_MAX)
        table->columns++;
}

void table_deinit(struct table *table)
{
    for (size_t i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    table->cells = NULL;
    table->rows = table->room = 0;
}

static bool table_grow(struct table *table)
{
    size_t room = table->room == 0 ? 16 : table->room * 2;
    char **cells = reallocarray(table->cells, room, table->columns * sizeof(char *));

    if (cells == NULL)
        return false;
    table->cells = cells;
    table->room = room;
    return true;
}

void table_row(struct table *table, const char *const *cells)
{
    if (table->failed || (table->rows == table->room && !table_grow(table))) {
        table->failed = true;
        return;
    }
    char **row = &table->cells[table->rows * table->columns];
    for (size_t i = 0; i < table->columns; i++) {
        bool empty = cells[i] == NULL || cells[i][0] == '\0';
        row[i] = plain_new(empty ? "-" : cells[i]);
        table->failed = table->failed || row[i] == NULL;
    }
    table->rows++;
}

static bool table_right(const struct table *table, size_t column)
{
    return table->heads[column][0] == '>';
}

static void table_line(const struct table *table, const char *const *cells, const size_t *widths,
                       FILE *out)
{
    for (size_t i = 0; i < table->columns; i++) {
        bool last = i + 1 == table->columns;
        int pad = (int)(widths[i] - plain_width(cells[i]));
        if (table_right(table, i))
            fprintf(out, "%*s%s", pad, "", cells[i]);
        else
            fprintf(out, "%s%*s", cells[i], last ? 0 : pad, "");
        fprintf(out, "%*s", last ? 0 : TABLE_GAP, "");
    }
    fputc('\n', out);
}

bool table_print(const struct table *table, FILE *out)
{
    const char *heads[TABLE_COLUMNS_MAX] = {0};
    size_t widths[TABLE_COLUMNS_MAX] = {0};

    if (table->failed)
        return false;
    for (size_t i = 0; i < table->columns; i++) {
        heads[i] = table->heads[i] + (table_right(table, i) ? 1 : 0);
        widths[i] = plain_width(heads[i]);
        for (size_t row = 0; row < table->rows; row++) {
            size_t width = plain_width(table->cells[row * table->columns + i]);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    table_line(table, heads, widths, out);
    for (size_t row = 0; row < table->rows; row++)
        table_line(table, (const char *const *)&table->cells[row * table->columns], widths, out);
    return fflush(out) == 0 && !ferror(out);
}

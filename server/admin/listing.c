#include "listing.h"

#include "act.h"
#include "plain.h"
#include "text.h"
#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define LISTING_CELL_SIZE 64
#define LISTING_LABEL_WIDTH 20

/* What people read for a value that is no text. */
static const char *listing_cell(enum listing_kind kind, int64_t number, char *to)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double size = (double)number;
    size_t unit = 0;

    switch (kind) {
    case LISTING_TIME:
        return when_local(number, to);
    case LISTING_TIME_MS:
        return when_local_ms(number, to);
    case LISTING_YES:
        return number != 0 ? "yes" : "";
    case LISTING_BYTES:
        for (; size >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
            size /= 1000;
        snprintf(to, LISTING_CELL_SIZE, unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
        return to;
    case LISTING_LIMIT:
        if (number == 0)
            return "none";
        break;
    case LISTING_NUMBER:
    case LISTING_TEXT:
    case LISTING_LINES:
        break;
    }
    snprintf(to, LISTING_CELL_SIZE, "%" PRId64, number);
    return to;
}

static json_t *listing_string(const char *text)
{
    json_t *value = json_string(text);

    if (value != NULL)
        return value;
    char *plain = plain_new(text);
    value = plain == NULL ? NULL : json_string(plain);
    free(plain);
    return value;
}

static json_t *listing_array(const char *lines)
{
    json_t *array = json_array();

    while (array != NULL && *lines != '\0') {
        size_t length = strcspn(lines, "\n");
        if (json_array_append_new(array, json_stringn(lines, length)) != 0) {
            json_decref(array);
            return NULL;
        }
        lines += length + (lines[length] == '\n');
    }
    return array;
}

static json_t *listing_value(enum listing_kind kind, const struct listing_value *value)
{
    char text[WHEN_SIZE];

    switch (kind) {
    case LISTING_TEXT:
        return listing_string(value->text == NULL ? "" : value->text);
    case LISTING_LINES:
        return listing_array(value->text);
    case LISTING_YES:
        return json_boolean(value->number != 0);
    case LISTING_TIME:
        if (value->number == 0)
            return json_null();
        return json_string(when_utc(value->number, text));
    case LISTING_TIME_MS:
        return json_string(when_utc_ms(value->number, text));
    case LISTING_NUMBER:
    case LISTING_LIMIT:
    case LISTING_BYTES:
        break;
    }
    return json_integer(value->number);
}

json_t *listing_object(const struct listing_column *columns, const struct listing_value *values)
{
    json_t *object = json_object();

    for (size_t i = 0; object != NULL && columns[i].key != NULL; i++) {
        json_t *value = listing_value(columns[i].kind, &values[i]);
        if (json_object_set_new(object, columns[i].key, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

void listing_init(struct listing *listing, struct act *act, const struct listing_column *columns,
                  bool json, const char *empty)
{
    size_t heads = 0;

    *listing = (struct listing){.act = act, .columns = columns, .json = json, .empty = empty};
    for (size_t i = 0; columns[i].key != NULL; i++) {
        if (columns[i].head != NULL && heads < TABLE_COLUMNS_MAX)
            listing->heads[heads++] = columns[i].head;
    }
    table_init(&listing->table, listing->heads);
    listing->array = json ? json_array() : NULL;
}

void listing_row(struct listing *listing, const struct listing_value *values)
{
    char rooms[TABLE_COLUMNS_MAX][LISTING_CELL_SIZE];
    const char *cells[TABLE_COLUMNS_MAX] = {0};
    size_t count = 0;

    listing->cut = listing->act->in_browser && listing->rows == LISTING_BROWSER_MOST;
    if (listing->cut)
        return;
    listing->rows++;
    if (listing->json) {
        json_t *object = listing_object(listing->columns, values);
        listing->failed = json_array_append_new(listing->array, object) != 0 || listing->failed;
        return;
    }
    for (size_t i = 0; listing->columns[i].key != NULL && count < TABLE_COLUMNS_MAX; i++) {
        const struct listing_column *column = &listing->columns[i];
        if (column->head == NULL)
            continue;
        cells[count] = column->kind == LISTING_TEXT
                           ? values[i].text
                           : listing_cell(column->kind, values[i].number, rooms[count]);
        count++;
    }
    table_row(&listing->table, cells);
}

static bool listing_show_lines(FILE *out, const char *lines)
{
    if (*lines == '\0')
        fputs("-\n", out);
    for (bool first = true; *lines != '\0'; first = false) {
        size_t length = strcspn(lines, "\n");
        char *line = strndup(lines, length);
        if (line == NULL)
            return false;
        fprintf(out, "%*s", first ? 0 : LISTING_LABEL_WIDTH, "");
        plain_print(out, line);
        fputc('\n', out);
        free(line);
        lines += length + (lines[length] == '\n');
    }
    return true;
}

int listing_show(struct act *act, const struct listing_column *columns,
                 const struct listing_value *values)
{
    char room[LISTING_CELL_SIZE];

    for (size_t i = 0; columns[i].key != NULL; i++) {
        enum listing_kind kind = columns[i].kind;
        char label[LISTING_LABEL_WIDTH];
        text_copy(label, sizeof(label), columns[i].key);
        for (char *at = label; *at != '\0'; at++)
            *at = *at == '_' ? ' ' : *at;
        fprintf(act->out, "%-*s", LISTING_LABEL_WIDTH, label);
        const char *text = kind == LISTING_TEXT || kind == LISTING_LINES
                               ? values[i].text
                               : listing_cell(kind, values[i].number, room);
        if (!listing_show_lines(act->out, text))
            return act_error(act, EX_OSERR, "out of memory");
    }
    return EX_OK;
}

int listing_json(FILE *out, json_t *value)
{
    if (value == NULL)
        return EX_OSERR;
    int failed = json_dumpf(value, out, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    json_decref(value);
    return failed != 0 || fputc('\n', out) == EOF ? EX_IOERR : EX_OK;
}

int listing_drop(struct listing *listing, int code)
{
    json_decref(listing->array);
    listing->array = NULL;
    table_deinit(&listing->table);
    return code;
}

int listing_finish(struct listing *listing)
{
    int code = EX_OK;

    if (listing->cut)
        act_error(listing->act, EX_OK, "these are the first %d; the command line shows all",
                  LISTING_BROWSER_MOST);
    if (listing->json && listing->failed) {
        code = EX_OSERR;
    } else if (listing->json) {
        code = listing_json(listing->act->out, listing->array);
        listing->array = NULL; /* consumed */
    } else if (listing->table.rows == 0 && !listing->table.failed) {
        fprintf(listing->act->err, "%s\n", listing->empty);
    } else if (!table_print(&listing->table, listing->act->out)) {
        code = EX_IOERR;
    }
    return listing_drop(listing, code);
}

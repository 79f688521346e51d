/* One description of a list's columns, two forms: a table for people, JSON for scripts. */
#pragma once

#include "table.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum listing_kind {
    LISTING_TEXT,
    LISTING_NUMBER,
    LISTING_LIMIT,   /* a number; people see "none" for 0 */
    LISTING_BYTES,   /* a number; people see "12.3 MB" */
    LISTING_YES,     /* a truth; people see "yes" or nothing */
    LISTING_TIME,    /* Unix seconds; 0: never (JSON null) */
    LISTING_TIME_MS, /* Unix milliseconds */
    LISTING_LINES,   /* text, lines each ended by a line feed; an array in JSON; not in tables */
};

struct listing_column {
    const char *key;  /* in JSON: stable */
    const char *head; /* in the table, '>' in front aligns to the right; NULL: only in JSON */
    enum listing_kind kind;
};

struct listing_value { /* text for LISTING_TEXT and LISTING_LINES, number for all others */
    const char *text;
    int64_t number;
};

#define LISTING_BROWSER_MOST 10000 /* rows; a terminal gets them all */

struct listing {
    struct act *act;
    const struct listing_column *columns; /* ends with key NULL; at most TABLE_COLUMNS_MAX */
    const char *empty;                    /* words for people when there is no row */
    bool json;
    bool failed, cut;
    size_t rows;
    json_t *array;
    const char *heads[TABLE_COLUMNS_MAX + 1];
    struct table table;
};

void listing_init(struct listing *listing, struct act *act, const struct listing_column *columns,
                  bool json, const char *empty);
void listing_row(struct listing *listing, const struct listing_value *values);
/* Prints to act->out and frees everything. An exit code. */
int listing_finish(struct listing *listing);
/* Frees everything unprinted and returns `code`. */
int listing_drop(struct listing *listing, int code);

/* One row as an object; NULL when memory ran out. Text that is not UTF-8 is given in plain form. */
json_t *listing_object(const struct listing_column *columns, const struct listing_value *values);

/* One row for people, a line per column and more for LISTING_LINES. An exit code. */
int listing_show(struct act *act, const struct listing_column *columns,
                 const struct listing_value *values);

/* Prints one JSON value on one line, escaped to ASCII, and frees it; NULL is out of memory. An exit
 * code. */
int listing_json(FILE *out, json_t *value);

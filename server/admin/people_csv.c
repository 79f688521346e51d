#include "people_csv.h"

#include "act.h"
#include "csv_cell.h"

#include <csv.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define CELL_MOST (8 * 1024) /* bytes; many groups, and as many quotation marks */

const char *const people_columns[PEOPLE_COLUMNS] = {
    [PEOPLE_NAME] = "name",
    [PEOPLE_GROUPS] = "groups",
    [PEOPLE_DISABLED] = "disabled",
    [PEOPLE_VALID_FROM] = "valid_from",
    [PEOPLE_VALID_UNTIL] = "valid_until",
    [PEOPLE_TUNNELS] = "tunnels",
    [PEOPLE_ROLE] = "role",
};

struct reading {
    struct people_file *file;
    enum people_column order[PEOPLE_COLUMNS]; /* of the cells in a line */
    size_t columns;
    size_t cell;   /* of the present line */
    bool begun;    /* the present line */
    bool in_head;  /* it is the first one */
    unsigned line; /* where it begins */
    unsigned at;   /* where the reader is */
    size_t size;   /* bytes since the last cell ended */
    struct people_line row;
    bool failed; /* memory */
};

int people_csv_fault(struct people_file *file, unsigned line, const char *format, ...)
{
    char words[512];
    va_list arguments;
    if (file->faults++ >= PEOPLE_FAULTS_MOST)
        return EX_DATAERR;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    return act_error(file->act, EX_DATAERR, "%s, line %u: %s", file->path, line, words);
}

int people_csv_verdict(struct people_file *file)
{
    if (file->faults == 0)
        return EX_OK;
    if (file->faults > PEOPLE_FAULTS_MOST)
        return act_error(file->act, EX_DATAERR, "… and %u more; nothing was changed",
                         file->faults - PEOPLE_FAULTS_MOST);
    return act_error(file->act, EX_DATAERR, "nothing was changed");
}

/* ---- cells ---- */

static void take_head(struct reading *reading, const char *text)
{
    struct people_file *file = reading->file;
    size_t i = 0;
    if (reading->columns == 0 && strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3; /* a byte order mark, as spreadsheets put it there */
    while (i < PEOPLE_COLUMNS && strcmp(people_columns[i], text) != 0)
        i++;
    if (i == PEOPLE_COLUMNS) {
        people_csv_fault(file, reading->line,
                         "there is no column '%.64s'; there are name, groups, "
                         "disabled, valid_from, valid_until, tunnels and role",
                         text);
        return;
    }
    if (file->has[i]) {
        people_csv_fault(file, reading->line, "the column %s is there twice", text);
        return;
    }
    file->has[i] = true;
    reading->order[reading->columns++] = (enum people_column)i;
}

static void take_cell(struct reading *reading, const char *text)
{
    if (reading->cell >= reading->columns)
        return; /* counted, and told at the line's end */
    char **to = &reading->row.cells[reading->order[reading->cell]];
    *to = strdup(csv_cell_read(text));
    reading->failed |= *to == NULL;
}

static void on_cell(void *text, size_t size, void *owner)
{
    struct reading *reading = owner;
    const char *cell = text ? text : ""; /* ends with a NUL: CSV_APPEND_NULL */
    if (strlen(cell) != size)
        people_csv_fault(reading->file, reading->line, "there is a NUL byte in it");
    else if (!text_is_utf8((const uint8_t *)cell, size))
        people_csv_fault(reading->file, reading->line, "it is not UTF-8 text");
    else if (reading->in_head)
        take_head(reading, cell);
    else
        take_cell(reading, cell);
    reading->cell++;
    reading->size = 0;
}

static void free_line(struct people_line *line)
{
    for (size_t i = 0; i < PEOPLE_COLUMNS; i++)
        free(line->cells[i]);
    *line = (struct people_line){0};
}

static void keep_line(struct reading *reading)
{
    struct people_file *file = reading->file;
    if (reading->cell != reading->columns)
        people_csv_fault(file, reading->line, "it has %zu cells, and the first line %zu",
                         reading->cell, reading->columns);
    if (file->count == PEOPLE_MOST) {
        people_csv_fault(file, reading->line, "more than %d people at once", PEOPLE_MOST);
    } else if (file->faults == 0) {
        reading->row.line = reading->line;
        file->lines[file->count++] = reading->row;
        reading->row = (struct people_line){0};
    }
    free_line(&reading->row);
}

static void on_line(int ended_by, void *owner)
{
    struct reading *reading = owner;
    (void)ended_by;
    if (!reading->in_head)
        keep_line(reading);
    else if (!reading->file->has[PEOPLE_NAME])
        people_csv_fault(reading->file, reading->line,
                         "the first line names the columns, and one "
                         "of them is name");
    reading->in_head = false;
    reading->begun = false;
    reading->cell = 0;
}

/* ---- the file ---- */

/* Byte by byte, since the library does not tell lines. */
static void parse(struct reading *reading, FILE *in)
{
    struct csv_parser parser;
    struct people_file *file = reading->file;
    size_t size = 0;
    int c = 0;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0) {
        reading->failed = true;
        return;
    }
    while (!reading->failed && file->faults <= PEOPLE_FAULTS_MOST && (c = getc(in)) != EOF) {
        char byte = (char)c;
        if (++size > PEOPLE_FILE_MOST) {
            people_csv_fault(file, reading->at, "the file is longer than %d MB",
                             PEOPLE_FILE_MOST / 1024 / 1024);
            break;
        }
        if (++reading->size > CELL_MOST) {
            people_csv_fault(file, reading->line, "a cell is longer than %d KB", CELL_MOST / 1024);
            break;
        }
        if (!reading->begun && byte != '\n' && byte != '\r') {
            reading->begun = true;
            reading->line = reading->at;
        }
        if (csv_parse(&parser, &byte, 1, on_cell, on_line, reading) != 1) {
            people_csv_fault(file, reading->at, "%s", csv_strerror(csv_error(&parser)));
            break;
        }
        reading->at += byte == '\n';
    }
    if (file->faults == 0 && csv_fini(&parser, on_cell, on_line, reading) != 0)
        people_csv_fault(file, reading->at, "%s", csv_strerror(csv_error(&parser)));
    csv_free(&parser);
}

int people_csv_read(struct people_file *file, struct act *act, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    *file = (struct people_file){.act = act, .path = standard ? "standard input" : path};
    struct reading reading = {.file = file, .in_head = true, .at = 1};
    FILE *in = standard ? stdin : fopen(path, "re");
    if (!in)
        return act_error(act, EX_NOINPUT, "%s: %s", path, strerror(errno));
    file->lines = calloc(PEOPLE_MOST, sizeof(*file->lines));
    if (file->lines)
        parse(&reading, in);
    bool broken = ferror(in) != 0;
    if (!standard)
        fclose(in);
    free_line(&reading.row);
    if (!file->lines || reading.failed)
        return act_error(act, EX_OSERR, "out of memory");
    if (broken)
        return act_error(act, EX_IOERR, "%s could not be read", file->path);
    if (reading.in_head && file->faults == 0)
        people_csv_fault(file, 1, "the file is empty");
    return people_csv_verdict(file);
}

void people_csv_free(struct people_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        free_line(&file->lines[i]);
    free(file->lines);
    *file = (struct people_file){0};
}

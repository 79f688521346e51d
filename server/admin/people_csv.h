/* People as lines of CSV: reading a file whole, before anything is done with it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct act;

enum people_column {
    PEOPLE_NAME,
    PEOPLE_GROUPS,      /* separated by ";" */
    PEOPLE_DISABLED,    /* yes, no or "" */
    PEOPLE_VALID_FROM,  /* RFC 3339, a date, or "" */
    PEOPLE_VALID_UNTIL, /* likewise */
    PEOPLE_TUNNELS,     /* a number, or "" */
    PEOPLE_ROLE,        /* user, administrator or "" */
    PEOPLE_COLUMNS
};
extern const char *const people_columns[PEOPLE_COLUMNS];

#define PEOPLE_FILE_MOST (10 * 1024 * 1024) /* bytes */
#define PEOPLE_MOST 10000                   /* each new one takes as long as a sign-in */
#define PEOPLE_FAULTS_MOST 20               /* told; more are counted */

struct people_line {
    unsigned line; /* of the file, where it begins */
    char *cells[PEOPLE_COLUMNS];
};

struct people_file {
    struct act *act;
    const char *path;
    bool has[PEOPLE_COLUMNS]; /* the columns of its head */
    struct people_line *lines;
    size_t count;
    unsigned faults;
};

/* Reads a file, or standard input for "-". An exit code; what is wrong with it is told, each fault
 * with its line. Free it in any case. */
int people_csv_read(struct people_file *file, struct act *act, const char *path);
void people_csv_free(struct people_file *file);

/* Tells what is wrong in a line, once for each. Returns EX_DATAERR. */
int people_csv_fault(struct people_file *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* EX_OK, or EX_DATAERR with a last word when there were more faults than were told. */
int people_csv_verdict(struct people_file *file);

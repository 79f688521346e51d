/* What every verb of the command line gets, and how all of them speak: words on standard error
 * that begin with the program's name, exit codes from sysexits.h. */
#pragma once

#include <stddef.h>

struct cli {
    const char *state;   /* the state folder, as given with --state or the default */
    const char *program; /* for messages: "deskgate" */
};

#define CLI_STATE_DEFAULT "/var/lib/deskgate"

/* A verb: argv[0] is its own name. Returns an exit code (sysexits.h). */
typedef int cli_verb(struct cli *cli, int argc, char **argv);

/* Says "deskgate: …" on standard error, control characters made harmless; returns `code`, so that
 * `return cli_fail(EX_USAGE, …)` reads well. No newline at the end of `format`. */
int cli_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `code`, when what was printed has gone out; else EX_IOERR, told. */
int cli_flushed(int code);

/* One option of a verb that has no sub-verbs. */
struct cli_option {
    const char *name;  /* without the dashes */
    const char *value; /* how the help calls its value; NULL: a flag */
    const char *help;
    /* Called for each occurrence ("" for a flag); a non-zero answer is an exit code and stops. */
    int (*take)(void *owner, const char *value);
};

struct cli_spec {
    const char *verb;
    const char *summary;              /* one or more sentences */
    const struct cli_option *options; /* ends with name NULL */
    /* The one word that it takes and needs, as the help calls it; NULL: it takes none. */
    const char *word;
    int (*take_word)(void *owner, const char *value);
};

/* Parses the arguments of a verb that takes options, and one word at most, before or behind them;
 * --help prints the help to standard output. -1 to go on, else the exit code to end with. */
int cli_parse(const struct cli_spec *spec, void *owner, int argc, char **argv);

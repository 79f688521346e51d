/* Sub-verbs as tables: "deskgate user add …". Arguments are parsed, --help is answered and mistakes
 * are told here; what a sub-verb does is in its own file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct act;
struct cli;

#define SUB_OPTIONS_MAX 10
#define SUB_MANY_MAX 32 /* times that a repeatable option may be given */

struct sub_option {
    const char *name; /* without the dashes */
    const char *value; /* how the help calls its value; NULL: a flag. With "…" behind it, the option
                          may be given again and again; one such per sub-verb */
    const char *help;
};

struct sub_args {
    char **words; /* what is no option, in order */
    size_t count;
    const struct sub_option *options;
    const char *values[SUB_OPTIONS_MAX]; /* by the place in `options`; NULL: not given */
    const char *many[SUB_MANY_MAX];      /* of the repeatable option, as given */
    size_t many_count;
};

struct sub {
    const char *name;
    const char *arguments;            /* for the usage line: "NAME --host HOST" */
    const char *summary;              /* one sentence */
    const char *example;              /* one or more lines, each indented by two spaces */
    const struct sub_option *options; /* at most SUB_OPTIONS_MAX, ends with name NULL; or NULL */
    size_t least, most;               /* words */
    int (*run)(struct act *act, const struct sub_args *args); /* an exit code */
};

struct sub_verb {
    const char *name;
    const char *summary;
    const struct sub *subs; /* ends with name NULL */
};

/* Finds the sub-verb, parses, opens the store, runs, and says when output was lost. */
int sub_run(const struct sub_verb *verb, struct cli *cli, int argc, char **argv);

/* The same for a verb that is its own only sub-verb, whose name is "". */
int sub_run_alone(const struct sub_verb *verb, struct cli *cli, int argc, char **argv);

/* For whoever has told words and options apart already: one option, `value` NULL where none was
 * given with it, and at the end the number of words. Both tell what is wrong. */
int sub_give(struct act *act, const struct sub_verb *verb, const struct sub *sub,
             struct sub_args *args, const char *name, const char *value);
int sub_count(struct act *act, const struct sub_verb *verb, const struct sub *sub,
              const struct sub_args *args);

/* An option's value ("" for a flag), NULL when it was not given. */
const char *sub_value(const struct sub_args *args, const char *name);

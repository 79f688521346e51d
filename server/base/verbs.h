/* A program that is a table of verbs: "deskgate [--state DIR] VERB …". There are two such tables,
 * main.c with all of them and main_client.c with the client's alone. */
#pragma once

#include "cli.h"

#include <stdbool.h>
#include <stddef.h>

struct verb {
    const char *name, *help; /* no help: not for people */
    cli_verb *run;
};

struct verbs {
    const char *about; /* a sentence for the help */
    bool state;        /* verbs work on a state folder, so --state is taken */
    const struct verb *table;
    size_t count;
};

/* Takes the options before the verb, runs it, or tells what there is. Returns the exit code. */
int verbs_run(const struct verbs *verbs, int argc, char **argv);

#include "verbs.h"

#include "memory.h"
#include "nearest.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void verbs_usage(const struct verbs *verbs, FILE *out)
{
    fprintf(out, "Usage: deskgate %sVERB [OPTIONS]\n\n%s\n\nVerbs:\n",
            verbs->state ? "[--state DIR] " : "", verbs->about);
    for (size_t i = 0; i < verbs->count; i++) {
        if (verbs->table[i].help)
            fprintf(out, "  %-13s %s\n", verbs->table[i].name, verbs->table[i].help);
    }
    fprintf(out, "\nOptions:\n");
    if (verbs->state)
        fprintf(out, "  --state DIR  the folder with configuration, database and keys (%s)\n",
                CLI_STATE_DEFAULT);
    fprintf(out, "  --version    print the version\n"
                 "  --help       this text; 'deskgate VERB --help' tells more about a verb\n");
}

static int verbs_unknown(const struct verbs *verbs, const char *what, const char *typed)
{
    struct nearest nearest;

    nearest_init(&nearest, typed);
    for (size_t i = 0; i < verbs->count; i++) {
        if (verbs->table[i].help)
            nearest_offer(&nearest, verbs->table[i].name);
    }
    return cli_fail(EX_USAGE, "there is no %s '%s'%s%s%s; 'deskgate --help' lists what there is",
                    what, typed, nearest.name[0] ? ", did you mean '" : "", nearest.name,
                    nearest.name[0] ? "'?" : "");
}

/* --state at argv[*i], with its folder in the same word or the next. -1: it is something else. */
static int verbs_state(const struct verbs *verbs, struct cli *cli, int argc, char **argv, int *i)
{
    if (!verbs->state)
        return -1;
    if (strncmp(argv[*i], "--state=", 8) == 0)
        cli->state = argv[*i] + 8;
    else if (strcmp(argv[*i], "--state") == 0 && *i + 1 < argc)
        cli->state = argv[++*i];
    else if (strcmp(argv[*i], "--state") != 0)
        return -1;
    else
        cli->state = "";
    return cli->state[0] ? EX_OK : cli_fail(EX_USAGE, "--state wants a folder");
}

/* Options before the verb. Returns the place of the verb, or -1 with an exit code in `code`. */
static int verbs_options(const struct verbs *verbs, struct cli *cli, int argc, char **argv,
                         int *code)
{
    for (int i = 1; i < argc; i++) {
        *code = verbs_state(verbs, cli, argc, argv, &i);
        if (*code > EX_OK)
            return -1;
        if (*code == EX_OK)
            continue;
        *code = EX_OK;
        if (argv[i][0] != '-')
            return i;
        if (strcmp(argv[i], "--version") == 0)
            puts("deskgate " DESKGATE_VERSION);
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            verbs_usage(verbs, stdout);
        else
            *code = verbs_unknown(verbs, "option", argv[i]);
        if (*code == EX_OK)
            *code = cli_flushed(EX_OK);
        return -1;
    }
    verbs_usage(verbs, stderr);
    *code = EX_USAGE;
    return -1;
}

int verbs_run(const struct verbs *verbs, int argc, char **argv)
{
    struct cli cli = {.state = CLI_STATE_DEFAULT, .program = "deskgate"};
    int code;
    memory_undumped();
    int at = verbs_options(verbs, &cli, argc, argv, &code);

    if (at < 0)
        return code;
    if (strcmp(argv[at], "help") == 0) {
        verbs_usage(verbs, stdout);
        return cli_flushed(EX_OK);
    }
    for (size_t i = 0; i < verbs->count; i++) {
        if (strcmp(verbs->table[i].name, argv[at]) == 0)
            return verbs->table[i].run(&cli, argc - at, argv + at);
    }
    return verbs_unknown(verbs, "verb", argv[at]);
}

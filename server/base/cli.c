#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define CLI_OPTIONS_MAX 16
#define CLI_HELP 256 /* above every place in the table */

int cli_fail(int code, const char *format, ...)
{
    char words[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    for (char *c = words; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    }
    fprintf(stderr, "deskgate: %s\n", words);
    return code;
}

int cli_flushed(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return cli_fail(EX_IOERR, "standard output could not be written%s%s", errno ? ": " : "",
                    errno ? strerror(errno) : "");
}

static int cli_help(const struct cli_spec *spec)
{
    printf("Usage: deskgate [--state DIR] %s%s%s [OPTIONS]\n\n%s\n\nOptions:\n", spec->verb,
           spec->word ? " " : "", spec->word ? spec->word : "", spec->summary);
    for (const struct cli_option *option = spec->options; option->name; option++) {
        char left[40];
        snprintf(left, sizeof(left), "--%s%s%s", option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        printf("  %-22s %s\n", left, option->help);
    }
    printf("  %-22s %s\n", "--help", "this text");
    return cli_flushed(EX_OK);
}

static void cli_table(const struct cli_spec *spec, struct option table[CLI_OPTIONS_MAX + 2])
{
    int count = 0;

    for (; count < CLI_OPTIONS_MAX && spec->options[count].name; count++)
        table[count] = (struct option){
            .name = spec->options[count].name,
            .has_arg = spec->options[count].value ? required_argument : no_argument,
            .val = count + 1,
        };
    table[count++] = (struct option){.name = "help", .val = CLI_HELP};
    table[count] = (struct option){0};
}

int cli_parse(const struct cli_spec *spec, void *owner, int argc, char **argv)
{
    struct option table[CLI_OPTIONS_MAX + 2];
    int id;

    cli_table(spec, table);
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((id = getopt_long(argc, argv, spec->word ? ":h" : "+:h", table, NULL)) != -1) {
        if (id == CLI_HELP || id == 'h')
            return cli_help(spec);
        if (id == '?' || id == ':')
            return cli_fail(EX_USAGE, "%s: %s '%s'; 'deskgate %s --help' lists the options",
                            spec->verb,
                            id == ':' ? "a value is missing behind" : "there is no option",
                            argv[optind - 1], spec->verb);
        int code = spec->options[id - 1].take(owner, optarg ? optarg : "");
        if (code != EX_OK)
            return code;
    }
    if (spec->word && optind == argc)
        return cli_fail(EX_USAGE, "%s wants %s; 'deskgate %s --help' tells more", spec->verb,
                        spec->word, spec->verb);
    if (spec->word) {
        int code = spec->take_word(owner, argv[optind++]);
        if (code != EX_OK)
            return code;
    }
    if (optind < argc)
        return cli_fail(EX_USAGE, "%s: '%s' is more than it takes; 'deskgate %s --help' tells more",
                        spec->verb, argv[optind], spec->verb);
    return -1;
}

#include "sub.h"

#include "act.h"
#include "nearest.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void sub_options_help(const struct sub *sub)
{
    printf("\nOptions:\n");
    for (const struct sub_option *option = sub->options; option && option->name; option++) {
        char left[40];
        snprintf(left, sizeof(left), "--%s%s%s", option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        printf("  %-22s %s\n", left, option->help);
    }
    printf("  %-22s %s\n", "--help", "this text");
}

/* A verb may be its own sub-verb, which has no name then. */
static const char *sub_gap(const char *word)
{
    return *word == '\0' ? "" : " ";
}

static void sub_help(const struct sub_verb *verb, const struct sub *sub)
{
    printf("Usage: deskgate [--state DIR] %s%s%s%s%s\n\n%s\n", verb->name, sub_gap(sub->name),
           sub->name, sub_gap(sub->arguments), sub->arguments, sub->summary);
    sub_options_help(sub);
    printf("\nExample:\n%s\n", sub->example);
}

static void sub_verb_help(const struct sub_verb *verb, FILE *out)
{
    fprintf(out, "Usage: deskgate [--state DIR] %s SUB-VERB …\n\n%s\n\nSub-verbs:\n", verb->name,
            verb->summary);
    for (const struct sub *sub = verb->subs; sub->name != NULL; sub++)
        fprintf(out, "  %-10s %s\n", sub->name, sub->summary);
    fprintf(out, "\nExample:\n%s\n\n'deskgate %s SUB-VERB --help' tells more.\n",
            verb->subs[0].example, verb->name);
}

static bool sub_asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

static int sub_usage(struct act *act, const struct sub_verb *verb, const struct sub *sub,
                     const char *what)
{
    return act_error(act, EX_USAGE,
                     "%s; usage: deskgate %s%s%s %s ('deskgate %s%s%s --help' tells more)", what,
                     verb->name, sub_gap(sub->name), sub->name, sub->arguments, verb->name,
                     sub_gap(sub->name), sub->name);
}

static int sub_unknown_option(struct act *act, const struct sub_verb *verb, const struct sub *sub,
                              const char *typed)
{
    struct nearest nearest;
    char what[256];

    if (strcmp(typed, "state") == 0)
        return sub_usage(act, verb, sub, "--state stands before the verb: deskgate --state DIR …");
    nearest_init(&nearest, typed);
    for (const struct sub_option *option = sub->options; option && option->name; option++)
        nearest_offer(&nearest, option->name);
    snprintf(what, sizeof(what), "there is no option --%.64s%s%s%s", typed,
             nearest.name[0] ? " (did you mean --" : "", nearest.name, nearest.name[0] ? "?)" : "");
    return sub_usage(act, verb, sub, what);
}

/* One option; `value` NULL: none was given with it. */
static int sub_take(struct act *act, const struct sub_verb *verb, const struct sub *sub,
                    struct sub_args *args, size_t place, const char *value)
{
    const struct sub_option *option = &sub->options[place];
    const char *fault = NULL;
    char what[256];
    bool many = option->value != NULL && strstr(option->value, "…") != NULL;

    if (args->values[place] != NULL && !many)
        fault = "is given twice";
    else if (many && args->many_count == SUB_MANY_MAX)
        fault = "is given too often";
    else if (option->value == NULL && value != NULL)
        fault = "takes no value";
    else if (option->value != NULL && value == NULL)
        fault = "needs a value";
    if (fault != NULL) {
        snprintf(what, sizeof(what), "--%s %s", option->name, fault);
        return sub_usage(act, verb, sub, what);
    }
    args->values[place] = value == NULL ? "" : value;
    if (many)
        args->many[args->many_count++] = value;
    return EX_OK;
}

/* Its place in the table; SIZE_MAX: there is no such option. */
static size_t sub_place(const struct sub *sub, const char *name, size_t length)
{
    for (size_t i = 0; sub->options && sub->options[i].name; i++) {
        if (strlen(sub->options[i].name) == length &&
            memcmp(sub->options[i].name, name, length) == 0)
            return i;
    }
    return SIZE_MAX;
}

int sub_give(struct act *act, const struct sub_verb *verb, const struct sub *sub,
             struct sub_args *args, const char *name, const char *value)
{
    size_t place = sub_place(sub, name, strlen(name));

    return place == SIZE_MAX ? sub_unknown_option(act, verb, sub, name)
                             : sub_take(act, verb, sub, args, place, value);
}

/* One option at argv[*at]: "--name", "--name value" or "--name=value". */
static int sub_option(struct act *act, const struct sub_verb *verb, const struct sub *sub,
                      struct sub_args *args, char **argv, int argc, int *at)
{
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    size_t place = sub_place(sub, name, length);
    const char *value = equals ? equals + 1 : NULL;
    char what[256];

    if (place == SIZE_MAX) {
        snprintf(what, sizeof(what), "%.*s", (int)(length < 200 ? length : 200), name);
        return sub_unknown_option(act, verb, sub, what);
    }
    if (sub->options[place].value != NULL && equals == NULL && *at + 1 < argc)
        value = argv[++*at];
    return sub_take(act, verb, sub, args, place, value);
}

int sub_count(struct act *act, const struct sub_verb *verb, const struct sub *sub,
              const struct sub_args *args)
{
    if (args->count < sub->least)
        return sub_usage(act, verb, sub, "something is missing");
    if (args->count > sub->most)
        return sub_usage(act, verb, sub, "that is more than it takes");
    return EX_OK;
}

/* Words are gathered at the front of argv. */
static int sub_parse(struct act *act, const struct sub_verb *verb, const struct sub *sub,
                     struct sub_args *args, int argc, char **argv)
{
    bool only_words = false;

    *args = (struct sub_args){.words = argv, .options = sub->options};
    for (int i = 0; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (only_words || argv[i][0] != '-' || argv[i][1] == '\0') {
            args->words[args->count++] = argv[i];
        } else if (argv[i][1] != '-') {
            return sub_unknown_option(act, verb, sub, argv[i] + 1);
        } else {
            int code = sub_option(act, verb, sub, args, argv, argc, &i);
            if (code != EX_OK)
                return code;
        }
    }
    return sub_count(act, verb, sub, args);
}

static const struct sub *sub_find(struct act *act, const struct sub_verb *verb, const char *name)
{
    struct nearest nearest;

    nearest_init(&nearest, name);
    for (const struct sub *sub = verb->subs; sub->name != NULL; sub++) {
        if (strcmp(sub->name, name) == 0)
            return sub;
        nearest_offer(&nearest, sub->name);
    }
    act_error(act, EX_USAGE, "'%s' has no sub-verb '%s'%s%s%s; 'deskgate %s --help' lists them",
              verb->name, name, nearest.name[0] ? ", did you mean '" : "", nearest.name,
              nearest.name[0] ? "'?" : "", verb->name);
    return NULL;
}

static int sub_act(struct act *act, const struct sub *sub, struct cli *cli,
                   const struct sub_args *args)
{
    int code = act_open(act, cli);

    if (code != EX_OK)
        return code;
    code = sub->run(act, args);
    act_close(act);
    if ((fflush(act->out) != 0 || ferror(act->out)) && code == EX_OK)
        code = EX_IOERR;
    if (code == EX_IOERR && ferror(act->out))
        act_error(act, code, "standard output could not be written; changes, if any, are made");
    return code;
}

int sub_run(const struct sub_verb *verb, struct cli *cli, int argc, char **argv)
{
    struct sub_args args;
    struct act act;

    act_init(&act);
    if (argc < 2) {
        sub_verb_help(verb, stderr);
        return EX_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        sub_verb_help(verb, stdout);
        return EX_OK;
    }
    const struct sub *sub = sub_find(&act, verb, argv[1]);
    if (sub == NULL)
        return EX_USAGE;
    if (sub_asks_help(argc - 2, argv + 2)) {
        sub_help(verb, sub);
        return EX_OK;
    }
    int code = sub_parse(&act, verb, sub, &args, argc - 2, argv + 2);
    return code == EX_OK ? sub_act(&act, sub, cli, &args) : code;
}

int sub_run_alone(const struct sub_verb *verb, struct cli *cli, int argc, char **argv)
{
    struct sub_args args;
    const struct sub *sub = &verb->subs[0];
    struct act act;

    act_init(&act);
    if (sub_asks_help(argc - 1, argv + 1)) {
        sub_help(verb, sub);
        return EX_OK;
    }
    int code = sub_parse(&act, verb, sub, &args, argc - 1, argv + 1);
    return code == EX_OK ? sub_act(&act, sub, cli, &args) : code;
}

const char *sub_value(const struct sub_args *args, const char *name)
{
    for (size_t i = 0; args->options && args->options[i].name; i++) {
        if (strcmp(args->options[i].name, name) == 0)
            return args->values[i];
    }
    return NULL;
}

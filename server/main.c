/* deskgate: the table of contents. */
#include "admin.h"
#include "alert_post.h"
#include "backup.h"
#include "checkup.h"
#include "cli.h"
#include "connect.h"
#include "init.h"
#include "nearest.h"
#include "rdp_file.h"
#include "restore.h"
#include "serve.h"
#include "syslog_forward.h"
#include "upgrade_verb.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct verb {
    const char *name, *help; /* no help: not for people */
    cli_verb *run;
} verbs[] = {
    {"init", "make a state folder: configuration, database, keys, certificate", init_verb},
    {"serve", "run the gateway", serve_verb},
    {"upgrade", "let the program that is installed now take over, dropping nobody", upgrade_verb},
    {"backup", "write database, keys, configuration and certificates to a file", backup_verb},
    {"restore", "make a state folder of such a file", restore_verb},
    {"check", "say what is wrong with the gateway and how to mend it", checkup_verb},
    {"user", "people: add, list, passwords, second factors, disable, remove", user_verb},
    {"group", "groups of people", group_verb},
    {"desktop", "the desktops behind the gateway", desktop_verb},
    {"desktop-group", "groups of desktops", desktop_group_verb},
    {"grant", "who may reach which desktop", grant_verb},
    {"address", "from where people may come", address_verb},
    {"explain", "why somebody may or may not reach a desktop", explain_verb},
    {"lockout", "who has to wait before signing in", lockout_verb},
    {"session", "who is signed in; end a session", session_verb},
    {"tunnel", "who is connected; end a tunnel", tunnel_verb},
    {"audit", "what has happened", audit_verb},
    {"alert", "what was worth your attention; try the rules out", alert_verb},
    {"settings", "the configuration, with where each value comes from", settings_verb},
    {"connect", "the client: reach a desktop through a gateway", connect_verb},
    {"rdp-file", "the client: fetch an .rdp file from a gateway", rdp_file_verb},
    {"gate", NULL, serve_gate_child},
    {"keeper", NULL, serve_keeper_child},
    {"serve-heir", NULL, serve_heir_child},
    {"alert-post", NULL, alert_post_verb},
    {"syslog-forward", NULL, syslog_forward_verb},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void usage(FILE *out)
{
    fprintf(out, "Usage: deskgate [--state DIR] VERB [OPTIONS]\n\n"
                 "An RDP gateway: password and one-time code at port 443, then a desktop.\n\n"
                 "Verbs:\n");
    for (size_t i = 0; i < VERBS; i++) {
        if (verbs[i].help)
            fprintf(out, "  %-13s %s\n", verbs[i].name, verbs[i].help);
    }
    fprintf(out,
            "\nOptions:\n"
            "  --state DIR  the folder with configuration, database and keys (%s)\n"
            "  --version    print the version\n"
            "  --help       this text; 'deskgate VERB --help' tells more about a verb\n",
            CLI_STATE_DEFAULT);
}

static int unknown(const char *what, const char *typed)
{
    struct nearest nearest;

    nearest_init(&nearest, typed);
    for (size_t i = 0; i < VERBS; i++) {
        if (verbs[i].help)
            nearest_offer(&nearest, verbs[i].name);
    }
    return cli_fail(EX_USAGE, "there is no %s '%s'%s%s%s; 'deskgate --help' lists what there is",
                    what, typed, nearest.name[0] ? ", did you mean '" : "", nearest.name,
                    nearest.name[0] ? "'?" : "");
}

/* Options before the verb. Returns the place of the verb, or -1 with an exit code in `code`. */
static int globals(struct cli *cli, int argc, char **argv, int *code)
{
    *code = EX_OK;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--state=", 8) == 0) {
            cli->state = argv[i] + 8;
        } else if (strcmp(argv[i], "--state") == 0 && i + 1 < argc) {
            cli->state = argv[++i];
        } else if (strcmp(argv[i], "--version") == 0) {
            puts("deskgate " DESKGATE_VERSION);
            return -1;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            usage(stdout);
            return -1;
        } else if (argv[i][0] == '-') {
            *code = strcmp(argv[i], "--state") == 0 ? cli_fail(EX_USAGE, "--state wants a folder")
                                                    : unknown("option", argv[i]);
            return -1;
        } else if (cli->state[0] == '\0') {
            *code = cli_fail(EX_USAGE, "--state wants a folder");
            return -1;
        } else {
            return i;
        }
    }
    usage(stderr);
    *code = EX_USAGE;
    return -1;
}

int main(int argc, char **argv)
{
    struct cli cli = {.state = CLI_STATE_DEFAULT, .program = "deskgate"};
    int code;
    int at = globals(&cli, argc, argv, &code);

    if (at < 0)
        return code;
    if (strcmp(argv[at], "help") == 0) {
        usage(stdout);
        return EX_OK;
    }
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].name, argv[at]) == 0)
            return verbs[i].run(&cli, argc - at, argv + at);
    }
    return unknown("verb", argv[at]);
}

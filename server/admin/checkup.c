#include "checkup.h"

#include "cli.h"
#include "listing.h"
#include "plain.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static const char *const level_words[] = {"ok", "warning", "problem"};

void checkup_say(struct checkup *check, enum checkup_level level, const char *item,
                 const char *mend, const char *format, ...)
{
    char message[CONF_PATH_SIZE + 1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    check->found[level]++;
    if (check->json) {
        char *plain = plain_new(message);
        json_array_append_new(check->items, json_pack("{s:s, s:s, s:s, s:s}", "item", item, "level",
                                                      level_words[level], "message",
                                                      plain ? plain : "", "mend", mend));
        free(plain);
        return;
    }
    printf("%-8s %s: ", level_words[level], item);
    plain_print(stdout, message);
    putchar('\n');
    if (*mend)
        printf("         -> %s\n", mend);
}

/* Whom the gateway will run as: started by root it becomes [server] user. `whole`: the
 * configuration says who that is; else it will be whom the folder belongs to. */
static void checkup_user(struct checkup *check, bool whole)
{
    const struct conf *conf = &check->conf;
    struct stat st;

    check->uid = geteuid();
    check->gid = getegid();
    if (geteuid() != 0)
        return;
    if (!whole) {
        if (stat(conf->state, &st) == 0) {
            check->uid = st.st_uid;
            check->gid = st.st_gid;
        }
        return;
    }
    if (conf->user[0] == '\0' || strcmp(conf->user, "root") == 0) {
        checkup_say(check, CHECKUP_WARNING, "user", "name an ordinary user in [server] user",
                    "the gateway keeps root when root starts it");
        return;
    }
    const struct passwd *entry = getpwnam(conf->user);
    if (!entry) {
        checkup_say(check, CHECKUP_PROBLEM, "user",
                    "useradd --system --user-group --no-create-home --shell /usr/sbin/nologin NAME",
                    "there is no user '%s' to become ([server] user)", conf->user);
        return;
    }
    check->uid = entry->pw_uid;
    check->gid = entry->pw_gid;
    checkup_say(check, CHECKUP_OK, "user", "", "the gateway becomes '%s'", conf->user);
}

static bool checkup_conf(struct checkup *check, const char *state)
{
    char why[2048];
    int error = conf_load(&check->conf, state, why, sizeof(why));

    if (error == 0) {
        checkup_say(check, CHECKUP_OK, "configuration", "", "%s/" CONF_FILE, check->conf.state);
        return true;
    }
    checkup_say(check, CHECKUP_PROBLEM, "configuration",
                "correct the line, or run 'deskgate init' when there is none", "%s", why);
    conf_defaults(&check->conf, state);
    return false;
}

/* Who may not look would be told that what is there is not, and be given mends that do harm. */
static int checkup_may_look(struct checkup *check, const char *state)
{
    static const char *const names[] = {CONF_FILE, CONF_SECRET_KEY, CONF_DATABASE};
    struct stat st;

    conf_defaults(&check->conf, state);
    state = check->conf.state;
    bool denied = access(state, R_OK | X_OK) != 0 && errno == EACCES;
    bool owner = geteuid() == 0 || (stat(state, &st) == 0 && st.st_uid == geteuid());
    for (size_t i = 0; !owner && i < sizeof(names) / sizeof(*names); i++) {
        char path[CONF_PATH_SIZE];
        conf_path(&check->conf, names[i], path);
        denied |= access(path, R_OK) != 0 && errno == EACCES;
    }
    return denied ? cli_fail(EX_NOPERM,
                             "%s may not be read by this user: run 'deskgate check' as root or as "
                             "the gateway's user",
                             state)
                  : EX_OK;
}

static int checkup_finish(struct checkup *check)
{
    const char *result = check->found[CHECKUP_PROBLEM]   ? "problem"
                         : check->found[CHECKUP_WARNING] ? "warning"
                                                         : "ok";
    int code = check->found[CHECKUP_PROBLEM] ? EX_UNAVAILABLE : EX_OK;

    if (check->json) {
        int printed =
            listing_json(stdout, json_pack("{s:s, s:o}", "result", result, "items", check->items));
        return cli_flushed(printed == EX_OK ? code : printed);
    }
    unsigned warnings = check->found[CHECKUP_WARNING], problems = check->found[CHECKUP_PROBLEM];
    printf("\n%u ok, %u warning%s, %u problem%s\n", check->found[CHECKUP_OK], warnings,
           warnings == 1 ? "" : "s", problems, problems == 1 ? "" : "s");
    return cli_flushed(code);
}

static int take_json(void *owner, const char *value)
{
    struct checkup *check = owner;
    (void)value;
    check->json = true;
    return EX_OK;
}

static int checkup_look(struct checkup *check, const char *state)
{
    check->items = check->json ? json_array() : NULL;
    bool whole = checkup_conf(check, state);
    checkup_user(check, whole);
    checkup_disk(check);
    checkup_state(check);
    if (whole) {
        checkup_certificates(check);
        checkup_paths(check);
        checkup_settings(check);
    }
    checkup_store(check);
    checkup_clock(check);
    checkup_cage(check);
    checkup_memory(check);
    if (whole)
        checkup_ports(check);
    if (check->store)
        checkup_grants(check);
    if (whole && check->store)
        checkup_desktops(check);
    store_close(check->store);
    return checkup_finish(check);
}

int checkup_verb(struct cli *cli, int argc, char **argv)
{
    static const struct cli_option table[] = {
        {"json", NULL, "print one JSON object: result, items (item, level, message, mend)",
         take_json},
        {0},
    };
    static const struct cli_spec spec = {
        .verb = "check",
        .summary =
            "Looks at configuration, certificate, clock, disk, files, settings, ports,\n"
            "database, kernel, grants and desktops; says what is wrong and how to mend it.\n"
            "Ends with 0 when there is no problem (warnings allowed), with 69 otherwise, and\n"
            "with 77 when this user may not read the state folder.",
        .options = table,
    };
    struct checkup *check = calloc(1, sizeof(*check));

    if (!check)
        return cli_fail(EX_OSERR, "out of memory");
    int code = cli_parse(&spec, check, argc, argv);
    if (code < 0) {
        code = checkup_may_look(check, cli->state);
        if (code == EX_OK)
            code = checkup_look(check, cli->state);
    }
    free(check);
    return code;
}

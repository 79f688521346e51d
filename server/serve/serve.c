#include "serve.h"

#include "cli.h"
#include "log.h"
#include "serve_child.h"
#include "serve_desk.h"
#include "serve_drop.h"
#include "serve_listen.h"
#include "serve_pems.h"
#include "serve_reload.h"
#include "supervisor.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* Standard descriptors exist, so that no socket takes their numbers; all others that we were
 * started with stay here, and the children get only what they are given. */
static void tidy_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) == 0);
    if (fd > STDERR_FILENO)
        close(fd);
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC); /* Linux 5.11; best effort */
}

static int no_pems(const char *why)
{
    LOG_ERROR("tls.certificate",
              "a file with certificates or a key is not usable; 'deskgate check' tells more",
              LOG_TEXT("why", why));
    return EX_CONFIG;
}

/* The path that we were started by: what is there later is what 'deskgate upgrade' starts. */
static const char *program_path(char to[CONF_PATH_SIZE])
{
    ssize_t size = readlink("/proc/self/exe", to, CONF_PATH_SIZE - 1);
    to[size > 0 ? size : 0] = '\0';
    return to;
}

static void open_desk(struct serve_desk *desk)
{
    int error = serve_desk_open(desk);
    if (error)
        LOG_WARNING("desk", "'deskgate upgrade' cannot reach this gateway",
                    LOG_TEXT("error", strerror(-error)));
}

static int serve(struct conf *conf, struct supervisor_setup *setup)
{
    char why[CONF_PATH_SIZE + 256], program[CONF_PATH_SIZE];

    serve_drop_limits(conf);
    int code = serve_listen(conf, setup->listeners);
    if (code == EX_OK)
        code = serve_drop_root(conf);
    if (code == EX_OK && !serve_drop_privileges())
        code = EX_OSERR;
    if (code != EX_OK)
        return code;
    if (!serve_desk_lock(setup->desk, conf, why, sizeof(why))) {
        LOG_ERROR("start", "cannot start", LOG_TEXT("why", why));
        return EX_UNAVAILABLE;
    }
    if (serve_pems_load(setup->pems, conf, why, sizeof(why)) != 0)
        return no_pems(why);
    open_desk(setup->desk);
    setup->program = program_path(program);
    return supervisor_run(setup);
}

/* Until told to stop by SIGTERM or SIGINT. `ready_fd` (-1: none) gets one line with the addresses
 * when the gateway serves. Returns an exit code (sysexits.h). */
static int run(const struct conf *conf, int ready_fd)
{
    struct conf own = *conf; /* gets the addresses that were really bound */
    struct serve_listeners listeners = {0};
    struct serve_pems pems = SERVE_PEMS_NONE;
    struct serve_desk desk = SERVE_DESK_NONE;
    struct serve_settings settings;

    tidy_descriptors();
    umask(077);
    log_init("supervisor", LOG_LEVEL_INFO);
    serve_settings_take(&settings, own.state);
    int code = serve(&own, &(struct supervisor_setup){.conf = &own,
                                                      .listeners = &listeners,
                                                      .pems = &pems,
                                                      .settings = &settings,
                                                      .ready_fd = ready_fd,
                                                      .link = -1,
                                                      .desk = &desk});
    serve_listen_close(&listeners);
    serve_pems_close(&pems);
    serve_desk_close(&desk);
    return code;
}

/* ---- a successor ---- */

static int succeed(struct conf *conf, const char *state, struct supervisor_setup *setup)
{
    char why[CONF_PATH_SIZE + 256];

    int error = conf_load(conf, state, why, sizeof(why));
    if (error) {
        LOG_ERROR("conf", why);
        return error == -EACCES ? EX_NOPERM : EX_CONFIG;
    }
    serve_settings_take(setup->settings, conf->state);
    serve_drop_limits(conf);
    int code = serve_listen_take(conf, setup->listeners);
    if (code == EX_OK)
        code = serve_drop_root(conf); /* one that was kept may be given up now */
    if (code == EX_OK && !serve_drop_privileges())
        code = EX_OSERR;
    if (code == EX_OK && serve_pems_load(setup->pems, conf, why, sizeof(why)) != 0)
        code = no_pems(why);
    return code == EX_OK ? supervisor_run(setup) : code;
}

int serve_heir_child(struct cli *cli, int argc, char **argv)
{
    struct conf conf;
    struct serve_listeners listeners;
    struct serve_pems pems = SERVE_PEMS_NONE;
    struct serve_settings settings;
    struct supervisor_setup setup = {.conf = &conf,
                                     .listeners = &listeners,
                                     .pems = &pems,
                                     .settings = &settings,
                                     .ready_fd = -1};
    tidy_descriptors();
    if (argc < 3 || !serve_child_fd(argv[1], &setup.link) ||
        !serve_child_listeners(argc - 2, argv + 2, &listeners))
        return serve_child_not_by_hand(argv[0]);
    umask(077);
    unsetenv("NOTIFY_SOCKET"); /* the first supervisor's */
    log_init("supervisor", LOG_LEVEL_INFO);
    int code = succeed(&conf, cli->state, &setup);
    serve_listen_close(&listeners);
    serve_pems_close(&pems);
    return code;
}

struct options {
    int ready_fd;
};

static int take_ready_fd(void *owner, const char *value)
{
    struct options *options = owner;
    uint64_t number;

    if (!text_number(value, INT32_MAX, &number) || fcntl((int)number, F_GETFD) < 0)
        return cli_fail(EX_USAGE, "serve: --ready-fd wants an open descriptor, not '%s'", value);
    options->ready_fd = (int)number;
    return EX_OK;
}

int serve_verb(struct cli *cli, int argc, char **argv)
{
    static const struct cli_option table[] = {
        {"ready-fd", "N", "write one line with the addresses there when the gateway serves",
         take_ready_fd},
        {0},
    };
    static const struct cli_spec spec = {
        .verb = "serve",
        .summary =
            "Runs the gateway in the foreground, as deskgate.conf in the state folder says.\n"
            "SIGHUP reads configuration and certificate files again; SIGTERM or Ctrl-C stops in\n"
            "an orderly way, a second one at once. 'deskgate upgrade' lets a newer program take\n"
            "over.",
        .options = table,
    };
    struct options options = {.ready_fd = -1};
    struct conf conf;
    char why[2048];

    int code = cli_parse(&spec, &options, argc, argv);
    if (code >= 0)
        return code;
    int error = conf_load(&conf, cli->state, why, sizeof(why));
    if (error == -ENOENT)
        return cli_fail(EX_CONFIG,
                        "there is no " CONF_FILE " in %s; 'deskgate --state %s init' makes one",
                        conf.state, conf.state);
    if (error)
        return cli_fail(error == -EACCES ? EX_NOPERM : EX_CONFIG, "%s", why);
    return run(&conf, options.ready_fd);
}

#include "serve.h"

#include "cli.h"
#include "log.h"
#include "serve_drop.h"
#include "serve_listen.h"
#include "serve_pems.h"
#include "supervisor.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

static int serve(struct conf *conf, struct serve_listeners *listeners, struct serve_pems *pems,
                 int ready_fd)
{
    char why[CONF_PATH_SIZE + 256];

    serve_drop_limits(conf);
    int code = serve_listen(conf, listeners);
    if (code == EX_OK)
        code = serve_drop_root(conf);
    if (code == EX_OK && !serve_drop_privileges())
        code = EX_OSERR;
    if (code != EX_OK)
        return code;
    if (serve_pems_load(pems, conf, why, sizeof(why)) != 0) {
        LOG_ERROR("tls.certificate",
                  "the certificate or its key is not usable; 'deskgate check' tells more",
                  LOG_TEXT("why", why));
        return EX_CONFIG;
    }
    return supervisor_run(&(struct supervisor_setup){
        .conf = conf, .listeners = listeners, .pems = pems, .ready_fd = ready_fd});
}

int serve_run(const struct conf *conf, int ready_fd)
{
    struct conf own = *conf; /* gets the addresses that were really bound */
    struct serve_listeners listeners = {0};
    struct serve_pems pems = SERVE_PEMS_NONE;

    tidy_descriptors();
    umask(077);
    log_init("supervisor", LOG_LEVEL_INFO);
    int code = serve(&own, &listeners, &pems, ready_fd);
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
            "SIGHUP reads the certificate files again; SIGTERM or Ctrl-C stops in an orderly\n"
            "way, a second one at once.",
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
        return cli_fail(EX_CONFIG, "%s", why);
    return serve_run(&conf, options.ready_fd);
}

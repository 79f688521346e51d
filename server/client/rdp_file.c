/* Signing in is work for a thread, so that a signal can end it in the middle of a question and
 * leave the terminal as it was. */
#include "rdp_file.h"

#include "client_job.h"
#include "client_options.h"
#include "client_save.h"
#include "client_session.h"
#include "fd.h"
#include "owner.h"
#include "wiped_json.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#define PATH_SIZE 4096

struct fetch {
    const struct client_options *options;
    char path[PATH_SIZE];
    struct client_gateway gateway;
    struct client_status status;
    struct client_session session;
    struct client_failure failure;
    struct client_job job;
    struct loop *loop;
    struct loop_source on_signal;
    int cancel, signals;
    int code;
};

static void work(struct client_job *job)
{
    struct fetch *fetch = OWNER_OF(job, struct fetch, job);
    struct client_failure *failure = &fetch->failure;
    struct client_answer *answer = client_answer_new();
    int error = answer ? 0 : client_fail(failure, CLIENT_FAULT_SYSTEM, "out of memory");
    if (!error)
        error = client_session_begin(&fetch->session, failure);
    if (!error)
        error = client_session_rdp_file(&fetch->session, fetch->options->desktop, answer, failure);
    if (!error)
        error = client_save(fetch->path, fetch->options->force, answer->body, answer->body_size,
                            failure);
    if (error && fetch->session.generation) /* nothing was got, so nothing must stay */
        client_session_end(&fetch->session, 3000);
    client_answer_free(answer);
}

static void finished(struct client_job *job)
{
    struct fetch *fetch = OWNER_OF(job, struct fetch, job);
    loop_stop(fetch->loop);
}

static void on_signal(struct loop_source *source, uint32_t events)
{
    struct fetch *fetch = OWNER_OF(source, struct fetch, on_signal);
    struct signalfd_siginfo info;
    (void)events;
    while (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        fetch->code = 128 + (int)info.ssi_signo;
        eventfd_write(fetch->cancel, 1);
    }
}

static int prepare_signals(struct fetch *fetch)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGQUIT);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL)) /* before any thread: they inherit it */
        return -errno;
    fetch->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    fetch->on_signal.ready = on_signal;
    return fetch->signals < 0 ? -errno
                              : loop_add(fetch->loop, &fetch->on_signal, fetch->signals, EPOLLIN);
}

static int prepare_system(struct fetch *fetch)
{
    wiped_json_init();
    if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -ENOSYS;
    fetch->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = fetch->cancel < 0 ? -errno : loop_new(&fetch->loop);
    return error ? error : prepare_signals(fetch);
}

static int name_path(struct fetch *fetch)
{
    const struct client_options *options = fetch->options;
    int size = options->output ? snprintf(fetch->path, PATH_SIZE, "%s", options->output)
                               : snprintf(fetch->path, PATH_SIZE, "%s.rdp", options->desktop);
    if (size >= PATH_SIZE)
        return client_fail(&fetch->failure, CLIENT_FAULT_OUTPUT, "the file's name is too long");
    return client_save_may(fetch->path, options->force, &fetch->failure);
}

static int prepare(struct fetch *fetch)
{
    const struct client_options *options = fetch->options;
    int error = prepare_system(fetch);
    if (error)
        return client_fail(&fetch->failure, CLIENT_FAULT_SYSTEM, "cannot start: %s",
                           strerror(-error));
    struct client_ask ask = {
        .fd = options->credentials_fd, .cancel = fetch->cancel, .status = &fetch->status};
    fetch->gateway.url = options->gateway;
    if (name_path(fetch) ||
        client_trust_init(&fetch->gateway.trust, options->cacert,
                          options->pinned ? options->pin : NULL, &fetch->failure))
        return -1;
    return client_session_init(&fetch->session, &fetch->gateway, &ask, options->user,
                               &fetch->failure);
}

static void run(struct fetch *fetch)
{
    if (!prepare(fetch)) {
        int error = client_job_start(&fetch->job, fetch->loop, work, finished);
        if (!error)
            error = loop_run(fetch->loop);
        if (error)
            client_fail(&fetch->failure, CLIENT_FAULT_SYSTEM, "cannot run: %s", strerror(-error));
    }
    if (fetch->failure.fault && fetch->failure.fault != CLIENT_FAULT_CANCELLED)
        client_status_say(&fetch->status, "%s", fetch->failure.words);
    else if (!fetch->failure.fault && strcmp(fetch->path, "-") != 0)
        client_status_say(&fetch->status,
                          "%s is written; open it within five minutes, it is good for one session",
                          fetch->path);
    if (fetch->failure.fault && !fetch->code)
        fetch->code = client_failure_exit(fetch->failure.fault);
    else if (!fetch->failure.fault)
        fetch->code = EX_OK;
}

int rdp_file_verb(struct cli *cli, int argc, char **argv)
{
    struct client_options options;
    (void)cli; /* the client has no state folder */
    int code = client_options_parse(&options, CLIENT_RDP_FILE, argc, argv);
    if (code)
        return code < 0 ? EX_OK : code;
    struct fetch fetch = {.options = &options, .cancel = -1, .signals = -1};
    client_status_init(&fetch.status, false);
    run(&fetch);
    client_session_deinit(&fetch.session);
    client_trust_deinit(&fetch.gateway.trust);
    client_status_deinit(&fetch.status);
    loop_free(fetch.loop);
    fd_close(&fetch.signals);
    fd_close(&fetch.cancel);
    curl_global_cleanup();
    return fetch.code;
}

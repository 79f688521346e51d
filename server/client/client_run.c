/* The order of things: bind the local address, sign in (on a thread, so that signals are heard),
 * serve; then, told to end: no new connections, the RDP client asked to end, tunnels closed,
 * threads awaited, signed out. A second signal leaves at once. */
#include "client_run.h"

#include "client_state.h"
#include "fd.h"
#include "owner.h"

#include "wiped_json.h"

#include <curl/curl.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define SIGN_OUT_MS 3000
#define PUMPS_MS 1000

/* ---- signing in and out ---- */

static void sign_in_work(struct client_job *job)
{
    struct client *client = OWNER_OF(job, struct client, job);
    struct client_failure *failure = &client->failure;
    uint64_t since = client_wait_now();
    for (unsigned attempt = 1;; attempt++) {
        *failure = (struct client_failure){0};
        if (!client_session_begin(&client->session, failure))
            break;
        /* A name that was never found is mistyped, and a code that was sent is used up. */
        if (failure->fault == CLIENT_FAULT_NAME || failure->sent ||
            client_open_pause(&client->tunnels.opening, attempt, since, failure))
            return;
    }
    if (client_session_check(&client->session, client->options->desktop, failure) &&
        failure->fault != CLIENT_FAULT_DESKTOP && failure->fault != CLIENT_FAULT_DENIED)
        *failure = (struct client_failure){0}; /* the tunnel will tell */
}

static void tell_signed_in(struct client *client)
{
    char until[64] = "";
    time_t expires = (time_t)client->session.expires;
    struct tm local;
    if (expires && localtime_r(&expires, &local))
        strftime(until, sizeof(until), " until %Y-%m-%d %H:%M", &local);
    client_status_say(&client->status, "signed in at %s%s", client->gateway.url.authority, until);
}

static void sign_in_finished(struct client_job *job)
{
    struct client *client = OWNER_OF(job, struct client, job);
    enum client_fault fault = client->failure.fault;
    client->job_runs = false;
    if (client->ending) {
        client_end_goes_on(client);
        return;
    }
    if (fault) {
        client_status_say(&client->status, "%s", client->failure.words);
        client_end(client, client_failure_exit(fault));
        return;
    }
    tell_signed_in(client);
    client_serve_begin(client);
}

static void sign_out_work(struct client_job *job)
{
    client_session_end(&OWNER_OF(job, struct client, job)->session, SIGN_OUT_MS);
}

static void sign_out_finished(struct client_job *job)
{
    struct client *client = OWNER_OF(job, struct client, job);
    client->job_runs = false;
    loop_stop(client->loop);
}

/* ---- the end ---- */

void client_end(struct client *client, int code)
{
    if (client->ending)
        return;
    client->ending = true;
    client->code = code;
    eventfd_write(client->cancel, 1);
    client_serve_stop(client);
    client_tunnel_end_all(&client->tunnels);
    client_end_goes_on(client);
}

void client_end_goes_on(struct client *client)
{
    if (client->job_runs || client->child || client->tunnels.first || client->signed_out)
        return;
    client->signed_out = true;
    client->job_runs =
        !client_job_start(&client->job, client->loop, sign_out_work, sign_out_finished);
    if (!client->job_runs)
        loop_stop(client->loop);
}

static void on_signal(struct loop_source *source, uint32_t events)
{
    struct client *client = OWNER_OF(source, struct client, on_signal);
    struct signalfd_siginfo info;
    (void)events;
    while (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD) {
            client_serve_reap(client);
        } else if (client->ending) {
            if (client->child)
                kill(client->child, SIGKILL);
            client_status_deinit(&client->status);
            _exit(128 + (int)info.ssi_signo);
        } else {
            /* Ending a client that serves is its normal end; in the middle of signing in it is not.
             */
            client_end(client, client->ready && !client->options->stdio
                                   ? EX_OK
                                   : 128 + (int)info.ssi_signo);
        }
    }
}

/* ---- set-up and tear-down ---- */

static int prepare_signals(struct client *client)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGQUIT); /* or else it could leave the terminal without echo */
    sigaddset(&set, SIGCHLD);
    signal(SIGPIPE, SIG_IGN);               /* standard output's reader, or a socket's, may go */
    if (sigprocmask(SIG_BLOCK, &set, NULL)) /* before any thread: they inherit it */
        return -errno;
    client->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    client->on_signal.ready = on_signal;
    return client->signals < 0
               ? -errno
               : loop_add(client->loop, &client->on_signal, client->signals, EPOLLIN);
}

static int prepare_system(struct client *client)
{
    wiped_json_init();
    if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -ENOSYS;
    client->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (client->cancel < 0)
        return -errno;
    int error = loop_new(&client->loop);
    if (!error)
        error = stream_scratch_new(&client->scratch);
    return error ? error : prepare_signals(client);
}

static int prepare(struct client *client)
{
    const struct client_options *options = client->options;
    struct client_failure *failure = &client->failure;
    struct client_ask ask = {
        .fd = options->credentials_fd, .cancel = client->cancel, .status = &client->status};
    client->gateway.url = options->gateway;
    if (client_trust_init(&client->gateway.trust, options->cacert,
                          options->pinned ? options->pin : NULL, failure))
        return -1;
    if (client_session_init(&client->session, &client->gateway, &ask, options->user, failure))
        return -1;
    return client_serve_prepare(client);
}

static void start(struct client *client)
{
    int error = prepare_system(client);
    if (error)
        client_fail(&client->failure, CLIENT_FAULT_SYSTEM, "cannot start: %s", strerror(-error));
    if (error || prepare(client)) {
        client_status_say(&client->status, "%s", client->failure.words);
        client->code = client_failure_exit(client->failure.fault);
        return;
    }
    client->job_runs =
        !client_job_start(&client->job, client->loop, sign_in_work, sign_in_finished);
    if (!client->job_runs)
        client->code = EX_OSERR;
    else if (loop_run(client->loop) < 0)
        client->code = EX_OSERR;
}

/* The pumps of --stdio may be stuck in a write that nobody takes; the process's end ends them. */
static bool pumps_are_gone(struct client *client)
{
    struct timespec moment = {.tv_nsec = 10000000};
    for (int i = 0; atomic_load(&client->stdio.running) && i < PUMPS_MS / 10; i++)
        nanosleep(&moment, NULL);
    return !atomic_load(&client->stdio.running);
}

static void tear_down(struct client *client)
{
    client_session_deinit(&client->session);
    client_trust_deinit(&client->gateway.trust);
    client_status_deinit(&client->status);
    if (!pumps_are_gone(client))
        return;
    loop_free(client->loop);
    stream_scratch_free(client->scratch);
    fd_close(&client->listener);
    fd_close(&client->signals);
    fd_close(&client->cancel);
    curl_global_cleanup();
}

int client_run(const struct client_options *options)
{
    /* Static: a pump that is stuck may outlive this call, until the process ends. */
    static struct client client;
    bool quiet = options->stdio || options->exec || options->words; /* others write there too */
    client = (struct client){.options = options, .cancel = -1, .signals = -1, .listener = -1};
    client_status_init(&client.status, !quiet && isatty(STDERR_FILENO));
    start(&client);
    tear_down(&client);
    return client.code;
}

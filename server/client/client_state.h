/* What the parts of a running tunnel client share: client_run.c begins and ends it, client_serve.c
 * does the work between. All on the loop's thread. */
#pragma once

#include "client_exec.h"
#include "client_job.h"
#include "client_listen.h"
#include "client_options.h"
#include "client_session.h"
#include "client_stdio.h"
#include "client_tunnel.h"

#include <stdbool.h>

struct client {
    const struct client_options *options;
    struct client_gateway gateway;
    struct client_status status;
    struct client_session session;
    struct client_tunnels tunnels;
    struct loop *loop;
    struct stream_scratch *scratch;
    int cancel;  /* eventfd: readable once we are ending */
    int signals; /* signalfd */
    struct loop_source on_signal;
    struct client_job job; /* signing in, then signing out */
    bool job_runs;
    struct client_failure failure;

    int listener;
    char address[CLIENT_LISTEN_TEXT]; /* "" with --stdio */
    struct loop_source on_connection;
    struct loop_timer pause; /* of accepting, when descriptors ran out */
    struct loop_timer tick;  /* of the state line */
    bool ready;

    pid_t child;                   /* 0: none, or reaped */
    struct loop_timer kill;        /* for a child that does not end */
    struct loop_timer handed_over; /* to another: when that has no connection, we end */
    bool handed, handed_told;

    struct client_stdio stdio;
    struct loop_task drained; /* standard output has it all */
    bool stdio_drained, stdio_gone;

    int code; /* the exit code */
    bool ending, signed_out;
};

/* client_run.c: begins the orderly end; the first call's code counts. */
void client_end(struct client *client, int code);
/* client_run.c: the end goes on when the last tunnel, job or child is gone. */
void client_end_goes_on(struct client *client);

/* client_serve.c: binds, before anybody is asked for a password. 0 or -1. */
int client_serve_prepare(struct client *client);
/* Signed in: takes connections, starts the RDP client. */
void client_serve_begin(struct client *client);
void client_serve_stop(struct client *client); /* no further connections; asks the child to end */
void client_serve_reap(struct client *client); /* after SIGCHLD */

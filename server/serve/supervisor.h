/* The supervisor's loop: keeps one keeper and one gate running and obeys signals.
 *
 *   STARTING ──both ready──► RUNNING ──SIGTERM──► DRAINING ──gate gone──► STOPPING ──► end
 *      └─ a child ends: end with its code
 *
 * While RUNNING a dead gate is started again alone; a dead keeper takes the gate with it, since
 * nobody could revoke a tunnel then. */
#pragma once

#include "conf.h"
#include "serve_listen.h"
#include "serve_pems.h"

struct supervisor_setup {
    const struct conf *conf;
    struct serve_listeners *listeners; /* closed when draining begins */
    struct serve_pems *pems;
    int ready_fd; /* -1: none */
};

/* Returns an exit code (sysexits.h). Both children are gone then. */
int supervisor_run(const struct supervisor_setup *setup);

/* The supervisor's loop: keeps one keeper and one gate running and obeys signals.
 *
 *   STARTING ──both ready──► RUNNING ──a successor serves──► RETIRING ──no tunnel is left──┐
 *      │                        │                                │ drain_seconds           │
 *      │                        └──SIGTERM──► DRAINING ◄─────────┘                         │
 *      └─ a child ends: end             gate gone └────► STOPPING ◄────────────────────────┘
 *         with its code                                     └─keeper gone─► ENDED
 *
 * A gate is started once its keeper is ready. While RUNNING a dead gate is started again alone; a
 * dead keeper takes the gate with it, since nobody could revoke a tunnel then. The first supervisor
 * stays when its pair has ENDED, as long as there are successors (serve_heirs.h); it has the socket
 * where upgrades are asked for. */
#pragma once

#include "conf.h"
#include "serve_desk.h"
#include "serve_listen.h"
#include "serve_pems.h"
#include "serve_reload.h"

struct supervisor_setup {
    struct conf *conf;                 /* changes at a reload */
    struct serve_listeners *listeners; /* closed when all is to end */
    struct serve_pems *pems;
    struct serve_settings *settings; /* as conf was read */
    int ready_fd;                    /* -1: none */
    int link;                        /* to the supervisor that we succeed; -1: we are the first */
    struct serve_desk *desk;         /* the first one's; NULL */
    const char *program;             /* a successor's: the path that we were started by */
};

/* Returns an exit code (sysexits.h). All children are gone then. */
int supervisor_run(const struct supervisor_setup *setup);

/* What the supervisor's parts share: the loop and its children (supervisor.c), how all of it ends
 * (supervisor_stop.c), and successors (supervisor_heirs.c). Private to them. */
#pragma once

#include "serve_alert.h"
#include "serve_audit.h"
#include "serve_heirs.h"
#include "supervisor.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SUPERVISOR_STOP_MS 8000  /* from the order to stop until what still runs is killed … */
#define SUPERVISOR_HEIRS_MS 1000 /* … and so much more when successors do the same */

/* Of this supervisor's own pair. */
enum phase { STARTING, RUNNING, RETIRING, DRAINING, STOPPING, ENDED };

struct child {
    const char *name;
    pid_t pid;   /* 0: not running */
    int control; /* -1: closed */
    bool ready;
    uint64_t started_ms;
    uint64_t start_ms; /* not before */
    uint64_t backoff_ms;
};

struct supervisor {
    const struct supervisor_setup *setup;
    enum phase phase;
    bool leaving; /* all is to end, successors, too */
    bool company; /* of another keeper */
    struct serve_heirs heirs;
    struct child keeper, gate;
    struct serve_alerts alerts;
    struct serve_audit audit;
    int conf;           /* for the children (conf_memory.h) */
    int signals;        /* signalfd */
    sigset_t mask;      /* as it was */
    uint64_t retire_ms; /* deadline while RETIRING */
    uint64_t stop_ms;   /* deadline while the pair is stopping */
    uint64_t leave_ms;  /* deadline of all */
    bool killed;        /* the deadline passed */
    int exit_code;
    bool not_started; /* one of them ended before both were ready */
    bool heir_late;   /* the one that starts was given up */
};

uint64_t supervisor_now(void); /* CLOCK_MONOTONIC, in milliseconds */

/* ---- supervisor_stop.c ---- */
void supervisor_kill(const struct child *child);
/* The pair: gate first, since its last records tell the keeper how the tunnels ended. */
void supervisor_stop_pair(struct supervisor *supervisor);
void supervisor_stop_keeper(struct supervisor *supervisor); /* the gate is gone */
/* All there is, successors, too; then this process ends with the code. */
void supervisor_stop(struct supervisor *supervisor, int exit_code);
void supervisor_stop_signal(struct supervisor *supervisor);       /* the second one kills */
bool supervisor_is_stopping(const struct supervisor *supervisor); /* the pair is */
/* Whether all that there is has ended. A pair that retired ends, and what is left of the process
 * looks after the successors. */
bool supervisor_is_over(const struct supervisor *supervisor);
void supervisor_deadlines(struct supervisor *supervisor); /* acts when one has come */

/* ---- supervisor_heirs.c ---- */
void supervisor_upgrade(struct supervisor *supervisor); /* the command line has asked for it */
void supervisor_hear_heir(struct supervisor *supervisor, struct serve_heir *heir);
/* False: that process is none. */
bool supervisor_heir_ended(struct supervisor *supervisor, pid_t pid, int status);
/* Another pair serves: no child is started again, no duty is done twice. */
void supervisor_retire(struct supervisor *supervisor);
/* No other keeper has the store any more. */
void supervisor_alone(struct supervisor *supervisor);
/* Tells the one that is left that it is. */
void supervisor_tell_alone(struct supervisor *supervisor);

/* What the parts of the gate share. Made once by gate.c, then only read, except where a member says
 * that it guards itself. */
#pragma once

#include "admit.h"
#include "conf.h"
#include "creds.h"
#include "desktop_tls.h"
#include "gate.h"
#include "gate_meter.h"
#include "keeper_link.h"
#include "tunnel_table.h"

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>

struct rdg_pairs;
struct rdp_sign;
struct worker;

/* From Prometheus, beside [server] connections: the numbers matter most when all is full. */
#define METRICS_CONNECTIONS 16

struct gate_state {
    const struct gate_setup *setup;
    const struct conf *_Atomic conf; /* another one after a reload; those before stay mapped */
    char origin[300];                /* "https://name[:port]", RFC 6454 section 6.2 form */
    struct creds_store *creds;       /* guards itself */
    struct desktop_tls *desktop_tls; /* guards itself */
    struct admit *admit;             /* guards itself */
    struct keeper_link *keeper;      /* guards itself */
    struct tunnel_table *tunnels;    /* guards itself */
    struct rdg_pairs *pairs;         /* guards itself */
    struct rdp_sign *rdp_sign;       /* guards itself */
    struct MHD_Daemon *http;
    struct worker **workers; /* one event loop each */
    size_t worker_count;
    atomic_bool retiring;         /* another gate accepts; what is here goes on to its end */
    atomic_bool draining;         /* everything is being ended */
    struct gate_meter http_meter; /* the HTTP thread's; the workers have their own */
    atomic_uint metrics_conns;    /* there are; not counted by admit */
    atomic_uint passing;          /* newcomers on the way to another worker (pass_on.h) */
};

#include "gate.h"

#include "cage.h"
#include "conf_memory.h"
#include "control.h"
#include "fd.h"
#include "gate_state.h"
#include "http.h"
#include "log.h"
#include "memory.h"
#include "owner.h"
#include "rdg_pair.h"
#include "rdp_sign.h"
#include "tunnel_order.h"
#include "turn.h"
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#define DRAIN_MS 5000 /* for clients to take their close frames */
#define DRAIN_LOOK_MS 50
#define TRIM_LOOK_MS 10000
#define TRIM_LEAST 200 /* connections gone that are worth it: some 2 MB of them in handshakes */
#define RETIRE_LOOK_MS 250

/* The main loop: control and keeper sockets; bytes of clients never pass here. */
struct gate {
    struct gate_state state;
    struct loop *loop;
    struct loop_source control;
    struct loop_timer drain;
    uint64_t drain_until; /* 0: not draining */
    struct loop_timer trim;
    uint32_t peak; /* connections, at most, since the heap was trimmed */
    int exit_code;
};

static void gate_leave(struct gate *gate, int code)
{
    gate->exit_code = code;
    loop_stop(gate->loop);
}

/* ---- orders from the supervisor ---- */

static void on_drain_look(struct loop_timer *timer)
{
    struct gate *gate = OWNER_OF(timer, struct gate, drain);
    bool quiet = tunnel_table_count(gate->state.tunnels) == 0 &&
                 admit_count(gate->state.admit) == 0 && keeper_link_flushed(gate->state.keeper);
    if (quiet || (gate->drain_until && loop_now(gate->loop) >= gate->drain_until))
        gate_leave(gate, EX_OK);
    else
        loop_timer_set(gate->loop, &gate->drain,
                       gate->drain_until ? DRAIN_LOOK_MS : RETIRE_LOOK_MS);
}

/* Another gate has the listeners, too. Whoever is here stays until they go or drain() comes. */
static void retire(struct gate *gate)
{
    if (atomic_exchange(&gate->state.retiring, true) || atomic_load(&gate->state.draining))
        return;
    LOG_INFO("gate.retire", "another gate serves now: this one ends with its last connection",
             LOG_NUMBER("tunnels", tunnel_table_count(gate->state.tunnels)),
             LOG_NUMBER("connections", admit_count(gate->state.admit)));
    for (size_t i = 0; i < gate->state.worker_count; i++)
        worker_retire(gate->state.workers[i]);
    loop_timer_set(gate->loop, &gate->drain, RETIRE_LOOK_MS);
}

static void drain(struct gate *gate)
{
    if (atomic_exchange(&gate->state.draining, true))
        return;
    LOG_INFO("gate.drain", "stopping: no new connections, tunnels are being closed",
             LOG_NUMBER("tunnels", tunnel_table_count(gate->state.tunnels)));
    gate->drain_until = loop_now(gate->loop) + DRAIN_MS;
    for (size_t i = 0; i < gate->state.worker_count; i++)
        worker_drain(gate->state.workers[i]);
    loop_timer_set(gate->loop, &gate->drain, DRAIN_LOOK_MS);
}

/* free() gives nothing back of the workers' heaps; after a storm, or at the end of a working day,
 * it is given back here. */
static void on_trim_look(struct loop_timer *timer)
{
    struct gate *gate = OWNER_OF(timer, struct gate, trim);
    uint32_t count = admit_count(gate->state.admit);
    if (count > gate->peak)
        gate->peak = count;
    if (gate->peak - count >= TRIM_LEAST && count < gate->peak / 2) {
        memory_trim();
        gate->peak = count;
    }
    loop_timer_set(gate->loop, timer, TRIM_LOOK_MS);
}

static void tell_expiry(struct gate *gate)
{
    struct ipc_expiry expiry;
    IPC_INIT(&expiry, EXPIRY, 0);
    expiry.expires = creds_expire(gate->state.creds);
    keeper_link_tell(gate->state.keeper, &expiry.head);
}

static void reload(struct gate *gate, const int *fds, size_t count)
{
    char why[512];
    if (creds_store_reload(gate->state.creds, fds, count, why, sizeof(why)))
        LOG_ERROR("tls.reload", "the new certificates are not usable; the old ones stay in use",
                  LOG_TEXT("why", why));
    else
        LOG_INFO("tls.reload", "new certificates are in use", LOG_NUMBER("count", count / 2));
    tell_expiry(gate);
}

static void take_authorities(struct gate *gate, int fd)
{
    char why[512];
    if (desktop_tls_authorities(gate->state.desktop_tls, fd, why, sizeof(why)))
        LOG_ERROR("desktop.authorities",
                  "the authorities for desktops' certificates are not "
                  "usable; those before stay in use",
                  LOG_TEXT("why", why));
}

static void take_signer(struct gate *gate, const int fds[2])
{
    char why[512];
    if (rdp_sign_load(gate->state.rdp_sign, fds[0], fds[1], why, sizeof(why)))
        LOG_ERROR("rdp.signer",
                  "the certificate for .rdp files is not usable; the one before stays in use",
                  LOG_TEXT("why", why));
    else
        LOG_INFO("rdp.signer", ".rdp files are signed");
}

static uint32_t percent(uint32_t whole, uint32_t part)
{
    uint32_t share = (uint32_t)((uint64_t)whole * part / 100);
    return share ? share : 1;
}

/* For connections. The limit on descriptors must never be what stops us: then nothing works any
 * more. */
static uint32_t descriptors_most(void)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur > UINT32_MAX)
        return UINT32_MAX;
    return limit.rlim_cur > 200 ? (uint32_t)limit.rlim_cur - 100 : 100;
}

static uint32_t connections_most(const struct conf *conf)
{
    uint32_t room = descriptors_most() / ADMIT_DESCRIPTORS_TUNNEL;
    return conf->connections < room ? conf->connections : room;
}

static struct admit_limits limits(const struct conf *conf, uint32_t total)
{
    return (struct admit_limits){
        .total = total,
        .strangers = percent(total, conf->strangers_percent),
        .handshakes = percent(total, conf->handshakes_percent),
        .each = conf->connections_per_address,
        .handshakes_each = conf->handshakes_per_address,
        .descriptors = descriptors_most(),
    };
}

/* Whoever is in the midst of something may still read the one before: it stays where it is. */
static void take_conf(struct gate *gate, int fd)
{
    const struct conf *conf = conf_memory_read(fd);
    if (!conf) {
        LOG_ERROR("gate.reload", "the new configuration cannot be read; the old one stays in use");
        return;
    }
    atomic_store(&gate->state.conf, conf);
    struct admit_limits now = limits(conf, admit_most(gate->state.admit));
    admit_set_limits(gate->state.admit, &now);
}

static void on_control(struct loop_source *source, uint32_t events)
{
    struct gate *gate = OWNER_OF(source, struct gate, control);
    int fds[CONTROL_FDS_MAX];
    size_t count;
    (void)events;
    int type = control_receive(source->fd, fds, &count);
    if (type == -EAGAIN)
        return;
    if (type < 0) {
        LOG_ERROR("gate.control", "the supervisor is gone");
        gate_leave(gate, EX_UNAVAILABLE);
        return;
    }
    if (type == CONTROL_CERTIFICATES)
        reload(gate, fds, count);
    else if (type == CONTROL_AUTHORITIES && count == 1)
        take_authorities(gate, fds[0]);
    else if (type == CONTROL_RDP_SIGNER && count == 2)
        take_signer(gate, fds);
    else if (type == CONTROL_CONF && count == 1)
        take_conf(gate, fds[0]);
    else if (type == CONTROL_RETIRE)
        retire(gate);
    else if (type == CONTROL_DRAIN)
        drain(gate);
    while (count)
        fd_close(&fds[--count]);
}

/* ---- the keeper ---- */

static void on_close_tunnel(void *owner, int64_t tunnel, enum ipc_end end)
{
    struct gate *gate = owner;
    tunnel_order_close(&gate->state, tunnel, end);
}

static void on_say(void *owner, int64_t tunnel, const char *words)
{
    struct gate *gate = owner;
    tunnel_order_tell(&gate->state, tunnel, words);
}

static void on_keeper_lost(void *owner, int error)
{
    struct gate *gate = owner;
    /* Without the keeper nobody can revoke a tunnel: none may live. */
    LOG_ERROR("gate.keeper", "the keeper is gone; ending", LOG_TEXT("error", strerror(-error)));
    gate_leave(gate, atomic_load(&gate->state.draining) ? EX_OK : EX_UNAVAILABLE);
}

/* ---- set-up ---- */

static int first_certificates(struct gate *gate)
{
    int fds[CONTROL_FDS_MAX];
    size_t count = 0;
    char why[512] = "";
    /* The supervisor sends them before anything else; wait for them. */
    int type;
    do {
        type = control_receive(gate->state.setup->control, fds, &count);
        if (type == -EAGAIN)
            usleep(1000);
    } while (type == -EAGAIN);
    int error = type == CONTROL_CERTIFICATES
                    ? creds_store_new(&gate->state.creds, fds, count, why, sizeof(why))
                    : -EPROTO;
    while (count)
        fd_close(&fds[--count]);
    if (error)
        LOG_ERROR("tls.certificate", "the certificate or its key is not usable",
                  LOG_TEXT("why", why[0] ? why : strerror(-error)));
    return error;
}

static void canonical_origin(struct gate_state *state)
{
    const struct conf *conf = state->conf;
    if (conf->public_port == 443)
        snprintf(state->origin, sizeof(state->origin), "https://%s", conf->name);
    else
        snprintf(state->origin, sizeof(state->origin), "https://%s:%u", conf->name,
                 (unsigned)conf->public_port);
}

static int start_workers(struct gate_state *state)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = state->conf->threads ? state->conf->threads : cores > 0 ? (size_t)cores : 1;
    state->workers = calloc(count, sizeof(*state->workers));
    if (!state->workers)
        return -ENOMEM;
    while (state->worker_count < count) {
        int error = worker_new(&state->workers[state->worker_count], state);
        if (error)
            return error;
        state->worker_count++;
    }
    return 0;
}

static int admit(struct gate_state *state)
{
    struct admit_limits first = limits(state->conf, connections_most(state->conf));
    return admit_new(&state->admit, &first);
}

static int start(struct gate *gate)
{
    struct gate_state *state = &gate->state;
    const struct gate_setup *setup = state->setup;
    struct keeper_link_setup link = {
        .socket = setup->keeper,
        .close_tunnel = on_close_tunnel,
        .say = on_say,
        .lost = on_keeper_lost,
        .owner = gate,
    };
    turn_prompt(); /* before threads are made: they are like it */
    int error = loop_new(&gate->loop);
    link.loop = gate->loop;
    if (!error)
        error = desktop_tls_new(&state->desktop_tls);
    if (!error)
        error = rdp_sign_new(&state->rdp_sign);
    if (!error)
        error = keeper_link_new(&state->keeper, &link);
    if (!error)
        error = admit(state);
    if (!error)
        error = tunnel_table_new(&state->tunnels);
    if (!error)
        error = rdg_pairs_new(&state->pairs);
    if (!error)
        error = start_workers(state);
    if (!error)
        error = http_start(state);
    gate->control.ready = on_control;
    gate->drain.fire = on_drain_look;
    gate->trim.fire = on_trim_look;
    if (!error)
        error = loop_timer_set(gate->loop, &gate->trim, TRIM_LOOK_MS);
    if (!error)
        error = fd_nonblocking(setup->control);
    if (!error)
        error = loop_add(gate->loop, &gate->control, setup->control, EPOLLIN);
    if (error)
        LOG_ERROR("gate.start", "cannot start", LOG_TEXT("error", strerror(-error)));
    return error;
}

/* False: the configuration demands a cage and the kernel gives none. */
static bool caged(const struct gate *gate, const struct cage_report *report)
{
    if (report->seccomp && report->landlock) {
        LOG_INFO("gate.cage", "caged: no files, no network sockets, no programs");
        return true;
    }
    bool required = gate->state.conf->cage == CONF_CAGE_REQUIRE;
    LOG_AT(required ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "gate.cage",
           required ? "this kernel cannot cage the gate and the configuration demands it "
                      "(cage = require)"
                    : "this kernel cannot cage the gate fully: a flaw in it would reach further",
           LOG_TEXT("seccomp", report->seccomp ? "yes" : "no"),
           LOG_TEXT("landlock", report->landlock ? "yes" : "no"));
    return !required;
}

int gate_main(const struct gate_setup *setup)
{
    struct gate gate = {.state = {.setup = setup, .conf = setup->conf}, .exit_code = EX_SOFTWARE};
    struct cage_report report = {0};
    memory_lock();
    if (first_certificates(&gate))
        return EX_CONFIG;
    canonical_origin(&gate.state);
    vitals_open();
    cage_gate_files(&report); /* before the first thread, which inherits it */
    if (start(&gate))
        return EX_OSERR;
    cage_gate_calls(&report);
    if (!caged(&gate, &report))
        return EX_CONFIG;
    for (size_t i = 0; i < gate.state.worker_count; i++)
        worker_open(gate.state.workers[i]);
    tell_expiry(&gate);
    control_send(setup->control, CONTROL_READY, NULL, 0);
    int error = loop_run(gate.loop);
    if (error)
        LOG_ERROR("gate", "the main loop failed", LOG_TEXT("error", strerror(-error)));
    /* Threads are running and connections may still be open: the kernel cleans up after us, in one
     * go and without a race. */
    _exit(gate.exit_code);
}

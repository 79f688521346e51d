#include "keeper.h"

#include "audit_check.h"
#include "audit_seal.h"
#include "cage.h"
#include "conf_memory.h"
#include "control.h"
#include "day.h"
#include "duty.h"
#include "fd.h"
#include "gate_link.h"
#include "keeper_state.h"
#include "live.h"
#include "log.h"
#include "memory.h"
#include "notice.h"
#include "owner.h"
#include "password.h"
#include "record_audit.h"
#include "state_key.h"
#include "throttle.h"
#include "wall_clock.h"
#include "zone.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define POLL_MS 250    /* an administrator's word takes effect within; a second is promised */
#define SWEEP_MS 10000 /* expired sessions */
#define FORGET_SECONDS (30 * DAY_SECONDS)            /* ended sessions are kept for a month */
#define BROWSER_FORGET_SECONDS (400LL * DAY_SECONDS) /* browsers keep cookies no longer */
#define TICKET_FORGET_SECONDS DAY_SECONDS            /* what became of them may be asked so long */
#define RESOLVERS 8 /* each may hang for half a minute on a name server that does not answer */
#define RESOLVE_QUEUE 256
#define ACTS_QUEUE 32

int64_t keeper_now(void)
{
    return (int64_t)time(NULL);
}

int64_t keeper_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void leave(struct keeper *keeper, int code)
{
    keeper->exit_code = code;
    loop_stop(keeper->loop);
}

/* ---- the clock ---- */

static void sweep(struct keeper *keeper)
{
    int64_t now = keeper_now();
    bool expired = false;
    live_save(keeper); /* first: it says which sessions are in use */
    enum store_result result = store_begin(keeper->store);
    if (result == STORE_OK)
        result = store_session_sweep(keeper->store, now,
                                     now - (int64_t)keeper->conf->session_idle_seconds,
                                     now - FORGET_SECONDS, &expired);
    if (result == STORE_OK)
        result = store_throttle_sweep(
            keeper->store, now - (int64_t)keeper->conf->login_window_seconds - THROTTLE_MOST);
    if (result == STORE_OK)
        result = store_browser_sweep(keeper->store, now - BROWSER_FORGET_SECONDS);
    if (result == STORE_OK)
        result = store_ticket_sweep(keeper->store, now - TICKET_FORGET_SECONDS);
    if (result == STORE_OK)
        result = store_notice_sweep(keeper->store, now - NOTICE_FORGET_SECONDS);
    if (result == STORE_OK)
        result = store_commit(keeper->store);
    if (result != STORE_OK) {
        LOG_ERROR("store", "expired sessions could not be swept",
                  LOG_TEXT("error", store_error(keeper->store)));
        store_rollback(keeper->store);
    }
    if (expired)
        live_review(keeper);
}

static void on_poll(struct loop_timer *timer)
{
    struct keeper *keeper = OWNER_OF(timer, struct keeper, poll);
    if (store_moved(keeper->store)) {
        LOG_ERROR("store", "the database was removed or replaced while the gateway had it open: "
                           "what is written now would be lost, so nothing is; put it back, or "
                           "restore your backup with 'deskgate restore'");
        leave(keeper, EX_CONFIG);
        return;
    }
    if (wall_clock_look(keeper))
        sweep(keeper);
    if (store_changed(keeper->store)) {
        live_review_soon(keeper);
        notice_changed(keeper);
        audit_check_changed(keeper);
    }
    live_review_due(keeper);
    duty_look(keeper);
    notice_tell(keeper);
    live_enforce(keeper);
    loop_timer_set(keeper->loop, timer, POLL_MS);
}

static void on_sweep(struct loop_timer *timer)
{
    struct keeper *keeper = OWNER_OF(timer, struct keeper, sweep);
    sweep(keeper);
    loop_timer_set(keeper->loop, timer, SWEEP_MS);
}

/* ---- the supervisor ---- */

/* Of an earlier run, or of a keeper that was killed while it drained. */
static void end_stale(struct keeper *keeper)
{
    if (live_end_stale(keeper) != STORE_OK)
        LOG_ERROR("store", "tunnels of an earlier run could not be closed in the database",
                  LOG_TEXT("error", store_error(keeper->store)));
}

/* Threads may still read the one before: it stays where it is. Limits may be narrower now. */
static void take_conf(struct keeper *keeper, int fd)
{
    const struct conf *conf = conf_memory_read(fd);
    if (!conf) {
        LOG_ERROR("keeper.reload",
                  "the new configuration cannot be read; the old one stays in use");
        return;
    }
    keeper->conf = conf;
    live_review(keeper);
}

static void on_control(struct loop_source *source, uint32_t events)
{
    struct keeper *keeper = OWNER_OF(source, struct keeper, control);
    int fds[CONTROL_FDS_MAX];
    size_t count;
    (void)events;
    int type = control_receive(source->fd, fds, &count);
    if (type == -EAGAIN)
        return;
    if (type == CONTROL_GATE && count == 1) {
        int error = gate_link_add(keeper, fds[0]);
        count = 0; /* taken over */
        if (error)
            LOG_ERROR("gate.link", "a gate cannot be served", LOG_TEXT("error", strerror(-error)));
    } else if (type == CONTROL_FORWARD && count == 1) {
        duty_forward_to(keeper, fds[0]);
        count = 0; /* taken over */
    } else if (type == CONTROL_CONF && count == 1) {
        take_conf(keeper, fds[0]);
    } else if (type == CONTROL_RETIRE) {
        keeper->company = true;
        duty_retire(keeper);
    } else if (type == CONTROL_ALONE) {
        keeper->company = false;
        end_stale(keeper);
    } else if (type == CONTROL_STOP) {
        gate_link_drop_all(keeper);
        leave(keeper, EX_OK);
    } else if (type < 0) {
        LOG_ERROR("keeper.control", "the supervisor is gone");
        leave(keeper, EX_UNAVAILABLE);
    }
    while (count)
        fd_close(&fds[--count]);
}

/* ---- set-up ---- */

/* Before there are threads: the key is not looked at by theirs. */
static int open_acts(struct keeper *keeper, const char *path)
{
    char why[CONF_PATH_SIZE + 256] = "";
    if (store_open(&keeper->acts.store, path, STORE_MUST_EXIST, why, sizeof(why)) == STORE_OK &&
        audit_seal_open(keeper->acts.store, keeper->conf, &keeper->key) == STORE_OK)
        return EX_OK;
    LOG_ERROR("store", keeper->acts.store ? store_error(keeper->acts.store) : why);
    return EX_CONFIG;
}

static int open_state(struct keeper *keeper)
{
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256] = "";
    conf_path(keeper->conf, CONF_DATABASE, path);
    enum store_open_mode mode = keeper->company ? STORE_IN_COMPANY : STORE_MUST_EXIST;
    if (store_open(&keeper->store, path, mode, why, sizeof(why)) == STORE_OK) {
        int code = state_key_open(keeper);
        return code == EX_OK && keeper->acts.administer ? open_acts(keeper, path) : code;
    }
    LOG_ERROR("store", why);
    return EX_CONFIG;
}

static int start(struct keeper *keeper, int control)
{
    const struct conf *conf = keeper->conf;
    int error = loop_new(&keeper->loop);
    if (!error)
        error = password_dummy(keeper->dummy);
    if (!error)
        error =
            pool_new(&keeper->hashers, keeper->loop, conf->login_workers, conf->login_queue, true);
    if (!error)
        error = pool_new(&keeper->resolvers, keeper->loop, RESOLVERS, RESOLVE_QUEUE, false);
    if (!error)
        error = pool_new(&keeper->acts.pool, keeper->loop, 1, ACTS_QUEUE, false);
    keeper->control.ready = on_control;
    keeper->poll.fire = on_poll;
    keeper->sweep.fire = on_sweep;
    if (!error)
        error = fd_nonblocking(control);
    if (!error)
        error = loop_add(keeper->loop, &keeper->control, control, EPOLLIN);
    if (!error)
        error = loop_timer_set(keeper->loop, &keeper->poll, POLL_MS);
    if (!error)
        error = loop_timer_set(keeper->loop, &keeper->sweep, SWEEP_MS);
    if (!error)
        error = duty_start(keeper);
    if (error)
        LOG_ERROR("keeper.start", "cannot start", LOG_TEXT("error", strerror(-error)));
    return error ? EX_OSERR : EX_OK;
}

static bool caged(const struct keeper *keeper)
{
    struct cage_report report = {0};
    cage_keeper(&report);
    if (report.seccomp)
        return true;
    bool required = keeper->conf->cage == CONF_CAGE_REQUIRE;
    LOG_AT(required ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "keeper.cage",
           required ? "this kernel cannot cage the keeper and the configuration demands it "
                      "(cage = require)"
                    : "this kernel cannot cage the keeper");
    return !required;
}

/* Against the advice of NIST and OWASP: whoever looks at the log is to know. */
static void note_profile(struct keeper *keeper)
{
    static const struct ipc_origin nobody;
    if (keeper->conf->password_profile == CONF_PASSWORD_CLASSIC)
        record_audit(keeper, &nobody, "password-profile", "classic", NULL, NULL,
                     "passwords of three kinds of characters, with an age at most");
}

static int serve(struct keeper *keeper, int control)
{
    int code = open_state(keeper);
    if (code == EX_OK)
        code = start(keeper, control);
    if (code != EX_OK)
        return code;
    wall_clock_start(keeper);
    if (!keeper->company)
        end_stale(keeper);
    if (!caged(keeper))
        return EX_CONFIG;
    note_profile(keeper);
    control_send(control, CONTROL_READY, NULL, 0);
    int error = loop_run(keeper->loop);
    if (error)
        LOG_ERROR("keeper", "the event loop failed", LOG_TEXT("error", strerror(-error)));
    live_save(keeper);
    duty_stop(keeper);
    return keeper->exit_code;
}

int keeper_main(const struct keeper_setup *setup)
{
    struct keeper keeper = {.conf = setup->conf,
                            .company = setup->company,
                            .acts = {.administer = setup->administer},
                            .exit_code = EX_SOFTWARE};
    if (!memory_lock()) /* what the keeper may not, the gate may not, either: said once */
        LOG_WARNING("memory.lock",
                    "memory cannot be locked, so secrets may reach a swap device: set the limit of "
                    "locked memory to unlimited (LimitMEMLOCK=infinity in the service's unit, or "
                    "'ulimit -l unlimited' before the start)");
    vitals_open();
    zone_use(setup->conf->time_zone);
    if (secret_init())
        return EX_SOFTWARE;
    int code = serve(&keeper, setup->control);
    store_close(keeper.store);
    if (keeper.acts.under_way == 0)
        store_close(keeper.acts.store);
    secret_key_wipe(&keeper.key);
    return code;
}

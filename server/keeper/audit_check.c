#include "audit_check.h"

#include "audit_fault.h"
#include "keeper_state.h"
#include "log.h"
#include "owner.h"
#include "record_audit.h"

#include <string.h>

#define LOOK_MS 100     /* while there are rows to follow: … */
#define LOOK_ROWS 500   /* … so many take a few milliseconds */
#define REST_MS 1000    /* at the end of the log */
#define AGAIN_MS 600000 /* from the first row again, … */
#define CHANGED_MS 5000 /* … and so soon when somebody else wrote */
#define MARK_MS 10000   /* between two notes in audit.head */

static void trouble(struct keeper *keeper)
{
    LOG_ERROR("store", "the audit log could not be verified",
              LOG_TEXT("error", store_error(keeper->store)));
}

static void tell(struct keeper *keeper, const char *outcome, const char *words)
{
    struct ipc_origin nobody = {0};
    record_audit(keeper, &nobody, "audit-verify", outcome, NULL, NULL, words);
}

static void read_mark(struct keeper *keeper)
{
    struct audit_watch *watch = &keeper->audit;
    bool before = watch->mark_forged;
    watch->mark_forged =
        audit_mark_read(keeper->conf, &keeper->key, &watch->mark) == AUDIT_MARK_BAD;
    watch->saved_id = watch->mark.id;
    if (!watch->mark_forged)
        return;
    watch->mark = (struct audit_mark_row){0};
    if (!before)
        tell(keeper, "broken",
             CONF_AUDIT_HEAD " in the state folder was not written with this key");
}

static void begin_pass(struct keeper *keeper, uint64_t now)
{
    struct audit_watch *watch = &keeper->audit;
    if (watch->mark_forged || watch->told == STORE_AUDIT_UNEXPECTED)
        read_mark(keeper); /* an administrator may have put it right */
    watch->walk = (struct store_audit_walk){.expect_id = watch->mark.id};
    memcpy(watch->walk.expect_link, watch->mark.link, sizeof(watch->walk.expect_link));
    watch->begun_ms = now;
    watch->changed = false;
}

/* Once for each fault, not once for each pass that meets it. */
static void tell_fault(struct keeper *keeper)
{
    struct audit_watch *watch = &keeper->audit;
    char words[AUDIT_FAULT_SIZE];
    if (watch->told == watch->walk.fault && watch->told_bad == watch->walk.bad)
        return;
    /* A seal that is wrong is wrong behind each new row. */
    if (watch->told == STORE_AUDIT_UNSEALED && watch->walk.fault == STORE_AUDIT_UNSEALED)
        return;
    watch->told = watch->walk.fault;
    watch->told_bad = watch->walk.bad;
    tell(keeper, "broken", audit_fault_words(&watch->walk, words));
}

static void take_mark(struct audit_watch *watch)
{
    watch->mark.id = watch->walk.last;
    memcpy(watch->mark.link, watch->walk.link, sizeof(watch->mark.link));
}

static void save_mark(struct keeper *keeper, uint64_t now)
{
    struct audit_watch *watch = &keeper->audit;
    if (watch->mark_forged || watch->mark.id == watch->saved_id)
        return;
    watch->saved_ms = now;
    int error = audit_mark_write(keeper->conf, &keeper->key, &watch->mark);
    if (error)
        LOG_ERROR("audit.head", "the file audit.head cannot be written",
                  LOG_TEXT("error", strerror(-error)));
    else
        watch->saved_id = watch->mark.id;
}

/* All rows up to the head are whole. */
static void whole(struct keeper *keeper, uint64_t now)
{
    struct audit_watch *watch = &keeper->audit;
    if (watch->told != STORE_AUDIT_WHOLE) {
        watch->told = STORE_AUDIT_WHOLE;
        tell(keeper, "ok", "the audit log holds again");
    }
    take_mark(watch);
    if (now - watch->saved_ms >= MARK_MS)
        save_mark(keeper, now);
}

static uint64_t step(struct keeper *keeper, uint64_t now)
{
    struct audit_watch *watch = &keeper->audit;
    uint64_t age = now - watch->begun_ms;
    if (watch->walk.ended && (age >= AGAIN_MS || (watch->changed && age >= CHANGED_MS)))
        begin_pass(keeper, now);
    else if (watch->walk.ended && watch->walk.fault)
        return REST_MS;
    watch->walk.ended = false; /* there may be more */
    if (store_audit_verify(keeper->store, &watch->walk, LOOK_ROWS) != STORE_OK) {
        trouble(keeper);
        return REST_MS;
    }
    if (!watch->walk.ended)
        return LOOK_MS;
    if (watch->walk.fault)
        tell_fault(keeper);
    else
        whole(keeper, now);
    return REST_MS;
}

static void on_look(struct loop_timer *timer)
{
    struct keeper *keeper = OWNER_OF(timer, struct keeper, audit.look);
    loop_timer_set(keeper->loop, timer, step(keeper, loop_now(keeper->loop)));
}

void audit_check_changed(struct keeper *keeper)
{
    keeper->audit.changed = true;
}

int audit_check_start(struct keeper *keeper)
{
    struct audit_watch *watch = &keeper->audit;
    read_mark(keeper);
    begin_pass(keeper, loop_now(keeper->loop));
    watch->look.fire = on_look;
    return loop_timer_set(keeper->loop, &watch->look, LOOK_MS);
}

void audit_check_stop(struct keeper *keeper)
{
    struct audit_watch *watch = &keeper->audit;
    loop_timer_cancel(keeper->loop, &watch->look);
    if (!watch->walk.ended || watch->walk.fault) /* in the midst: what was noted stays */
        return;
    watch->walk.ended = false;
    if (store_audit_verify(keeper->store, &watch->walk, LOOK_ROWS) == STORE_OK &&
        watch->walk.ended && !watch->walk.fault) {
        take_mark(watch);
        save_mark(keeper, loop_now(keeper->loop));
    }
}

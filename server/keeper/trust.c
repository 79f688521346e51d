/* Trust in desktops' certificates. The gate has seen one in a handshake; the keeper remembers the
 * first, knows the pinned one, or demands an authority's. */
#include "asked.h"
#include "gate_link.h"
#include "live.h"
#include "log.h"
#include "record_audit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEX_SIZE (2 * IPC_FINGERPRINT_SIZE + 1)

static void note(struct keeper *keeper, const struct live *live, const char *outcome,
                 const char *detail)
{
    record_audit(keeper, &live->origin, "desktop-certificate", outcome, live->user, live->desktop,
                 detail);
}

/* The alarm: somebody may stand between the gateway and the desktop. */
static enum ipc_status alarm(struct keeper *keeper, const struct live *live,
                             const struct store_desktop *desktop, const uint8_t *seen)
{
    char expected[HEX_SIZE], got[HEX_SIZE], detail[256];
    text_hex(expected, desktop->fingerprint, IPC_FINGERPRINT_SIZE);
    text_hex(got, seen, IPC_FINGERPRINT_SIZE);
    snprintf(detail, sizeof(detail), "expected=%s seen=%s", expected, got);
    LOG_WARNING("desktop.certificate",
                strcmp(desktop->trust, "pin") == 0
                    ? "a desktop shows another certificate than the pinned one; if it was renewed, "
                      "tell the gateway with 'deskgate desktop trust NAME --pin SHA256'"
                    : "a desktop shows another certificate than before; if it was renewed, tell "
                      "the gateway with 'deskgate desktop trust NAME --renew'",
                LOG_TEXT("desktop", desktop->name), LOG_TEXT("seen", got));
    note(keeper, live, "changed", detail);
    return IPC_CERTIFICATE_CHANGED;
}

static enum ipc_status compare(struct keeper *keeper, const struct live *live,
                               const struct store_desktop *desktop, const uint8_t *seen)
{
    if (desktop->fingerprint_at && memcmp(desktop->fingerprint, seen, IPC_FINGERPRINT_SIZE) == 0)
        return IPC_OK;
    return alarm(keeper, live, desktop, seen);
}

/* Two may see a first one at the same moment: one is remembered, the other compared with it. */
static enum ipc_status remember(struct keeper *keeper, const struct live *live,
                                struct store_desktop *desktop, const uint8_t *seen)
{
    char detail[HEX_SIZE];
    enum store_result result =
        store_desktop_fingerprint(keeper->store, desktop->id, seen, keeper_now());
    if (result == STORE_OK) {
        text_hex(detail, seen, IPC_FINGERPRINT_SIZE);
        note(keeper, live, "remembered", detail);
        return IPC_OK;
    }
    if (result == STORE_FAILED ||
        store_desktop_by_name(keeper->store, desktop->name, desktop) != STORE_OK)
        return IPC_FAILED;
    return compare(keeper, live, desktop, seen);
}

static enum ipc_status judge(struct keeper *keeper, const struct live *live,
                             const struct ipc_certificate *ask)
{
    struct store_desktop desktop;
    if (store_desktop_by_name(keeper->store, live->desktop, &desktop) != STORE_OK)
        return IPC_FAILED; /* removed meanwhile, or the database failed: no trust either way */
    if (strcmp(desktop.trust, "ca") == 0) {
        if (ask->verified)
            return IPC_OK;
        note(keeper, live, "untrusted", "not signed by a configured authority for this host");
        return IPC_CERTIFICATE_UNTRUSTED;
    }
    if (strcmp(desktop.trust, "first-use") == 0 && !desktop.fingerprint_at)
        return remember(keeper, live, &desktop, ask->fingerprint);
    return compare(keeper, live, &desktop, ask->fingerprint);
}

int asked_certificate(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_certificate *ask = &record->certificate;
    const struct live *live = live_find(link->keeper, link, ask->tunnel);
    struct ipc_certificate_judged judged;
    IPC_INIT(&judged, CERTIFICATE_JUDGED, ask->head.request);
    /* A tunnel that must not live on teaches nothing any more: its desktop may be at another host
     * by now, and the certificate is the old one's. One that has just ended may still be asked
     * about.
     */
    if (live)
        live_review_person(link->keeper, live->user_id);
    judged.status = (uint8_t)(live && !live->closing ? judge(link->keeper, live, ask) : IPC_FAILED);
    gate_link_send(link, &judged.head, -1);
    return 0;
}

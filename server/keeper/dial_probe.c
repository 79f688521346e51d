/* Does a desktop answer? The same dialling as for a tunnel, closed at once. What was found holds
 * for a while, and all who ask about one desktop at the same time share one dialling: a list of
 * desktops on many screens must not become a port scan. */
#include "asked.h"
#include "dial.h"
#include "fd.h"
#include "gate_link.h"
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_SECONDS 3
#define REMEMBERED_MS 15000
#define REMEMBERED 256 /* desktops */
#define UNDER_WAY_MOST 32
#define PERSON_MOST 8   /* … that one person began */
#define SESSION_MOST 4  /* … and one session */
#define ASKERS_MOST 256 /* of one probe */

struct asker {
    struct asker *next;
    struct gate_link *gate; /* referenced */
    uint32_t request;
};

struct probe {
    struct probe *next; /* of keeper->probes */
    struct keeper *keeper;
    struct asker *askers;
    unsigned asker_count;
    int64_t session, user; /* which began it */
    struct store_desktop desktop;
};

struct found {
    int64_t desktop;
    uint64_t at_ms;
    enum ipc_status status;
    uint16_t port;
    char host[sizeof(((struct store_desktop *)0)->host)];
};

/* One keeper per process. */
static struct found remembered[REMEMBERED];

static void answer(struct gate_link *gate, uint32_t request, enum ipc_status status)
{
    struct ipc_probed probed;
    IPC_INIT(&probed, PROBED, request);
    probed.status = (uint8_t)status;
    gate_link_send(gate, &probed.head, -1);
}

/* ---- what was found ---- */

static struct found *slot_of(int64_t desktop)
{
    return &remembered[(uint64_t)desktop % REMEMBERED];
}

static bool same_place(const char *host, uint16_t port, const struct store_desktop *desktop)
{
    return port == desktop->port && strcmp(host, desktop->host) == 0;
}

static bool is_fresh(const struct keeper *keeper, const struct store_desktop *desktop)
{
    const struct found *found = slot_of(desktop->id);
    return found->desktop == desktop->id && same_place(found->host, found->port, desktop) &&
           loop_now(keeper->loop) - found->at_ms < REMEMBERED_MS;
}

static void remember(const struct probe *probe, enum ipc_status status)
{
    struct found *found = slot_of(probe->desktop.id);
    *found = (struct found){.desktop = probe->desktop.id,
                            .at_ms = loop_now(probe->keeper->loop),
                            .status = status,
                            .port = probe->desktop.port};
    text_copy(found->host, sizeof(found->host), probe->desktop.host);
}

/* ---- probing ---- */

static void on_dialled(void *owner, enum ipc_status status, int fd)
{
    struct probe *probe = owner;
    struct probe **at = &probe->keeper->probes;
    fd_close(&fd);
    while (*at && *at != probe)
        at = &(*at)->next;
    if (*at)
        *at = probe->next;
    if (status != IPC_FAILED) /* our own trouble says nothing about the desktop */
        remember(probe, status);
    while (probe->askers) {
        struct asker *asker = probe->askers;
        probe->askers = asker->next;
        answer(asker->gate, asker->request, status);
        gate_link_unref(asker->gate);
        free(asker);
    }
    free(probe);
}

static enum ipc_status join(struct probe *probe, struct gate_link *gate, uint32_t request)
{
    struct asker *asker = probe->asker_count < ASKERS_MOST ? calloc(1, sizeof(*asker)) : NULL;
    if (!asker)
        return IPC_BUSY;
    asker->gate = gate_link_ref(gate);
    asker->request = request;
    asker->next = probe->askers;
    probe->askers = asker;
    probe->asker_count++;
    return IPC_OK;
}

static enum ipc_status start(struct keeper *keeper, const struct store_session *session,
                             const struct store_desktop *desktop, struct probe **out)
{
    struct probe *probe = calloc(1, sizeof(*probe));
    if (!probe)
        return IPC_FAILED;
    probe->keeper = keeper;
    probe->session = session->id;
    probe->user = session->user;
    probe->desktop = *desktop;
    struct dial_setup setup = {.loop = keeper->loop,
                               .resolvers = keeper->resolvers,
                               .conf = keeper->conf,
                               .host = desktop->host,
                               .port = desktop->port,
                               .seconds = PROBE_SECONDS,
                               .done = on_dialled,
                               .owner = probe,
                               .meter = &keeper->meter.probes};
    if (dial_start(&setup)) {
        free(probe);
        return IPC_BUSY;
    }
    probe->next = keeper->probes;
    keeper->probes = probe;
    *out = probe;
    return IPC_OK;
}

/* The probe of this desktop that is under way, or a new one. */
static enum ipc_status find_or_start(struct keeper *keeper, const struct store_session *session,
                                     const struct store_desktop *desktop, struct probe **out)
{
    unsigned all = 0, persons = 0, own = 0;
    for (struct probe *probe = keeper->probes; probe; probe = probe->next) {
        *out = probe;
        if (probe->desktop.id == desktop->id &&
            same_place(probe->desktop.host, probe->desktop.port, desktop))
            return IPC_OK;
        all++;
        persons += probe->user == session->user;
        own += probe->session == session->id;
    }
    if (all >= UNDER_WAY_MOST || persons >= PERSON_MOST || own >= SESSION_MOST)
        return IPC_BUSY;
    return start(keeper, session, desktop, out);
}

/* ---- the question ---- */

int asked_probe(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_probe *ask = &record->probe;
    struct keeper *keeper = link->keeper;
    struct store_session session;
    struct store_desktop desktop;
    struct probe *probe = NULL;
    if (!asked_origin_ok(&ask->origin) || !asked_desktop_ok(ask->desktop))
        return -EPROTO;
    enum store_result found = session_look(keeper, ask->token, &session);
    enum ipc_status status = asked_granted(keeper, found, ask->desktop, &session, &desktop);
    if (status == IPC_OK && is_fresh(keeper, &desktop)) {
        answer(link, ask->head.request, slot_of(desktop.id)->status);
        return 0;
    }
    if (status == IPC_OK)
        status = find_or_start(keeper, &session, &desktop, &probe);
    if (status == IPC_OK)
        status = join(probe, link, ask->head.request);
    if (status != IPC_OK)
        answer(link, ask->head.request, status);
    return 0;
}

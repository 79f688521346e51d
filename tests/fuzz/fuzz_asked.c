/* Records from a gate in an attacker's hands, to the whole keeper with its database. The input is a
 * list of records, each of them
 *
 *     kind     which record (its low six bits), and whether it comes with a descriptor (0x40) or a
 *              byte short (0x80); a kind that no gate sends: the bytes of the patches as they are
 *     who      whose session it is about (its low three bits), whose ticket (the next three); the
 *              last four kinds of them are what the keeper has answered before
 *     patches  how many (low four bits) of: where (two bytes), how many bytes, the bytes
 *
 * and otherwise well-formed. The keeper may drop the gate, or refuse; it answers each record that
 * it takes, and nobody gets what is not theirs: without a session, no ticket and no desktop. */
#include "fd.h"
#include "fuzz_kit.h"
#include "ipc_sample.h"
#include "keeper_rig.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORDS_MOST 24
#define ANSWER_MS 20 /* for one that others build on; all are taken in the end */

struct reading {
    const uint8_t *data;
    size_t size;
};

static struct {
    int socket;
    bool dropped;
    uint8_t token[IPC_TOKEN_SIZE], ticket[IPC_TOKEN_SIZE]; /* as last answered */
    int64_t tunnel, visit;
    bool signed_in; /* by password and code, or an invitation */
    bool entitled;  /* some record named a session of alice's or of the administrator's */
} gate;

static size_t take(struct reading *from, void *to, size_t size)
{
    size_t got = size < from->size ? size : from->size;
    memset(to, 0, size);
    if (got)
        memcpy(to, from->data, got);
    from->data += got;
    from->size -= got;
    return got;
}

/* ---- what is sent ---- */

static void choose(uint8_t to[IPC_TOKEN_SIZE], unsigned who)
{
    memset(to, (int)who, IPC_TOKEN_SIZE);
    if (who == 5 || who == 7)
        memcpy(to, gate.token, IPC_TOKEN_SIZE);
    if (who == 6)
        memcpy(to, gate.ticket, IPC_TOKEN_SIZE);
}

static bool names(const void *data, size_t size, enum keeper_rig_token who)
{
    uint8_t token[IPC_TOKEN_SIZE];
    memset(token, (int)who, sizeof(token));
    return memmem(data, size, token, sizeof(token)) != NULL;
}

static void make(union ipc_record *record, uint16_t type, uint8_t who)
{
    uint8_t token[IPC_TOKEN_SIZE], ticket[IPC_TOKEN_SIZE];
    char code[7];
    choose(token, who & 7);
    choose(ticket, who >> 3 & 7);
    keeper_rig_code(code);
    struct ipc_sample_of of = {.token = token,
                               .ticket = ticket,
                               .username = "alice",
                               .password = KEEPER_RIG_PASSWORD,
                               .code = code,
                               .desktop = who & 0x80 ? "closed" : "desk",
                               .number = type == IPC_VISIT ? gate.visit : gate.tunnel,
                               .way = who & 0x40 ? IPC_WAY_RDG : IPC_WAY_TUNNEL};
    fuzz_demand(ipc_sample_make(record, type, &of));
}

static void patch(union ipc_record *record, size_t size, struct reading *from)
{
    struct {
        uint16_t where;
        uint8_t count;
    } __attribute__((packed)) head;
    take(from, &head, sizeof(head));
    for (size_t i = 0; i < head.count; i++) {
        uint8_t byte;
        if (!take(from, &byte, 1) || size <= sizeof(struct ipc_head))
            return;
        size_t at = sizeof(struct ipc_head) + (head.where + i) % (size - sizeof(struct ipc_head));
        ((uint8_t *)record)[at] = byte;
    }
}

static bool send_it(const void *data, size_t size, bool with_fd)
{
    int error = -EAGAIN;
    gate.entitled =
        gate.entitled || names(data, size, KEEPER_RIG_ALICE) || names(data, size, KEEPER_RIG_ADMIN);
    if (with_fd)
        error = ipc_send(gate.socket, data, STDERR_FILENO);
    else if (send(gate.socket, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size)
        error = 0;
    return error == 0;
}

/* ---- what is answered ---- */

static void look(const union ipc_record *answer, int fd)
{
    bool ok = answer->answer.status == IPC_OK;
    switch (answer->head.type) {
    case IPC_SIGNED_IN:
    case IPC_ENROLLED:
        if (ok)
            memcpy(gate.token,
                   answer->head.type == IPC_SIGNED_IN ? answer->signed_in.token
                                                      : answer->enrolled.token,
                   IPC_TOKEN_SIZE);
        gate.signed_in = gate.signed_in || ok;
        break;
    case IPC_TICKET_MADE:
        fuzz_demand(!ok || gate.entitled || gate.signed_in);
        if (ok)
            memcpy(gate.ticket, answer->ticket_made.ticket, IPC_TOKEN_SIZE);
        gate.visit = ok ? answer->ticket_made.visit : gate.visit;
        break;
    case IPC_OPENED:
        fuzz_demand(ok == (fd >= 0));
        fuzz_demand(!ok || gate.entitled || gate.signed_in);
        gate.tunnel = ok ? answer->opened.tunnel : gate.tunnel;
        break;
    default:
        break;
    }
}

/* Takes what there is; waits so long for the first. */
static void take_answers(int ms)
{
    static union ipc_record answer;
    struct pollfd wait = {.fd = gate.socket, .events = POLLIN};
    int fd, error = 0;
    while (!gate.dropped && poll(&wait, 1, ms) == 1) {
        error = ipc_receive(gate.socket, IPC_KEEPER, &answer, &fd);
        gate.dropped = error == -EPIPE;
        fuzz_demand(!error || gate.dropped || error == -EAGAIN);
        if (error)
            return;
        look(&answer, fd);
        fd_close(&fd);
        ms = 0;
    }
}

/* False: the list is over. */
static bool play(struct reading *from)
{
    static union ipc_record record;
    uint8_t head[3];
    if (take(from, head, sizeof(head)) < sizeof(head))
        return false;
    uint16_t type = head[0] & 0x3f;
    bool known = ipc_sample_is_gates(type);
    size_t size = known ? ipc_sample_size(type) : sizeof(record);
    if (known)
        make(&record, type, head[1]);
    else
        memset(&record, head[1], sizeof(record));
    for (unsigned i = head[2] & 15; i; i--)
        patch(&record, size, from);
    if (known)
        record.head.request = 1;
    else
        size = (size_t)head[1] * 16 + head[2]; /* nothing that anybody would send */
    if (head[0] & 0x80)
        record.head.size = (uint16_t)--size;
    size = size < sizeof(record) ? size : sizeof(record);
    if (size && send_it(&record, size, known && head[0] & 0x40))
        take_answers(known && !ipc_sample_answer(type) ? 0 : ANSWER_MS);
    return !gate.dropped;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct reading from = {data, size};
    if (!ready)
        keeper_rig_start();
    ready = true;
    memset(&gate, 0, sizeof(gate));
    gate.socket = keeper_rig_gate();
    for (int i = 0; i < RECORDS_MOST && play(&from); i++)
        ;
    take_answers(0);
    fd_close(&gate.socket);
    keeper_rig_settle();
    return 0;
}

/* All that a stranger's bytes reach within the gate, once they are out of TLS: libmicrohttpd, the
 * routes, cookies and bearer headers, bodies, NTLM, the upgrade, the conversations with browsers
 * and RD Gateway clients, the relay; and a desktop that is just as hostile, with X.224 and TLS of
 * its own. The keeper is a fake one, that demands that the gate never breaks the table.
 *
 * The first byte is about the gateway: which port (bits 0 and 1: HTTPS twice, HTTP, metrics),
 * whether it takes gateway passwords (2), has the legacy channels (3) and a consent text (4). Then
 * pieces: who (0, 1: two clients' bytes; 2: what a desktop says next, once it has heard something;
 * 3: how the keeper answers), their size in two bytes (the low one first), the bytes. */
#include "certificate.h"
#include "conn.h"
#include "fake_keeper.h"
#include "fuzz_kit.h"
#include "gate_state.h"
#include "http.h"
#include "log.h"
#include "owner.h"
#include "rdg_pair.h"
#include "rdp_sign.h"
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 2
#define PIECES_MOST 64
#define STATUSES_MOST 64
#define ANSWER_MS 20 /* for the other client's answer, before one goes on */
#define QUIET_MS 3   /* without an answer to a client that says no more: its connection breaks */

enum who { CLIENT_A, CLIENT_B, DESKTOP, KEEPER, WHO };

struct piece {
    enum who who;
    const uint8_t *data;
    size_t size;
};

static struct {
    struct gate_state state;
    struct gate_setup setup;
    struct conf conf;
    struct fake_keeper keeper;
    struct worker *worker;
    sem_t done;
} gate;

/* ---- the gate, without its listeners ---- */

static void on_close_tunnel(void *owner, int64_t tunnel, enum ipc_end end)
{
    (void)owner;
    (void)tunnel;
    (void)end;
}

static void on_say(void *owner, int64_t tunnel, const char *words)
{
    (void)owner;
    (void)tunnel;
    (void)words;
}

/* It has broken the table, or called the keeper's answer a breach. */
static void on_lost(void *owner, int error)
{
    (void)owner;
    (void)error;
    abort();
}

static int in_memory(const gnutls_datum_t *pem)
{
    int fd = memfd_create("pem", MFD_CLOEXEC);
    fuzz_demand(fd >= 0 && write(fd, pem->data, pem->size) == (ssize_t)pem->size &&
                lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void make_creds(void)
{
    gnutls_datum_t certificate, key;
    char why[512];
    fuzz_demand(certificate_make(&gate.conf, &certificate, &key) == 0);
    int fds[] = {in_memory(&certificate), in_memory(&key)};
    fuzz_demand(creds_store_new(&gate.state.creds, fds, 2, why, sizeof(why)) == 0);
    close(fds[0]);
    close(fds[1]);
    gnutls_free(certificate.data);
    gnutls_free(key.data);
}

static void start(void)
{
    struct gate_state *state = &gate.state;
    const struct admit_limits limits = {
        .total = 64, .strangers = 64, .handshakes = 64, .each = 64, .handshakes_each = 64};
    int ends[2];
    signal(SIGPIPE, SIG_IGN);
    log_init("gate", 0);
    conf_defaults(&gate.conf, "/nonexistent");
    text_copy(gate.conf.name, sizeof(gate.conf.name), "gateway.example.org");
    gate.setup.conf = &gate.conf;
    state->conf = &gate.conf;
    state->setup = &gate.setup;
    text_copy(state->origin, sizeof(state->origin), "https://gateway.example.org");
    make_creds();
    fuzz_demand(ipc_pair(ends) == 0 && desktop_tls_new(&state->desktop_tls) == 0 &&
                rdp_sign_new(&state->rdp_sign) == 0 && admit_new(&state->admit, &limits) == 0 &&
                tunnel_table_new(&state->tunnels) == 0 && rdg_pairs_new(&state->pairs) == 0);
    state->workers = &gate.worker;
    fuzz_demand(worker_new(&gate.worker, state) == 0);
    state->worker_count = 1;
    struct keeper_link_setup link = {gate.worker->loop, ends[0], on_close_tunnel, on_say,
                                     on_lost,           NULL};
    fuzz_demand(keeper_link_new(&state->keeper, &link) == 0);
    fake_keeper_start(&gate.keeper, gate.worker->loop, ends[1]);
    fuzz_demand(http_start(state) == 0);
    sem_init(&gate.done, 0, 0);
    worker_open(gate.worker); /* there is a tick */
}

static void on_forget(struct loop_task *task)
{
    (void)task;
    fake_keeper_forget(&gate.keeper);
    sem_post(&gate.done);
}

/* Carries it out in the worker's thread, and waits for that. */
static void in_worker(struct loop_task *task)
{
    loop_post(gate.worker->loop, task);
    fuzz_wait(&gate.done);
}

static const struct gate_listener http = {0}, metrics = {.metrics = true};

struct accept_task {
    struct loop_task task;
    int fd;
    const struct gate_listener *by;
    bool as_tls;
};

/* In the worker's thread. The connection is taken for one whose TLS is done. */
static void on_accept(struct loop_task *task)
{
    struct accept_task *accept = OWNER_OF(task, struct accept_task, task);
    struct newcomer newcomer = {.fd = accept->fd, .by = accept->by};
    addr_parse(&newcomer.address, "198.51.100.7");
    conn_accept(gate.worker, &newcomer);
    if (accept->as_tls && gate.worker->conns)
        gate.worker->conns->tls = true;
    sem_post(&gate.done);
}

/* A client that half-closes within a request is waited for, for [server] request_seconds. */
static void on_break(struct loop_task *task)
{
    (void)task;
    while (gate.worker->conns)
        conn_end(gate.worker->conns);
    sem_post(&gate.done);
}

/* ---- its clients ---- */

static int connect_client(unsigned port)
{
    int ends[2];
    fuzz_demand(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    struct accept_task accept = {.task.run = on_accept,
                                 .fd = ends[0],
                                 .by = port == 3 ? &metrics : &http,
                                 .as_tls = port < 2};
    in_worker(&accept.task);
    return ends[1];
}

/* Reads what there is; false at the end. */
static bool drink(int fd)
{
    uint8_t rubbish[65536];
    ssize_t got;
    do
        got = recv(fd, rubbish, sizeof(rubbish), MSG_DONTWAIT);
    while (got > 0);
    return got < 0 && errno == EAGAIN;
}

static bool wait_and_drink(int fd, int ms)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    return poll(&look, 1, ms) != 1 || drink(fd);
}

static void finish(int fd)
{
    struct loop_task end = {.run = on_break};
    shutdown(fd, SHUT_WR);
    struct pollfd look = {.fd = fd, .events = POLLIN};
    while (poll(&look, 1, QUIET_MS) == 1) {
        if (!drink(fd))
            return;
    }
    in_worker(&end);
}

static void say(int fd, const uint8_t *data, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return;
        if (sent < 0 && !wait_and_drink(fd, 1))
            return;
        data += sent > 0 ? sent : 0;
        size -= sent > 0 ? (size_t)sent : 0;
    }
}

static void play(const struct piece *pieces, size_t count, unsigned port)
{
    int fds[CLIENTS] = {-1, -1};
    int before = -1;
    for (size_t i = 0; i < count; i++) {
        int *fd = &fds[pieces[i].who];
        if (before >= 0 && before != (int)pieces[i].who)
            wait_and_drink(fds[before], ANSWER_MS);
        if (*fd < 0)
            *fd = connect_client(port);
        say(*fd, pieces[i].data, pieces[i].size);
        before = (int)pieces[i].who;
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        if (fds[i] < 0)
            continue;
        finish(fds[i]);
        close(fds[i]);
    }
    while (admit_count(gate.state.admit) || atomic_load(&gate.state.metrics_conns))
        usleep(20);
}

/* ---- the input ---- */

static void take_statuses(uint8_t to[STATUSES_MOST], const struct piece *piece)
{
    size_t room = STATUSES_MOST - gate.keeper.count;
    size_t size = piece->size < room ? piece->size : room;
    if (size)
        memcpy(to + gate.keeper.count, piece->data, size);
    gate.keeper.count += size;
}

static void take_words(const struct piece *piece)
{
    struct fake_keeper *keeper = &gate.keeper;
    if (keeper->says_count == FAKE_KEEPER_SAYS)
        return;
    keeper->says[keeper->says_count].data = piece->data;
    keeper->says[keeper->says_count++].size = piece->size;
}

static size_t cut(const uint8_t *data, size_t size, struct piece pieces[PIECES_MOST])
{
    static uint8_t statuses[STATUSES_MOST];
    size_t count = 0;
    gate.keeper.says_count = gate.keeper.count = 0;
    gate.keeper.statuses = statuses;
    while (size >= 3 && count < PIECES_MOST) {
        struct piece piece = {(enum who)(data[0] % WHO), data + 3, data[1] | (size_t)data[2] << 8};
        data += 3;
        size -= 3;
        piece.size = piece.size < size ? piece.size : size;
        data += piece.size;
        size -= piece.size;
        if (piece.who == DESKTOP)
            take_words(&piece);
        else if (piece.who == KEEPER)
            take_statuses(statuses, &piece);
        else
            pieces[count++] = piece;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct piece pieces[PIECES_MOST];
    if (!ready)
        start();
    ready = true;
    if (size == 0)
        return 0;
    gate.conf.rdg_passwords = data[0] & 4;
    gate.conf.rdg_legacy = !(data[0] & 8);
    text_copy(gate.conf.rdg_consent, sizeof(gate.conf.rdg_consent), data[0] & 16 ? "Agree?" : "");
    size_t count = cut(data + 1, size - 1, pieces);
    play(pieces, count, data[0] & 3);
    struct loop_task forget = {.run = on_forget};
    in_worker(&forget);
    return 0;
}

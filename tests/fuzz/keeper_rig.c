#include "keeper_rig.h"

#include "account.h"
#include "alert.h"
#include "audit_seal.h"
#include "browser.h"
#include "fd.h"
#include "fuzz_kit.h"
#include "gate_link.h"
#include "keeper_state.h"
#include "live.h"
#include "log.h"
#include "owner.h"
#include "password.h"
#include "session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <liboath/oath.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LONG (30 * 86400)
#define INPUTS_MOST 64 /* with one database: opening one takes longer than most inputs */

static char folder[256];
static char database[CONF_PATH_SIZE];
static struct conf conf;
static struct keeper keeper;
static uint8_t seed[TOTP_SEED_SIZE];
static uint8_t *template; /* the database's file */
static size_t template_size;
static int desktop;
static sem_t done;

/* ---- passwords that cost nothing ---- */

int __wrap_crypto_pwhash_str_alg(char *to, const char *password, unsigned long long size,
                                 unsigned long long passes, size_t memory, int algorithm);
int __wrap_crypto_pwhash_str_verify(const char *hash, const char *password,
                                    unsigned long long size);

int __wrap_crypto_pwhash_str_alg(char *to, const char *password, unsigned long long size,
                                 unsigned long long passes, size_t memory, int algorithm)
{
    (void)passes;
    (void)memory;
    (void)algorithm;
    snprintf(to, crypto_pwhash_STRBYTES, "%.*s", (int)(size < 100 ? size : 100), password);
    return 0;
}

int __wrap_crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long size)
{
    char same[crypto_pwhash_STRBYTES];
    __wrap_crypto_pwhash_str_alg(same, password, size, 0, 0, 0);
    return strcmp(same, hash) == 0 ? 0 : -1;
}

/* ---- the database ---- */

static void path_of(char to[CONF_PATH_SIZE + 8], const char *tail)
{
    snprintf(to, CONF_PATH_SIZE + 8, "%s%s", database, tail);
}

static void tidy(void)
{
    char command[320];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    fuzz_demand(system(command) == 0);
}

static struct store *open_store(enum store_open_mode mode)
{
    struct store *store;
    char why[256] = "";
    fuzz_demand(store_open(&store, database, mode, why, sizeof(why)) == STORE_OK);
    fuzz_demand(audit_seal_open(store, &conf, &keeper.key) == STORE_OK);
    return store;
}

static void add_session(struct store *store, int64_t user, uint8_t mark)
{
    uint8_t token[IPC_TOKEN_SIZE];
    int64_t id, now = time(NULL);
    struct store_session row = {
        .user = user, .created_at = now, .expires_at = now + LONG, .factor_at = now};
    memset(token, mark, sizeof(token));
    session_hash(token, row.hash);
    addr_parse(&row.address, "198.51.100.1");
    fuzz_demand(store_session_add(store, &row, &id) == STORE_OK);
    if (mark == KEEPER_RIG_OVER)
        fuzz_demand(store_session_end(store, id, now, "signed-out") == STORE_OK);
}

static void add_desktop(struct store *store, const char *name, uint16_t port, int64_t user)
{
    struct store_desktop row = {.port = port};
    int64_t id;
    text_copy(row.name, sizeof(row.name), name);
    text_copy(row.host, sizeof(row.host), "127.0.0.1");
    fuzz_demand(store_desktop_add(store, &row, &id) == STORE_OK);
    fuzz_demand(store_grant_add(store, &(struct store_grant_key){.who = user, .what = id}) ==
                STORE_OK);
}

static uint16_t listen_somewhere(int *fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    fuzz_demand(bind(*fd, (struct sockaddr *)&at, size) == 0 && listen(*fd, 128) == 0 &&
                getsockname(*fd, (struct sockaddr *)&at, &size) == 0);
    return ntohs(at.sin_port);
}

static void fill(struct store *store)
{
    struct store_user alice, root, boris = {0};
    uint8_t other[TOTP_SEED_SIZE], invitation[ACCOUNT_INVITATION_SIZE], hash[32];
    int shut;
    fuzz_demand(account_add(store, &keeper.key, "alice", KEEPER_RIG_PASSWORD, 1, &alice, seed) ==
                STORE_OK);
    fuzz_demand(account_add(store, &keeper.key, "root", KEEPER_RIG_PASSWORD, 1, &root, other) ==
                STORE_OK);
    fuzz_demand(store_user_set_administrator(store, root.id, true) == STORE_OK);
    text_copy(boris.name, sizeof(boris.name), "boris");
    fuzz_demand(account_invite(store, &keeper.key, &boris, time(NULL), time(NULL) + LONG,
                               invitation) == STORE_OK);
    memset(invitation, KEEPER_RIG_INVITED, sizeof(invitation));
    crypto_hash_sha256(hash, invitation, sizeof(invitation));
    fuzz_demand(store_invitation_set(store, boris.id, hash, time(NULL), time(NULL) + LONG) ==
                STORE_OK);
    add_session(store, alice.id, KEEPER_RIG_ALICE);
    add_session(store, root.id, KEEPER_RIG_ADMIN);
    add_session(store, alice.id, KEEPER_RIG_OVER);
    add_desktop(store, "desk", listen_somewhere(&desktop), alice.id);
    add_desktop(store, "closed", listen_somewhere(&shut), alice.id);
    close(shut);
}

static void keep_template(void)
{
    struct stat st;
    FD_AUTO int fd = open(database, O_RDONLY | O_CLOEXEC);
    fuzz_demand(fd >= 0 && fstat(fd, &st) == 0);
    template_size = (size_t)st.st_size;
    template = malloc(template_size);
    fuzz_demand(template && read(fd, template, template_size) == (ssize_t)template_size);
}

static void make_template(void)
{
    char why[256] = "", path[CONF_PATH_SIZE];
    fuzz_folder(folder, sizeof(folder));
    atexit(tidy);
    conf_defaults(&conf, folder);
    conf.dial_loopback = conf.rdg_passwords = true;
    conf.session_idle_seconds = conf.admin_factor_seconds = LONG;
    fuzz_demand(addr_net_parse(&conf.dial_allow[conf.dial_allow_count++], "127.0.0.0/8"));
    conf_path(&conf, CONF_SECRET_KEY, path);
    conf_path(&conf, CONF_DATABASE, database);
    fuzz_demand(secret_init() == 0 &&
                secret_key_load(&keeper.key, path, true, why, sizeof(why)) == 0);
    struct store *store = open_store(STORE_CREATE);
    fill(store);
    store_close(store);
    keep_template();
}

/* ---- in the keeper's thread ---- */

static void fresh_store(void)
{
    char path[CONF_PATH_SIZE + 8];
    store_close(keeper.store);
    store_close(keeper.acts.store);
    path_of(path, "-wal");
    unlink(path);
    path_of(path, "-shm");
    unlink(path);
    FD_AUTO int fd = open(database, O_WRONLY | O_TRUNC | O_CLOEXEC);
    fuzz_demand(fd >= 0 && write(fd, template, template_size) == (ssize_t)template_size);
    keeper.store = open_store(STORE_MUST_EXIST);
    keeper.acts.store = open_store(STORE_MUST_EXIST);
    loop_timer_cancel(keeper.loop, &keeper.alerts.look);
    memset(&keeper.alerts, 0, sizeof(keeper.alerts));
    fuzz_demand(alert_start(&keeper) == 0);
}

static bool lives(enum keeper_rig_token who)
{
    uint8_t token[IPC_TOKEN_SIZE], hash[32];
    struct store_session session;
    memset(token, (int)who, sizeof(token));
    session_hash(token, hash);
    return store_session_by_hash(keeper.store, hash, &session) == STORE_OK && !session.ended_at &&
           !session.must_change;
}

/* As it was at the start, or near enough: the two sessions live. */
static void ready_store(void)
{
    static unsigned inputs;
    if (inputs++ % INPUTS_MOST && lives(KEEPER_RIG_ALICE) && lives(KEEPER_RIG_ADMIN))
        return;
    fresh_store();
}

struct adding {
    struct loop_task task;
    int socket;
};

static void on_add(struct loop_task *task)
{
    struct adding *adding = OWNER_OF(task, struct adding, task);
    ready_store();
    fuzz_demand(gate_link_add(&keeper, adding->socket) == 0);
    sem_post(&done);
}

/* Nobody connects to what has been dialled. */
static void take_desktops(void)
{
    const struct linger at_once = {.l_onoff = 1};
    int fd;
    while ((fd = accept4(desktop, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(fd);
    }
}

static bool is_busy(void)
{
    return keeper.signins || keeper.rekeys || keeper.openings || keeper.probes ||
           keeper.acts.under_way;
}

static struct loop_timer later;

static void look(void)
{
    take_desktops();
    if (is_busy()) {
        loop_timer_set(keeper.loop, &later, 1);
        return;
    }
    gate_link_drop_all(&keeper);
    fuzz_demand(live_save_ends(&keeper) == STORE_OK && !keeper.live && !keeper.ended);
    sem_post(&done);
}

static void on_later(struct loop_timer *timer)
{
    (void)timer;
    look();
}

static void on_settle(struct loop_task *task)
{
    (void)task;
    look();
}

/* The keeper's own poll is not run: an act sets it. */
static void on_poll(struct loop_timer *timer)
{
    (void)timer;
    live_review(&keeper);
}

static void *run(void *unused)
{
    (void)unused;
    fuzz_demand(loop_run(keeper.loop) == 0);
    return NULL;
}

void keeper_rig_start(void)
{
    pthread_t thread;
    signal(SIGPIPE, SIG_IGN);
    log_init("keeper", 0);
    make_template();
    keeper.conf = &conf;
    keeper.control.fd = -1; /* no supervisor takes alerts */
    keeper.acts.administer = browser_act;
    keeper.poll.fire = on_poll;
    later.fire = on_later;
    sem_init(&done, 0, 0);
    fuzz_demand(loop_new(&keeper.loop) == 0 && password_dummy(keeper.dummy) == 0 &&
                pool_new(&keeper.hashers, keeper.loop, 2, 64, false) == 0 &&
                pool_new(&keeper.resolvers, keeper.loop, 2, 64, false) == 0 &&
                pool_new(&keeper.acts.pool, keeper.loop, 1, 32, false) == 0);
    fuzz_demand(pthread_create(&thread, NULL, run, NULL) == 0);
}

int keeper_rig_gate(void)
{
    int ends[2];
    fuzz_demand(ipc_pair(ends) == 0);
    struct adding adding = {.task.run = on_add, .socket = ends[1]};
    loop_post(keeper.loop, &adding.task);
    fuzz_wait(&done);
    return ends[0];
}

void keeper_rig_settle(void)
{
    struct loop_task task = {.run = on_settle};
    loop_post(keeper.loop, &task);
    fuzz_wait(&done);
}

void keeper_rig_code(char code[7])
{
    fuzz_demand(oath_hotp_generate((const char *)seed, sizeof(seed), (uint64_t)(time(NULL) / 30), 6,
                                   false, OATH_HOTP_DYNAMIC_TRUNCATION, code) == OATH_OK);
}

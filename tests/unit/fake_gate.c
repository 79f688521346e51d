#include "fake_gate.h"

#include "audit_seal.h"
#include "control.h"
#include "fd.h"
#include "keeper.h"
#include "log.h"
#include "session.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <liboath/oath.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char fake_gate_password[] = "correct horse battery";

static int start_desktop(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

void fake_gate_desktop(struct fake_gate *fake, const char *name, const char *host, uint16_t port,
                       bool grant)
{
    struct store_desktop row = {.port = port};
    int64_t id;
    text_copy(row.name, sizeof(row.name), name);
    text_copy(row.host, sizeof(row.host), host);
    ck_assert_int_eq(store_desktop_add(fake->store, &row, &id), STORE_OK);
    if (grant)
        ck_assert_int_eq(
            store_grant_add(fake->store,
                            &(struct store_grant_key){.who = fake->alice.id, .what = id}),
            STORE_OK);
}

static void fill_state(struct fake_gate *fake)
{
    struct secret_key key;
    char path[CONF_PATH_SIZE], why[256] = "";
    uint16_t port, unused;
    conf_path(&fake->conf, CONF_SECRET_KEY, path);
    ck_assert_int_eq(secret_key_load(&key, path, true, why, sizeof(why)), 0);
    conf_path(&fake->conf, CONF_DATABASE, path);
    ck_assert_int_eq(store_open(&fake->store, path, STORE_CREATE, why, sizeof(why)), STORE_OK);
    ck_assert_int_eq(audit_seal_open(fake->store, &fake->conf, &key), STORE_OK);
    ck_assert_int_eq(
        account_add(fake->store, &key, "alice", fake_gate_password, 1, &fake->alice, fake->seed),
        STORE_OK);
    fake->desktop = start_desktop(&port);
    fake->desktop_port = port;
    ck_assert_int_eq(listen(fake->desktop, 256), 0);
    fake->unused = start_desktop(&unused); /* kept, so that nobody else listens there meanwhile */
    fake_gate_desktop(fake, "desk", "127.0.0.1", port, true);
    fake_gate_desktop(fake, "named", "localhost", port, true);
    fake_gate_desktop(fake, "closed", "127.0.0.1", unused, true);
    fake_gate_desktop(fake, "strange", "192.0.2.1", port, true);
    fake_gate_desktop(fake, "nameless", "no-such-host.invalid", port, true);
    fake_gate_desktop(fake, "others", "127.0.0.1", port, false);
}

int fake_gate_new(struct fake_gate *fake)
{
    int ends[2];
    ck_assert_int_eq(ipc_pair(ends), 0);
    ck_assert_int_eq(control_send(fake->control, CONTROL_GATE, &ends[1], 1), 0);
    close(ends[1]);
    return ends[0];
}

void fake_gate_start(struct fake_gate *fake)
{
    int pair[2], fds[CONTROL_FDS_MAX];
    size_t count;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    fake->keeper = fork();
    if (fake->keeper == 0) {
        struct keeper_setup setup = {
            .conf = &fake->conf, .control = pair[1], .administer = fake->administer};
        close(pair[0]);
        log_init("keeper", 0); /* what is provoked here need not be read */
        _exit(keeper_main(&setup));
    }
    close(pair[1]);
    fake->control = pair[0];
    ck_assert_int_eq(control_receive(fake->control, fds, &count), CONTROL_READY);
    fake->gate = fake_gate_new(fake);
}

void fake_gate_setup(struct fake_gate *fake)
{
    signal(SIGPIPE, SIG_IGN);
    memset(fake, 0, sizeof(*fake));
    text_copy(fake->folder, sizeof(fake->folder), "/tmp/deskgate-keeper-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fake->folder));
    ck_assert_int_eq(secret_init(), 0);
    conf_defaults(&fake->conf, fake->folder);
    fake->conf.dial_loopback = true;
    ck_assert(addr_net_parse(&fake->conf.dial_allow[fake->conf.dial_allow_count++], "127.0.0.0/8"));
    fake->conf.dial_seconds = 3;
    fill_state(fake);
    fake_gate_start(fake);
}

int fake_gate_stop(struct fake_gate *fake)
{
    int status;
    control_send(fake->control, CONTROL_STOP, NULL, 0);
    waitpid(fake->keeper, &status, 0);
    fd_close(&fake->gate);
    fd_close(&fake->control);
    return status;
}

void fake_gate_teardown(struct fake_gate *fake)
{
    char command[128];
    ck_assert_int_eq(fake_gate_stop(fake), 0);
    store_close(fake->store);
    fd_close(&fake->desktop);
    fd_close(&fake->unused);
    snprintf(command, sizeof(command), "rm -rf '%s'", fake->folder);
    ck_assert_int_eq(system(command), 0);
}

/* ---- asking ---- */

int fake_gate_next(struct fake_gate *fake, union ipc_record *record, int *fd, int wait)
{
    struct pollfd look = {.fd = fake->gate, .events = POLLIN};
    if (poll(&look, 1, wait) != 1)
        return -EAGAIN;
    return ipc_receive(fake->gate, IPC_KEEPER, record, fd);
}

void fake_gate_send(struct fake_gate *fake, const struct ipc_head *record)
{
    int error;
    while ((error = ipc_send(fake->gate, record, -1)) == -EAGAIN)
        usleep(1000);
    ck_assert_int_eq(error, 0);
}

void fake_gate_ask(struct fake_gate *fake, struct ipc_head *ask, uint16_t type,
                   union ipc_record *answer, int *fd)
{
    ask->request = ++fake->request;
    ck_assert_int_eq(ipc_send(fake->gate, ask, -1), 0);
    ck_assert_int_eq(fake_gate_next(fake, answer, fd, 15000), 0);
    ck_assert_uint_eq(answer->head.type, type);
    ck_assert_uint_eq(answer->head.request, fake->request);
}

void fake_gate_origin(struct ipc_origin *to, const char *address)
{
    text_copy(to->conn, sizeof(to->conn), "0123456789abcdef");
    ck_assert(addr_parse(&to->address, address));
}

void fake_gate_code(const struct fake_gate *fake, char code[7], int64_t steps)
{
    ck_assert_int_eq(oath_hotp_generate((const char *)fake->seed, sizeof(fake->seed),
                                        (uint64_t)(time(NULL) / 30 + steps), 6, false,
                                        OATH_HOTP_DYNAMIC_TRUNCATION, code),
                     OATH_OK);
}

struct ipc_signed_in fake_gate_sign_in(struct fake_gate *fake, const char *name, const char *secret,
                                       const char *code, const char *address)
{
    struct ipc_sign_in ask;
    union ipc_record answer;
    int fd;
    IPC_INIT(&ask, SIGN_IN, 0);
    fake_gate_origin(&ask.origin, address);
    text_copy(ask.username, sizeof(ask.username), name);
    text_copy(ask.password, sizeof(ask.password), secret);
    text_copy(ask.code, sizeof(ask.code), code);
    fake_gate_ask(fake, &ask.head, IPC_SIGNED_IN, &answer, &fd);
    ck_assert_int_eq(fd, -1);
    return answer.signed_in;
}

struct ipc_signed_in fake_gate_sign_in_well(struct fake_gate *fake, int64_t steps)
{
    char code[7];
    fake_gate_code(fake, code, steps);
    struct ipc_signed_in got =
        fake_gate_sign_in(fake, "alice", fake_gate_password, code, "198.51.100.1");
    ck_assert_int_eq(got.status, IPC_OK);
    return got;
}

void fake_gate_open_ask(struct ipc_open *ask, const uint8_t *token, const char *name)
{
    IPC_INIT(ask, OPEN, 0);
    fake_gate_origin(&ask->origin, "198.51.100.1");
    memcpy(ask->token, token, IPC_TOKEN_SIZE);
    text_copy(ask->desktop, sizeof(ask->desktop), name);
}

enum ipc_status fake_gate_open(struct fake_gate *fake, const uint8_t *token, const char *name,
                               struct ipc_opened *opened, int *fd)
{
    struct ipc_open ask;
    union ipc_record answer;
    fake_gate_open_ask(&ask, token, name);
    fake_gate_ask(fake, &ask.head, IPC_OPENED, &answer, fd);
    *opened = answer.opened;
    return (enum ipc_status)answer.opened.status;
}

int64_t fake_gate_open_well(struct fake_gate *fake, const uint8_t *token)
{
    struct ipc_opened opened;
    int fd;
    ck_assert_int_eq(fake_gate_open(fake, token, "desk", &opened, &fd), IPC_OK);
    close(fd);
    return opened.tunnel;
}

enum ipc_status fake_gate_who(struct fake_gate *fake, const uint8_t *token)
{
    struct ipc_who ask;
    union ipc_record answer;
    int fd;
    IPC_INIT(&ask, WHO, 0);
    fake_gate_origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, token, IPC_TOKEN_SIZE);
    fake_gate_ask(fake, &ask.head, IPC_WHO_IS, &answer, &fd);
    return (enum ipc_status)answer.who_is.status;
}

/* ---- rows of its own ---- */

void fake_gate_session(struct fake_gate *fake, int64_t user, uint8_t mark,
                       uint8_t token[IPC_TOKEN_SIZE])
{
    struct store_session row = {.user = user, .created_at = time(NULL)};
    int64_t id;
    memset(token, mark, IPC_TOKEN_SIZE);
    session_hash(token, row.hash);
    row.expires_at = row.created_at + 3600;
    ck_assert(addr_parse(&row.address, "198.51.100.1"));
    ck_assert_int_eq(store_session_add(fake->store, &row, &id), STORE_OK);
}

int64_t fake_gate_person(struct fake_gate *fake, const char *name)
{
    struct store_user row = {.password = "*", .seed_size = 1, .created_at = 1};
    int64_t id;
    text_copy(row.name, sizeof(row.name), name);
    ck_assert_int_eq(store_user_add(fake->store, &row, &id), STORE_OK);
    return id;
}

struct audited {
    const char *outcome, *part;
    unsigned count;
};

static int count_audited(void *owner, const struct store_audit *row)
{
    struct audited *audited = owner;
    audited->count +=
        strcmp(row->outcome, audited->outcome) == 0 && strstr(row->detail, audited->part) != NULL;
    return 0;
}

unsigned fake_gate_audited(struct fake_gate *fake, const char *event, const char *outcome,
                           const char *part)
{
    const struct store_audit_filter filter = {.event = event};
    struct audited audited = {outcome, part, 0};
    ck_assert_int_eq(store_audit_list(fake->store, &filter, count_audited, &audited), STORE_OK);
    return audited.count;
}

int64_t fake_gate_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#include "fake_keeper.h"

#include "fuzz_kit.h"
#include "ipc_sample.h"
#include "owner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- what may be asked ---- */

#define TEXT(field) fuzz_demand(ipc_text_ok((field), sizeof(field)))

static void check_origin(const struct ipc_origin *origin)
{
    TEXT(origin->conn);
    TEXT(origin->agent);
    fuzz_demand(strspn(origin->conn, "0123456789abcdef") == strlen(origin->conn));
    for (const char *c = origin->agent; *c; c++)
        fuzz_demand(*c >= ' ' && *c <= '~');
}

/* Most questions begin alike. */
static bool has_origin(uint16_t type)
{
    return type != IPC_CERTIFICATE && type != IPC_TUNNEL_COUNTS && type != IPC_TUNNEL_ENDING &&
           type != IPC_TUNNEL_ENDED && type != IPC_CHALLENGE && type != IPC_METRICS &&
           type != IPC_EXPIRY;
}

static void check_pass(const struct ipc_pass *ask)
{
    TEXT(ask->username);
    TEXT(ask->password);
    fuzz_demand(ask->kind <= IPC_PASS_NTLM && ask->user_size <= sizeof(ask->user) &&
                ask->domain_size <= sizeof(ask->domain) && ask->blob_size <= sizeof(ask->blob));
}

static void check_admin(const struct ipc_admin *ask)
{
    fuzz_demand(ask->size > 0 && ask->size <= sizeof(ask->arguments));
    fuzz_demand(ask->arguments[ask->size - 1] == '\0');
}

static void check(const union ipc_record *ask)
{
    if (has_origin(ask->head.type))
        check_origin(&ask->who.origin);
    switch (ask->head.type) {
    case IPC_SIGN_IN:
        TEXT(ask->sign_in.username);
        TEXT(ask->sign_in.password);
        TEXT(ask->sign_in.code);
        break;
    case IPC_DESKTOPS:
        TEXT(ask->desktops.after);
        break;
    case IPC_OPEN:
        TEXT(ask->open.desktop);
        fuzz_demand(text_is_name(ask->open.desktop) && ask->open.way < IPC_WAYS);
        break;
    case IPC_TICKET:
        TEXT(ask->ticket.desktop);
        fuzz_demand(text_is_name(ask->ticket.desktop));
        fuzz_demand(ask->ticket.way == IPC_WAY_RDG || ask->ticket.way == IPC_WAY_CLEANPATH);
        fuzz_demand(ask->ticket.replaces >= 0 &&
                    (!ask->ticket.replaces || ask->ticket.way == IPC_WAY_CLEANPATH));
        break;
    case IPC_PASS:
        check_pass(&ask->pass);
        break;
    case IPC_PROBE:
        TEXT(ask->probe.desktop);
        fuzz_demand(text_is_name(ask->probe.desktop));
        break;
    case IPC_ENROL_BEGIN:
        TEXT(ask->enrol_begin.password);
        break;
    case IPC_ENROL_FINISH:
        TEXT(ask->enrol_finish.password);
        TEXT(ask->enrol_finish.code);
        break;
    case IPC_PASSWORD:
        TEXT(ask->password.password);
        TEXT(ask->password.new_password);
        TEXT(ask->password.code);
        break;
    case IPC_FACTOR:
        TEXT(ask->factor.code);
        break;
    case IPC_ADMIN:
        check_admin(&ask->admin);
        break;
    case IPC_TUNNEL_ENDED:
        fuzz_demand(ask->tunnel_ended.end < IPC_ENDS);
        break;
    case IPC_TUNNEL_ENDING:
        fuzz_demand(ask->tunnel_ending.end < IPC_ENDS);
        break;
    case IPC_CHALLENGE:
        TEXT(ask->challenge.token);
        break;
    default:
        break;
    }
}

/* ---- what is answered ---- */

static void say_next(struct fake_desktop *desktop)
{
    const struct fake_keeper *keeper = desktop->keeper;
    if (desktop->said < keeper->says_count) {
        size_t i = desktop->said++;
        ssize_t sent = send(desktop->source.fd, keeper->says[i].data, keeper->says[i].size,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)sent; /* more than fits is not said */
    }
    if (desktop->said == keeper->says_count)
        shutdown(desktop->source.fd, SHUT_WR);
}

static void on_heard(struct loop_source *source, uint32_t events)
{
    struct fake_desktop *desktop = OWNER_OF(source, struct fake_desktop, source);
    uint8_t rubbish[16384];
    ssize_t got = recv(source->fd, rubbish, sizeof(rubbish), MSG_DONTWAIT);
    (void)events;
    if (got > 0)
        say_next(desktop);
    else if (got == 0 || errno != EAGAIN)
        loop_remove(desktop->keeper->loop, source);
}

/* A desktop that says what the input says, and closes; the gate's end, or -1. */
static int open_desktop(struct fake_keeper *keeper)
{
    int ends[2];
    if (keeper->desktop_count == FAKE_KEEPER_DESKTOPS ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -1;
    struct fake_desktop *desktop = &keeper->desktops[keeper->desktop_count++];
    *desktop = (struct fake_desktop){.source.ready = on_heard, .keeper = keeper};
    fuzz_demand(loop_add(keeper->loop, &desktop->source, ends[1], EPOLLIN) == 0);
    if (!keeper->says_count)
        say_next(desktop);
    return ends[0];
}

static int print(struct ipc_admin_done *done)
{
    static const char json[] = "{\"people\":[]}";
    int fd = memfd_create("printed", MFD_CLOEXEC);
    fuzz_demand(fd >= 0 && write(fd, json, sizeof(json) - 1) == (ssize_t)sizeof(json) - 1);
    done->json = 1;
    done->printed_size = sizeof(json) - 1;
    return fd;
}

static void fill(struct fake_keeper *keeper, const union ipc_record *ask, union ipc_record *answer)
{
    switch (answer->head.type) {
    case IPC_WHO_IS:
        text_copy(answer->who_is.username, sizeof(answer->who_is.username), "anna");
        break;
    case IPC_DESKTOP_PAGE:
        answer->desktop_page.count = 1;
        text_copy(answer->desktop_page.items[0].name, TEXT_NAME_SIZE, "office-pc");
        break;
    case IPC_SESSION_LIST:
        answer->session_list.count = 1;
        break;
    case IPC_OPENED:
        answer->opened.tunnel = (int64_t)keeper->at + 1;
        answer->opened.absolute_seconds = 3600;
        text_copy(answer->opened.host, sizeof(answer->opened.host), "office-pc.example.org");
        break;
    case IPC_TICKET_MADE:
        text_copy(answer->ticket_made.desktop, TEXT_NAME_SIZE, ask->ticket.desktop);
        text_copy(answer->ticket_made.settings, IPC_SETTINGS_SIZE, "use multimon:i:1\n");
        break;
    case IPC_PASSED:
        memset(answer->passed.ticket, 7, IPC_TOKEN_SIZE);
        break;
    case IPC_ENROLLED:
        answer->enrolled.recovery_count = 1;
        break;
    case IPC_CHALLENGE_BODY:
        answer->challenge_body.size = 9;
        memset(answer->challenge_body.body, 'k', 9);
        break;
    default:
        break;
    }
}

static void answer_it(struct fake_keeper *keeper, const union ipc_record *ask)
{
    static union ipc_record answer;
    uint16_t type = ipc_sample_answer(ask->head.type);
    uint8_t status = keeper->at < keeper->count ? keeper->statuses[keeper->at] : 0;
    int fd = -1;
    keeper->at++;
    if (!type)
        return;
    memset(&answer, 0, sizeof(answer));
    answer.head = (struct ipc_head){type, (uint16_t)ipc_sample_size(type), ask->head.request};
    answer.answer.status = status < 0x80 ? IPC_OK : status % IPC_STATUSES;
    fill(keeper, ask, &answer);
    if (type == IPC_OPENED && answer.answer.status == IPC_OK) {
        fd = open_desktop(keeper);
        answer.answer.status = fd < 0 ? IPC_BUSY : IPC_OK;
    }
    if (type == IPC_ADMIN_DONE && answer.answer.status == IPC_OK)
        fd = print(&answer.admin_done);
    while (ipc_send(keeper->source.fd, &answer.head, fd) == -EAGAIN)
        usleep(100);
    if (fd >= 0)
        close(fd);
}

static void on_asked(struct loop_source *source, uint32_t events)
{
    struct fake_keeper *keeper = OWNER_OF(source, struct fake_keeper, source);
    static union ipc_record ask;
    int fd;
    (void)events;
    for (;;) {
        int error = ipc_receive(source->fd, IPC_GATE, &ask, &fd);
        if (error == -EAGAIN)
            return;
        fuzz_demand(error == 0 && fd < 0);
        check(&ask);
        answer_it(keeper, &ask);
    }
}

void fake_keeper_start(struct fake_keeper *keeper, struct loop *loop, int socket)
{
    keeper->loop = loop;
    keeper->source.ready = on_asked;
    fuzz_demand(loop_add(loop, &keeper->source, socket, EPOLLIN) == 0);
}

void fake_keeper_forget(struct fake_keeper *keeper)
{
    while (keeper->desktop_count) {
        struct fake_desktop *desktop = &keeper->desktops[--keeper->desktop_count];
        loop_remove(keeper->loop, &desktop->source);
        close(desktop->source.fd);
    }
    keeper->at = 0;
}

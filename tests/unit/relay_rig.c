#include "relay_rig.h"

#include "fd.h"
#include "owner.h"
#include "suite.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct relay_rig rig;

static void on_ended(struct relay *relay, void *owner, const struct relay_result *result)
{
    ck_assert_ptr_eq(relay, rig.relay);
    ck_assert_ptr_eq(owner, &rig);
    ck_assert(!rig.over);
    rig.over = true;
    rig.result = *result;
}

void relay_rig_pair(int *ours, int *theirs)
{
    int ends[2], small = 8192;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    for (int i = 0; i < 2; i++)
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    *ours = ends[0];
    *theirs = ends[1];
}

void relay_rig_tcp_pair(int *ours, int *theirs)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    FD_AUTO int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    *theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(*theirs, (struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(fd_nonblocking(*theirs), 0);
    *ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    ck_assert_int_ge(*ours, 0);
}

void relay_rig_begin(struct relay_setup setup)
{
    if (rig.client < 0)
        relay_rig_pair(&rig.gate_client, &rig.client);
    relay_rig_pair(&rig.gate_desktop, &rig.desktop);
    stream_plain_init(&rig.framed, rig.gate_client);
    stream_plain_init(&rig.plain, rig.gate_desktop);
    setup.loop = rig.loop;
    setup.scratch = rig.scratch;
    setup.framed = &rig.framed.stream;
    setup.plain = &rig.plain.stream;
    setup.ended = on_ended;
    setup.owner = &rig;
    ck_assert_int_eq(relay_new(&rig.relay, &setup), 0);
    ck_assert(!rig.over);
}

void relay_rig_setup(void)
{
    rig = (struct relay_rig){.client = -1, .desktop = -1, .gate_client = -1, .gate_desktop = -1};
    ck_assert_int_eq(loop_new(&rig.loop), 0);
    ck_assert_int_eq(stream_scratch_new(&rig.scratch), 0);
}

void relay_rig_teardown(void)
{
    relay_free(rig.relay);
    stream_scratch_free(rig.scratch);
    loop_free(rig.loop);
    fd_close(&rig.client);
    fd_close(&rig.desktop);
    fd_close(&rig.gate_client);
    fd_close(&rig.gate_desktop);
}

struct turn {
    struct loop_timer timer;
    struct loop *loop;
    bool (*step)(void);
    uint64_t until;
};

static void on_turn(struct loop_timer *timer)
{
    struct turn *turn = OWNER_OF(timer, struct turn, timer);
    if (turn->step() || loop_now(turn->loop) > turn->until)
        loop_stop(turn->loop);
    else
        loop_timer_set(turn->loop, timer, 0);
}

void relay_rig_run(struct loop *loop, bool (*step)(void))
{
    struct turn turn = {
        .timer.fire = on_turn, .loop = loop, .step = step, .until = loop_now(loop) + 45000};
    loop_timer_set(loop, &turn.timer, 0);
    ck_assert_int_eq(loop_run(loop), 0);
    ck_assert_msg(loop_now(loop) <= turn.until, "it did not come to an end");
}

bool relay_rig_is_over(void)
{
    return rig.over;
}

bool relay_rig_listen(void)
{
    ssize_t got = recv(rig.client, rig.told + rig.told_size, sizeof(rig.told) - rig.told_size, 0);
    if (got > 0)
        rig.told_size += (size_t)got;
    return rig.over;
}

/* Reads what was told up to a close frame. */
static unsigned told(enum ws_event_kind kind)
{
    struct ws_reader reader = {0};
    uint8_t copy[sizeof(rig.told)];
    unsigned count = 0;
    memcpy(copy, rig.told, rig.told_size);
    for (size_t at = 0; at < rig.told_size;) {
        struct ws_event event;
        at += ws_read(&reader, copy + at, rig.told_size - at, &event);
        ck_assert_int_ne(event.kind, WS_EVENT_BAD);
        if (event.kind == WS_EVENT_CLOSE)
            return kind == WS_EVENT_CLOSE ? event.code : count;
        count += event.kind == kind;
    }
    return kind == WS_EVENT_CLOSE ? 0 : count;
}

unsigned relay_rig_told_code(void)
{
    return told(WS_EVENT_CLOSE);
}

unsigned relay_rig_told_pongs(void)
{
    return told(WS_EVENT_PONG);
}

size_t relay_rig_frame(uint8_t *to, enum ws_opcode opcode, bool final, const uint8_t *data,
                       size_t size)
{
    uint8_t head[WS_HEADER_MOST], mask[4] = {9, 8, 7, (uint8_t)size};
    size_t length = ws_header_before(head + WS_HEADER_MOST, opcode, size, mask);
    memcpy(to, head + WS_HEADER_MOST - length, length);
    if (!final)
        to[0] &= 0x7f;
    memcpy(to + length, data, size);
    ws_mask(to + length, size, mask, 0);
    return length + size;
}

int relay_rig_main(const char *name, const struct relay_rig_test *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, relay_rig_setup, relay_rig_teardown);
    tcase_set_timeout(tcase, 60);
    for (size_t i = 0; i < count; i++)
        tcase_add_loop_test(tcase, tests[i].test, 0, tests[i].times ? tests[i].times : 1);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

/* The whole way of a byte: RDP client, tunnel client's relay, TLS, gate's relay, desktop; or, with
 * TLS on both sides of the gate's relay, as for a browser, on to a relay that plays the desktop's
 * TLS. One loop and one scratch for all, so every trick with shared buffers is played against
 * itself. */
#include "fd.h"
#include "relay_rig.h"
#include "relay_state.h"
#include "suite.h"
#include "tls_ends.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOTAL (6U << 20)

struct side {
    struct stream_tls tls;
    struct stream_plain plain;
    struct stream_tls inner; /* instead of plain: TLS with the desktop */
    struct relay *relay;
    struct relay_result result;
    bool over;
    int tls_fd, plain_fd;
    int far; /* the test's end of the plain side: the RDP client, the desktop */
    size_t put, got;
};

static struct tls_ends ends;
static struct side gate, client, desktop;
static uint8_t *sent;
static int steps;

static void on_ended(struct relay *relay, void *owner, const struct relay_result *result)
{
    struct side *side = owner;
    ck_assert_ptr_eq(relay, side->relay);
    side->over = true;
    side->result = *result;
    /* As owners do. */
    stream_end(&side->tls.stream);
    if (side->inner.stream.ops)
        stream_end(&side->inner.stream);
    shutdown(side->tls_fd, SHUT_RDWR);
    shutdown(side->plain_fd, SHUT_RDWR);
}

static bool shake(struct stream_tls *tls)
{
    int why = 0, error = stream_tls_handshake(tls, &why);
    ck_assert(error == 0 || error == -EAGAIN);
    return error == 0;
}

static void shake_both(struct stream_tls *one, struct stream_tls *other)
{
    bool done;
    do {
        done = shake(one);
        done &= shake(other);
    } while (!done);
}

static void begin_side(struct side *side, enum relay_framing framing)
{
    struct relay_setup setup = {.loop = rig.loop,
                                .scratch = rig.scratch,
                                .framed = &side->tls.stream,
                                .plain = side->inner.stream.ops ? &side->inner.stream
                                                                : &side->plain.stream,
                                .framing = framing,
                                .ping_ms = framing == RELAY_RAW ? 0 : 20,
                                .idle_ms = 9000,
                                .ended = on_ended,
                                .owner = side};
    stream_plain_init(&side->plain, side->plain_fd);
    ck_assert_int_eq(relay_new(&side->relay, &setup), 0);
}

static void begin_tls(struct stream_tls *tls, int fd, unsigned role, const char *priority)
{
    stream_tls_init(tls, fd, tls_ends_session(&ends, role, priority), rig.scratch);
}

static void begin_desktop(const char *priority)
{
    relay_rig_pair(&gate.plain_fd, &desktop.tls_fd);
    relay_rig_pair(&desktop.plain_fd, &gate.far);
    begin_tls(&desktop.tls, desktop.tls_fd, GNUTLS_SERVER, priority);
    begin_tls(&gate.inner, gate.plain_fd, GNUTLS_CLIENT, priority);
    shake_both(&gate.inner, &desktop.tls);
    begin_side(&desktop, RELAY_RAW);
}

static void begin_chain(const char *priority, bool inner)
{
    gate = client = desktop = (struct side){.tls_fd = -1, .plain_fd = -1, .far = -1};
    relay_rig_pair(&gate.tls_fd, &client.tls_fd);
    relay_rig_pair(&client.plain_fd, &client.far);
    begin_tls(&gate.tls, gate.tls_fd, GNUTLS_SERVER, priority);
    begin_tls(&client.tls, client.tls_fd, GNUTLS_CLIENT, priority);
    shake_both(&client.tls, &gate.tls);
    if (inner)
        begin_desktop(priority);
    else
        relay_rig_pair(&gate.plain_fd, &gate.far);
    /* As at the gate; the tunnel client stays with GnuTLS. */
    stream_tls_direct(&gate.tls, true);
    if (inner)
        stream_tls_direct(&gate.inner, false);
    begin_side(&gate, RELAY_WS_SERVER);
    begin_side(&client, RELAY_WS_CLIENT);
    steps = 0;
}

static void setup(void)
{
    relay_rig_setup();
    tls_ends_init(&ends);
    sent = malloc(TOTAL);
    for (size_t i = 0; i < TOTAL; i++)
        sent[i] = (uint8_t)rand();
}

static void end_side(struct side *side)
{
    relay_free(side->relay);
    stream_deinit(&side->tls.stream);
    stream_deinit(&side->inner.stream);
    fd_close(&side->tls_fd);
    fd_close(&side->plain_fd);
    fd_close(&side->far);
}

static void teardown(void)
{
    end_side(&gate);
    end_side(&client);
    end_side(&desktop);
    free(sent);
    tls_ends_deinit(&ends);
    relay_rig_teardown();
}

static void put(struct side *side)
{
    size_t left = TOTAL - side->put, size = (size_t)rand() % (rand() % 2 ? 300 : 100000) + 1;
    ssize_t wrote =
        left ? send(side->far, sent + side->put, size < left ? size : left, MSG_NOSIGNAL) : 0;
    side->put += wrote > 0 ? (size_t)wrote : 0;
}

static void take(struct side *side, size_t most)
{
    static uint8_t data[100000];
    ssize_t got = recv(side->far, data, most, 0);
    if (got <= 0)
        return;
    ck_assert_uint_le(side->got + (size_t)got, TOTAL);
    ck_assert_mem_eq(data, sent + side->got, (size_t)got);
    side->got += (size_t)got;
}

static void check_bounds(const struct side *side)
{
    const struct relay *relay = side->relay;
    const struct stream_tls *tls = &side->tls;
    const struct stream_tls *inner = &side->inner;
    ck_assert_uint_le(relay->to_plain.size + tls->in_size, RELAY_BACKLOG);
    ck_assert_uint_le(relay->to_framed.size + tls->out_size, RELAY_BACKLOG);
    ck_assert_uint_le(inner->out_size, RELAY_BACKLOG);
    ck_assert_uint_le(inner->in_size, RELAY_BACKLOG);
}

static bool holds_nothing(const struct side *side)
{
    const struct relay *relay = side->relay;
    return !relay->to_plain.data && !relay->to_framed.data && !side->tls.in && !side->tls.out;
}

/* Now one of the far ends reads slowly, now the other. */
static bool step_bulk(void)
{
    size_t slow = (size_t)rand() % 20 ? 0 : 4000;
    put(&gate);
    put(&client);
    take(&gate, steps / 200 % 2 ? 100000 : slow);
    take(&client, steps / 300 % 2 ? 100000 : slow);
    steps++;
    check_bounds(&gate);
    check_bounds(&client);
    ck_assert(!gate.over && !client.over);
    return gate.got == TOTAL && client.got == TOTAL;
}

START_TEST(bytes_pass_the_whole_chain_unchanged)
{
    srand((unsigned)_i + 1);
    begin_chain(_i % 2 ? TLS_ENDS_12 : TLS_ENDS_13, _i >= 4);
    relay_rig_run(rig.loop, step_bulk);
    ck_assert(holds_nothing(&gate) && holds_nothing(&client));
    ck_assert(!gate.inner.in && !gate.inner.out);
    uint64_t up, down;
    relay_counts(gate.relay, &up, &down);
    ck_assert_uint_eq(up, TOTAL);
    ck_assert_uint_eq(down, TOTAL);
}
END_TEST

static bool step_desktop_ends(void)
{
    if (steps++ == 0) {
        ck_assert_int_eq(send(gate.far, sent, 5000, MSG_NOSIGNAL), 5000);
        shutdown(gate.far, SHUT_WR);
    }
    take(&client, 100000);
    return gate.over && client.over;
}

START_TEST(the_desktops_end_reaches_the_client_in_words)
{
    begin_chain(TLS_ENDS_13, _i == 1);
    relay_rig_run(rig.loop, step_desktop_ends);
    take(&client, 100000);
    ck_assert_uint_eq(client.got, 5000);
    ck_assert_int_eq(gate.result.end, RELAY_PLAIN_CLOSED);
    ck_assert_int_eq(client.result.end, RELAY_FRAMED_CLOSED);
    ck_assert_uint_eq(client.result.close_code, WS_NORMAL);
    ck_assert_str_eq(client.result.reason, "the desktop closed the connection");
}
END_TEST

static bool step_gate_closes(void)
{
    put(&client);
    if (steps++ == 100) /* nobody has read anything: both directions are full */
        relay_close(gate.relay, 4002, "your session was ended");
    if (steps > 100)
        take(&client, 100000);
    return gate.over && client.over;
}

START_TEST(a_close_arrives_through_full_pipes)
{
    begin_chain(TLS_ENDS_13, _i == 1);
    relay_rig_run(rig.loop, step_gate_closes);
    ck_assert_int_eq(gate.result.end, RELAY_CLOSED);
    ck_assert_int_eq(client.result.end, RELAY_FRAMED_CLOSED);
    ck_assert_uint_eq(client.result.close_code, 4002);
    ck_assert_str_eq(client.result.reason, "your session was ended");
}
END_TEST

static bool step_desktop_stalls(void)
{
    put(&client);
    usleep(1000);
    ck_assert(!gate.over && !client.over);
    return ++steps == 400;
}

START_TEST(a_desktop_that_stalls_breaks_nothing)
{
    begin_chain(TLS_ENDS_13, _i == 1);
    relay_rig_run(rig.loop, step_desktop_stalls); /* for twenty ping intervals */
}
END_TEST

static bool step_cut(void)
{
    put(&client);
    take(&gate, 1000);
    if (steps++ == 20)
        shutdown(client.tls_fd, SHUT_RDWR); /* no close frame, no close_notify */
    return gate.over;
}

START_TEST(a_cut_tunnel_is_lost_not_closed)
{
    begin_chain(TLS_ENDS_13, _i == 1);
    relay_rig_run(rig.loop, step_cut);
    ck_assert_int_eq(gate.result.end, RELAY_FRAMED_LOST);
    ck_assert_msg(gate.result.error == -ECONNRESET || gate.result.error == -EPIPE, "%s",
                  strerror(-gate.result.error));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("relay_chain");
    TCase *tests = tcase_create("relay_chain");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, bytes_pass_the_whole_chain_unchanged, 0, 8);
    tcase_add_loop_test(tests, the_desktops_end_reaches_the_client_in_words, 0, 2);
    tcase_add_loop_test(tests, a_close_arrives_through_full_pipes, 0, 2);
    tcase_add_loop_test(tests, a_desktop_that_stalls_breaks_nothing, 0, 2);
    tcase_add_loop_test(tests, a_cut_tunnel_is_lost_not_closed, 0, 2);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

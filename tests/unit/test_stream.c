/* Streams over real sockets, TLS on both ends. Between the two TLS ends the test is the wire: it
 * carries the ciphertext in pieces of its choice, and may spoil or withhold it. */
#include "stream.h"

#include "tls_ends.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {
    struct stream_tls tls;
    int fd, wire; /* the stream's end of a socketpair, and the wire's */
};

static struct tls_ends ends;
static struct stream_scratch *scratch;
static struct end server, client;

static void open_end(struct end *end, unsigned role, const char *priority)
{
    int pair[2], small = 4096;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    for (int i = 0; i < 2; i++)
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    end->fd = pair[0];
    end->wire = pair[1];
    stream_tls_init(&end->tls, end->fd, tls_ends_session(&ends, role, priority), scratch);
}

static void setup(void)
{
    tls_ends_init(&ends);
    ck_assert_int_eq(stream_scratch_new(&scratch), 0);
}

static void close_end(struct end *end)
{
    stream_deinit(&end->tls.stream);
    close(end->fd);
    close(end->wire);
}

static void teardown(void)
{
    close_end(&server);
    close_end(&client);
    stream_scratch_free(scratch);
    tls_ends_deinit(&ends);
}

/* Carries up to `most` bytes; with `spoil`, changes the last of them. Returns how many. */
static ssize_t carry(struct end *from, struct end *to, size_t most, bool spoil)
{
    uint8_t data[65536];
    ssize_t got = recv(from->wire, data, most < sizeof(data) ? most : sizeof(data), MSG_PEEK);
    if (got <= 0)
        return 0;
    if (spoil)
        data[got - 1] ^= 1;
    ssize_t sent = send(to->wire, data, (size_t)got, MSG_NOSIGNAL);
    if (sent <= 0)
        return 0;
    ck_assert_int_eq(recv(from->wire, data, (size_t)sent, 0), sent);
    return sent;
}

static void carry_all(struct end *from, struct end *to)
{
    while (carry(from, to, 65536, false) > 0)
        ;
}

/* Both ends shake hands; `piece` bytes at a time pass the wire. */
static void shake(const char *priority, size_t piece)
{
    int ours = -EAGAIN, theirs = -EAGAIN, why = 0;
    open_end(&server, GNUTLS_SERVER, priority);
    open_end(&client, GNUTLS_CLIENT, priority);
    for (int i = 0; (ours || theirs) && i < 100000; i++) {
        if (theirs)
            theirs = stream_tls_handshake(&client.tls, &why);
        ck_assert_msg(theirs == 0 || theirs == -EAGAIN, "client: %s", gnutls_strerror(why));
        carry(&client, &server, piece, false);
        if (ours)
            ours = stream_tls_handshake(&server.tls, &why);
        ck_assert_msg(ours == 0 || ours == -EAGAIN, "server: %s", gnutls_strerror(why));
        carry(&server, &client, piece, false);
    }
    ck_assert(!ours && !theirs);
}

static const char *const priorities[] = {TLS_ENDS_13, TLS_ENDS_12};

/* ---- bulk ---- */

#define TOTAL (4U << 20)
static uint8_t *sent;
struct flow {
    struct end *from, *to;
    size_t put, got;
};

static void fill(void)
{
    sent = malloc(TOTAL);
    for (size_t i = 0; i < TOTAL; i++)
        sent[i] = (uint8_t)rand();
}

static void flow_write(struct flow *flow)
{
    struct stream *stream = &flow->from->tls.stream;
    size_t size = (size_t)rand() % 200000 + 1;
    if (size > TOTAL - flow->put)
        size = TOTAL - flow->put;
    if (stream_flush(stream) == -EAGAIN) {
        ck_assert_int_eq(stream_write(stream, sent, 1), -EAGAIN); /* nothing is taken */
        return;
    }
    if (size) {
        ssize_t wrote = stream_write(stream, sent + flow->put, size);
        ck_assert_int_gt(wrote, 0);
        flow->put += (size_t)wrote;
    }
    ck_assert_uint_le(flow->from->tls.out_size, 160 * 1024); /* one write's worth, never more */
}

static void flow_read(struct flow *flow)
{
    static uint8_t data[200000];
    struct stream *stream = &flow->to->tls.stream;
    size_t size = rand() % 2 ? sizeof(data) : (size_t)rand() % 3000 + 1;
    ssize_t got = stream_read(stream, data, size);
    if (got == -EAGAIN)
        return;
    ck_assert_int_gt(got, 0);
    ck_assert_uint_le(flow->got + (size_t)got, TOTAL);
    ck_assert_mem_eq(data, sent + flow->got, (size_t)got);
    flow->got += (size_t)got;
    ck_assert_uint_le(flow->to->tls.in_size, 256 * 1024);
}

START_TEST(bulk_both_ways_through_a_narrow_wire)
{
    srand((unsigned)_i + 1);
    fill();
    shake(priorities[_i % 2], 65536);
    struct flow up = {&client, &server, 0, 0}, down = {&server, &client, 0, 0};
    while (up.got < TOTAL || down.got < TOTAL) {
        flow_write(&up);
        flow_write(&down);
        carry(&client, &server, (size_t)rand() % 40000 + 1, false);
        carry(&server, &client, (size_t)rand() % 40000 + 1, false);
        /* Both ends share one scratch and read in turns: what one leaves is kept for it. */
        flow_read(&up);
        flow_read(&down);
    }
    ck_assert_ptr_null(server.tls.in);
    ck_assert_ptr_null(server.tls.out);
    ck_assert_ptr_null(client.tls.in);
    ck_assert_ptr_null(client.tls.out);
    ck_assert(!stream_readable(&server.tls.stream));
    free(sent);
}
END_TEST

START_TEST(handshakes_in_pieces)
{
    shake(priorities[_i % 2], _i < 2 ? 1 : 100);
}
END_TEST

/* ---- ends ---- */

static void say(struct end *from, struct end *to, const char *words)
{
    ck_assert_int_eq(stream_write(&from->tls.stream, (const uint8_t *)words, strlen(words)),
                     (ssize_t)strlen(words));
    carry_all(from, to);
}

static void expect(struct end *end, const char *words)
{
    uint8_t data[100] = {0};
    ssize_t got;
    do /* a client has tickets to read, too */
        got = stream_read(&end->tls.stream, data, sizeof(data) - 1);
    while (got == -EAGAIN && stream_readable(&end->tls.stream));
    ck_assert_int_eq(got, (ssize_t)strlen(words));
    ck_assert_str_eq((char *)data, words);
}

START_TEST(a_cut_connection_is_not_an_end)
{
    uint8_t data[10];
    shake(priorities[_i], 65536);
    say(&client, &server, "last");
    shutdown(server.wire, SHUT_WR); /* no close_notify: somebody may have cut it */
    expect(&server, "last");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(stream_read(&server.tls.stream, data, sizeof(data)), -ECONNRESET);
}
END_TEST

START_TEST(a_polite_end_is_announced_behind_bytes)
{
    uint8_t data[10];
    shake(priorities[_i], 65536);
    say(&client, &server, "last");
    ck_assert_int_eq(stream_end(&client.tls.stream), 0);
    carry_all(&client, &server); /* the wire stays open: no hang-up helps */
    expect(&server, "last");
    ck_assert(stream_readable(&server.tls.stream));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(stream_read(&server.tls.stream, data, sizeof(data)), 0);
    ck_assert_int_eq(stream_write(&client.tls.stream, data, 1), -EPIPE);
    /* The other direction lives (half-close). */
    say(&server, &client, "still here");
    expect(&client, "still here");
}
END_TEST

START_TEST(a_spoiled_record_breaks_off_with_an_alert)
{
    uint8_t data[100];
    shake(priorities[_i], 65536);
    say(&client, &server, "good");
    ck_assert_int_eq(stream_write(&client.tls.stream, (const uint8_t *)"evil", 4), 4);
    carry(&client, &server, 65536, true);
    expect(&server, "good");
    ck_assert(stream_readable(&server.tls.stream)); /* the verdict waits behind the bytes */
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(stream_read(&server.tls.stream, data, sizeof(data)), -EPROTO);
    carry_all(&server, &client);
    ssize_t got;
    do
        got = stream_read(&client.tls.stream, data, sizeof(data));
    while (got == -EAGAIN && stream_readable(&client.tls.stream));
    ck_assert_int_eq(got, -EPROTO);
    ck_assert_int_eq(gnutls_alert_get(client.tls.session), GNUTLS_A_BAD_RECORD_MAC);
}
END_TEST

START_TEST(rubbish_instead_of_a_handshake_is_refused_with_an_alert)
{
    uint8_t answer[7];
    int why = 0;
    open_end(&server, GNUTLS_SERVER, TLS_ENDS_13);
    open_end(&client, GNUTLS_CLIENT, TLS_ENDS_13);
    ck_assert_int_eq(send(server.wire, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, 0), 27);
    ck_assert_int_eq(stream_tls_handshake(&server.tls, &why), -EPROTO);
    ck_assert_int_lt(why, 0);
    ck_assert_int_eq(recv(server.wire, answer, sizeof(answer), 0), 7);
    ck_assert_uint_eq(answer[0], 21); /* alert, RFC 8446 section 5.1 */
}
END_TEST

START_TEST(keys_are_updated_on_the_way)
{
    shake(TLS_ENDS_13, 65536);
    say(&client, &server, "old keys");
    expect(&server, "old keys");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(gnutls_session_key_update(client.tls.session, GNUTLS_KU_PEER), 0);
        say(&client, &server, "new keys"); /* sends the update with it */
        expect(&server, "new keys");
        say(&server, &client, "new here, too");
        expect(&client, "new here, too");
    }
}
END_TEST

START_TEST(plain_streams)
{
    uint8_t data[10];
    int pair[2];
    struct stream_plain plain;
    shake(TLS_ENDS_13, 65536); /* for the teardown */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    stream_plain_init(&plain, pair[0]);
    ck_assert_int_eq(stream_read(&plain.stream, data, sizeof(data)), -EAGAIN); /* never waits */
    ck_assert_int_eq(stream_write(&plain.stream, (const uint8_t *)"hello", 5), 5);
    ck_assert_int_eq(stream_flush(&plain.stream), 0);
    ck_assert_int_eq(recv(pair[1], data, sizeof(data), 0), 5);
    ck_assert_int_eq(stream_end(&plain.stream), 0);
    ck_assert_int_eq(recv(pair[1], data, sizeof(data), 0), 0);
    ck_assert_int_eq(send(pair[1], "bye", 3, 0), 3);
    close(pair[1]);
    ck_assert_int_eq(stream_read(&plain.stream, data, sizeof(data)), 3);
    ck_assert_int_eq(stream_read(&plain.stream, data, sizeof(data)), 0);
    ck_assert_int_eq(stream_write(&plain.stream, data, 1), -EPIPE); /* and no signal */
    ck_assert(!stream_readable(&plain.stream));
    stream_deinit(&plain.stream);
    close(pair[0]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *tests = tcase_create("stream");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, bulk_both_ways_through_a_narrow_wire, 0, 4);
    tcase_add_loop_test(tests, handshakes_in_pieces, 0, 4);
    tcase_add_loop_test(tests, a_cut_connection_is_not_an_end, 0, 2);
    tcase_add_loop_test(tests, a_polite_end_is_announced_behind_bytes, 0, 2);
    tcase_add_loop_test(tests, a_spoiled_record_breaks_off_with_an_alert, 0, 2);
    tcase_add_test(tests, rubbish_instead_of_a_handshake_is_refused_with_an_alert);
    tcase_add_test(tests, keys_are_updated_on_the_way);
    tcase_add_test(tests, plain_streams);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

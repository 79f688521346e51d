/* Streams over real sockets, TLS on both ends. Between the two TLS ends the test is the wire: it
 * carries the ciphertext in pieces of its choice, and may spoil or withhold it. */
#include "stream.h"

#include "stream_direct.h"
#include "suite.h"
#include "tls_ends.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
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

/* Which of the ends goes on without GnuTLS behind the handshake, for loop tests: _i / 2. */
enum { SERVER_DIRECT = 1, CLIENT_DIRECT = 2, DIRECTS = 4 };
static unsigned direct;
static size_t smaller; /* than what is usual, the client wants its records; 0: not */

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
    direct = 0;
    smaller = 0;
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
    if (smaller)
        gnutls_record_set_max_recv_size(client.tls.session, smaller);
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
    if (direct & SERVER_DIRECT)
        stream_tls_direct(&server.tls, true);
    if (direct & CLIENT_DIRECT)
        stream_tls_direct(&client.tls, false);
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
    static uint8_t data[250000];
    struct stream *stream = &flow->to->tls.stream;
    size_t size = rand() % 2 ? 200000 : (size_t)rand() % 3000 + 1;
    if (direct)
        size += STREAM_TLS_READ_LEAST;
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
    direct = (unsigned)_i / 2 % DIRECTS;
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
    /* Without GnuTLS it is only where that is possible. */
    bool possible = priorities[_i % 2] == priorities[0];
    ck_assert_int_eq(server.tls.session == NULL, possible && direct & SERVER_DIRECT);
    ck_assert_int_eq(client.tls.session == NULL, possible && direct & CLIENT_DIRECT);
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
    static uint8_t data[STREAM_TLS_READ_LEAST];
    ssize_t got;
    do /* a client has tickets to read, too */
        got = stream_read(&end->tls.stream, data, sizeof(data));
    while (got == -EAGAIN && stream_readable(&end->tls.stream));
    ck_assert_int_eq(got, (ssize_t)strlen(words));
    ck_assert_mem_eq(data, words, strlen(words));
}

START_TEST(a_cut_connection_is_not_an_end)
{
    static uint8_t data[STREAM_TLS_READ_LEAST];
    direct = (unsigned)_i / 2 % DIRECTS;
    shake(priorities[_i % 2], 65536);
    say(&client, &server, "last");
    shutdown(server.wire, SHUT_WR); /* no close_notify: somebody may have cut it */
    expect(&server, "last");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(stream_read(&server.tls.stream, data, sizeof(data)), -ECONNRESET);
}
END_TEST

START_TEST(a_polite_end_is_announced_behind_bytes)
{
    static uint8_t data[STREAM_TLS_READ_LEAST];
    direct = (unsigned)_i / 2 % DIRECTS;
    shake(priorities[_i % 2], 65536);
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
    static uint8_t data[STREAM_TLS_READ_LEAST];
    direct = (unsigned)_i / 2 % DIRECTS;
    shake(priorities[_i % 2], 65536);
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
    if (client.tls.session)
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

/* By whom GnuTLS still serves; the other one may be without it. */
static void update_keys(struct end *end, struct end *other)
{
    say(end, other, "old keys");
    expect(other, "old keys");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(gnutls_session_key_update(end->tls.session, GNUTLS_KU_PEER), 0);
        say(end, other, "new keys"); /* sends the update with it */
        expect(other, "new keys");
        carry_all(other, end);
        say(other, end, "new here, too");
        expect(end, "new here, too");
    }
}

START_TEST(keys_are_updated_on_the_way)
{
    direct = (unsigned)_i;
    shake(TLS_ENDS_13, 65536);
    if (!(direct & CLIENT_DIRECT))
        update_keys(&client, &server);
    if (!(direct & SERVER_DIRECT))
        update_keys(&server, &client);
}
END_TEST

START_TEST(keys_that_have_served_long_are_changed)
{
    static const char *const ciphers[] = {"AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"};
    char priority[100];
    direct = _i < 3 ? SERVER_DIRECT : SERVER_DIRECT | CLIENT_DIRECT;
    snprintf(priority, sizeof(priority), "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+%s",
             ciphers[_i % 3]);
    shake(priority, 65536);
    say(&server, &client, "first");
    expect(&client, "first");
    say(&client, &server, "first");
    expect(&server, "first");
    ck_assert_ptr_null(server.tls.session);
    struct record_keys before = server.tls.direct->out;
    /* GnuTLS does not look at how many there were. A direct client is told the same untruth. */
    server.tls.direct->out.sequence = RECORD_REKEY;
    if (client.tls.direct && !client.tls.session)
        client.tls.direct->in.sequence = RECORD_REKEY;
    else
        ck_assert_int_eq(
            gnutls_record_set_state(client.tls.session, 1, (uint8_t[8]){0, 0, 0, 0, 1, 0, 0, 0}),
            0);
    say(&server, &client, "later");
    expect(&client, "later");
    ck_assert_uint_eq(server.tls.direct->out.sequence, 1);
    ck_assert_mem_ne(server.tls.direct->out.secret, before.secret, before.secret_size);
}
END_TEST

/* ---- without GnuTLS: what a peer with the right keys may send ---- */

static const struct {
    const char *name;
    uint8_t type;
    const char *bytes;
    size_t size;
    int verdict; /* of the server's read: -EAGAIN (nothing to give), 0, or broken */
    uint8_t alert;
} records[] = {
    {"nothing", RECORD_DATA, "", 0, -EAGAIN, 0},
    {"close_notify", RECORD_ALERT, "\1\0", 2, 0, 0},
    {"user_canceled", RECORD_ALERT, "\1\x5a", 2, -EAGAIN, 0},
    {"fatal alert", RECORD_ALERT, "\2\x28", 2, -EPROTO, 0},
    {"half an alert", RECORD_ALERT, "\1", 1, -EPROTO, RECORD_DECODE_ERROR},
    {"no alert", RECORD_ALERT, "", 0, -EPROTO, RECORD_DECODE_ERROR},
    {"two alerts", RECORD_ALERT, "\1\0\1\0", 4, -EPROTO, RECORD_DECODE_ERROR},
    {"empty handshake", RECORD_HANDSHAKE, "", 0, -EPROTO, RECORD_UNEXPECTED_MESSAGE},
    {"client hello", RECORD_HANDSHAKE, "\1\0\0\0", 4, -EPROTO, RECORD_UNEXPECTED_MESSAGE},
    {"ticket to a server", RECORD_HANDSHAKE, "\4\0\0\1x", 5, -EPROTO, RECORD_UNEXPECTED_MESSAGE},
    {"update of a third kind", RECORD_HANDSHAKE, "\x18\0\0\1\2", 5, -EPROTO, RECORD_DECODE_ERROR},
    {"update and more", RECORD_HANDSHAKE, "\x18\0\0\1\0\x18", 6, -EPROTO,
     RECORD_UNEXPECTED_MESSAGE},
    {"half an update", RECORD_HANDSHAKE, "\x18\0\0\1", 4, -EPROTO, RECORD_UNEXPECTED_MESSAGE},
    {"change cipher spec", 20, "\1", 1, -EPROTO, RECORD_UNEXPECTED_MESSAGE},
    {"heartbeat", 24, "\1", 1, -EPROTO, RECORD_UNEXPECTED_MESSAGE},
    {"zeros alone", 0, "\0\0\0", 3, -EPROTO, RECORD_UNEXPECTED_MESSAGE},
};

/* Both ends without GnuTLS, and the keys in use. */
static void go_direct(void)
{
    direct = SERVER_DIRECT | CLIENT_DIRECT;
    shake(TLS_ENDS_13, 65536);
    say(&client, &server, "hello");
    expect(&server, "hello");
    say(&server, &client, "hello");
    expect(&client, "hello");
}

static void send_record(uint8_t type, const void *bytes, size_t size)
{
    uint8_t plain[100], record[200];
    memcpy(plain, bytes, size);
    size_t made = record_seal(&client.tls.direct->out, (enum record_type)type, plain, size, record);
    ck_assert_uint_ne(made, 0);
    ck_assert_int_eq(send(server.wire, record, made, MSG_NOSIGNAL), (ssize_t)made);
}

static ssize_t server_reads(void)
{
    static uint8_t data[STREAM_TLS_READ_LEAST];
    return stream_read(&server.tls.stream, data, sizeof(data));
}

static void expect_alert(uint8_t alert)
{
    static uint8_t wire[1000], plain[1000];
    uint8_t type;
    size_t size;
    ssize_t got = recv(server.wire, wire, sizeof(wire), 0);
    ck_assert_int_eq(got, RECORD_EXTRA + 2);
    ck_assert_int_eq(record_open(&client.tls.direct->in, wire, plain, &type, &size), 0);
    ck_assert_uint_eq(type, RECORD_ALERT);
    ck_assert_uint_eq(size, 2);
    ck_assert_uint_eq(plain[0], 2);
    ck_assert_uint_eq(plain[1], alert);
}

START_TEST(records_of_every_kind)
{
    uint8_t byte;
    go_direct();
    send_record(records[_i].type, records[_i].bytes, records[_i].size);
    for (int i = 0; i < 2; i++)
        ck_assert_msg(server_reads() == records[_i].verdict, "%s", records[_i].name);
    if (records[_i].alert)
        expect_alert(records[_i].alert);
    ck_assert_int_eq(recv(server.wire, &byte, 1, 0), -1);
    if (records[_i].verdict == -EAGAIN) {
        say(&client, &server, "on it goes");
        expect(&server, "on it goes");
    }
}
END_TEST

START_TEST(headers_that_lie)
{
    static const struct {
        uint8_t header[5];
        uint8_t alert;
    } lies[] = {
        {{23, 3, 3, 0x48, 1}, RECORD_OVERFLOW},
        {{23, 3, 3, 0xff, 0xff}, RECORD_OVERFLOW},
        {{23, 3, 3, 0, 0}, RECORD_BAD_MAC},
        {{23, 3, 3, 0, 16}, RECORD_BAD_MAC},
        {{23, 3, 3, 0, 40}, RECORD_BAD_MAC},
        {{21, 3, 3, 0, 2}, RECORD_UNEXPECTED_MESSAGE},
        {{22, 3, 3, 0, 4}, RECORD_UNEXPECTED_MESSAGE},
        {{'G', 'E', 'T', 0, 4}, RECORD_UNEXPECTED_MESSAGE},
    };
    uint8_t bytes[1000] = {0};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        if (i) {
            close_end(&server);
            close_end(&client);
        }
        go_direct();
        memcpy(bytes, lies[i].header, 5);
        ck_assert_int_eq(send(server.wire, bytes, sizeof(bytes), 0), sizeof(bytes));
        ck_assert_int_eq(server_reads(), -EPROTO);
        expect_alert(lies[i].alert);
    }
}
END_TEST

START_TEST(tickets_are_skipped_also_in_pieces)
{
    static const uint8_t head[] = {4, 0, 0, 10};
    go_direct();
    /* The client's part in this is played by the server's records. */
    uint8_t wire[200], plain[100];
    struct record_keys *keys = &server.tls.direct->out;
    memcpy(plain, head, 4);
    memset(plain + 4, 'x', 6);
    size_t size = record_seal(keys, RECORD_HANDSHAKE, plain, 10, wire);
    ck_assert_int_eq(send(client.wire, wire, size, 0), (ssize_t)size);
    memset(plain, 'x', 4);
    memcpy(plain + 4, "\4\0\0\0", 4);
    size = record_seal(keys, RECORD_HANDSHAKE, plain, 8, wire);
    ck_assert_int_eq(send(client.wire, wire, size, 0), (ssize_t)size);
    say(&server, &client, "words");
    expect(&client, "words");
    /* Between two pieces of one, nothing else may come. */
    memcpy(plain, head, 4);
    size = record_seal(keys, RECORD_HANDSHAKE, plain, 4, wire);
    ck_assert_int_eq(send(client.wire, wire, size, 0), (ssize_t)size);
    static uint8_t data[STREAM_TLS_READ_LEAST];
    say(&server, &client, "words");
    ck_assert_int_eq(stream_read(&client.tls.stream, data, sizeof(data)), -EPROTO);
}
END_TEST

START_TEST(many_updates_are_answered_by_one)
{
    static uint8_t wire[4096];
    go_direct();
    for (int i = 0; i < 5; i++) {
        send_record(RECORD_HANDSHAKE, "\x18\0\0\1\1", 5);
        ck_assert_int_eq(record_keys_update(&client.tls.direct->out), 0);
    }
    ck_assert_int_eq(server_reads(), -EAGAIN);
    ck_assert_int_eq(recv(server.wire, wire, sizeof(wire), MSG_PEEK), RECORD_EXTRA + 5);
    carry_all(&server, &client);
    say(&server, &client, "under new keys");
    expect(&client, "under new keys");
    say(&client, &server, "here, too");
    expect(&server, "here, too");
}
END_TEST

START_TEST(whoever_only_changes_keys_is_sent_away)
{
    go_direct();
    ssize_t got = -EAGAIN;
    for (int i = 0; i < 100 && got == -EAGAIN; i++) {
        send_record(RECORD_HANDSHAKE, "\x18\0\0\1\0", 5);
        ck_assert_int_eq(record_keys_update(&client.tls.direct->out), 0);
        got = server_reads();
    }
    ck_assert_int_eq(got, -EPROTO);
    expect_alert(RECORD_UNEXPECTED_MESSAGE);
    ck_assert_int_eq(stream_write(&server.tls.stream, (const uint8_t *)"x", 1), -EPIPE);
}
END_TEST

/* RFC 8449: the peer would refuse what we make. */
START_TEST(a_peer_with_small_records_keeps_gnutls)
{
    static uint8_t data[40000], got[40000];
    size_t have = 0;
    direct = SERVER_DIRECT;
    smaller = 4096;
    shake(TLS_ENDS_13, 65536);
    ck_assert_int_eq(stream_write(&server.tls.stream, data, sizeof(data)), sizeof(data));
    ck_assert_ptr_nonnull(server.tls.session);
    for (int i = 0; i < 1000 && have < sizeof(data); i++) {
        carry(&server, &client, 65536, false);
        stream_flush(&server.tls.stream);
        ssize_t more = stream_read(&client.tls.stream, got + have, sizeof(got) - have);
        ck_assert(more > 0 || more == -EAGAIN);
        have += more > 0 ? (size_t)more : 0;
    }
    ck_assert_uint_eq(have, sizeof(data));
}
END_TEST

/* An update that GnuTLS has read, and not yet answered, when it goes. */
START_TEST(keys_are_updated_before_the_take_over)
{
    shake(TLS_ENDS_13, 65536);
    ck_assert_int_eq(gnutls_session_key_update(client.tls.session, _i ? GNUTLS_KU_PEER : 0), 0);
    say(&client, &server, "under new keys");
    expect(&server, "under new keys");
    stream_tls_direct(&server.tls, true);
    ck_assert_ptr_null(server.tls.session);
    say(&server, &client, "here");
    expect(&client, "here");
    say(&client, &server, "and back");
    expect(&server, "and back");
}
END_TEST

START_TEST(a_read_without_room_is_told)
{
    uint8_t data[STREAM_TLS_READ_LEAST - 1];
    go_direct();
    say(&client, &server, "words");
    ck_assert_int_eq(stream_read(&server.tls.stream, data, sizeof(data)), -ENOBUFS);
    expect(&server, "words");
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
    tcase_add_loop_test(tests, bulk_both_ways_through_a_narrow_wire, 0, 2 * DIRECTS);
    tcase_add_loop_test(tests, handshakes_in_pieces, 0, 4);
    tcase_add_loop_test(tests, a_cut_connection_is_not_an_end, 0, 2 * DIRECTS);
    tcase_add_loop_test(tests, a_polite_end_is_announced_behind_bytes, 0, 2 * DIRECTS);
    tcase_add_loop_test(tests, a_spoiled_record_breaks_off_with_an_alert, 0, 2 * DIRECTS);
    tcase_add_test(tests, rubbish_instead_of_a_handshake_is_refused_with_an_alert);
    tcase_add_loop_test(tests, keys_are_updated_on_the_way, 0, DIRECTS - 1);
    tcase_add_loop_test(tests, keys_that_have_served_long_are_changed, 0, 6);
    tcase_add_loop_test(tests, records_of_every_kind, 0,
                        (int)(sizeof(records) / sizeof(records[0])));
    tcase_add_test(tests, headers_that_lie);
    tcase_add_test(tests, tickets_are_skipped_also_in_pieces);
    tcase_add_test(tests, many_updates_are_answered_by_one);
    tcase_add_test(tests, whoever_only_changes_keys_is_sent_away);
    tcase_add_test(tests, a_peer_with_small_records_keeps_gnutls);
    tcase_add_loop_test(tests, keys_are_updated_before_the_take_over, 0, 2);
    tcase_add_test(tests, a_read_without_room_is_told);
    tcase_add_test(tests, plain_streams);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

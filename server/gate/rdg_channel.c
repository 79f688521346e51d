#include "rdg_channel.h"

#include "answer.h"
#include "conn.h"
#include "fd.h"
#include "gate_state.h"
#include "handover.h"
#include "log.h"
#include "rdg_pair.h"
#include "talk.h"
#include "tsgu_talk.h"
#include "worker.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Random bytes before the first packet. [MS-TSGU] section 3.3.5.1 says 100; clients wait for no
 * more than these, and take what follows for packets. */
#define SEED_BYTES 10

struct channel {
    struct talk *talk; /* OUT */
    struct rdg_pair *pair;
    int fd; /* OUT: where the other's bytes come; IN: where they go */
};

static void channel_free(struct channel *channel)
{
    fd_close(&channel->fd);
    free(channel);
}

/* ---- the one that takes ---- */

static void take_out(struct conn *conn, void *owner)
{
    struct channel *channel = owner;
    conn->pair = channel->pair;
    conn->in = channel->fd;
    channel->fd = -1;
    stream_plain_init(&conn->in_stream, conn->in);
    talk_heir.take(conn, channel->talk);
    channel_free(channel);
}

/* Ends with the connection: the form that Microsoft's gateway has, and proxies do not hold back. */
static bool say_head(struct conn *conn)
{
    uint8_t seed[SEED_BYTES];
    char text[256];
    int size = snprintf(text, sizeof(text),
                        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                        "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
    if (gnutls_rnd(GNUTLS_RND_NONCE, seed, sizeof(seed)) < 0)
        return false;
    memcpy(text + size, seed, sizeof(seed));
    size += SEED_BYTES;
    return stream_write(&conn->outer.stream, (const uint8_t *)text, (size_t)size) == size;
}

static void begin_out(struct conn *conn, uint8_t *early, size_t size)
{
    (void)early;
    if (size || !say_head(conn)) { /* its client gives nothing here */
        conn_end(conn);
        return;
    }
    talk_heir.begin(conn, NULL, 0);
}

static void lost_out(struct gate_state *gate, void *owner)
{
    struct channel *channel = owner;
    rdg_pair_withdraw(gate->pairs, channel->pair);
    talk_heir.lost(gate, channel->talk);
    channel_free(channel);
}

static void on_out(void *cls, struct MHD_Connection *connection, void *con_cls, const char *extra,
                   size_t extra_size, MHD_socket socket, struct MHD_UpgradeResponseHandle *handle)
{
    struct request *request = con_cls;
    struct handover_heir heir = {take_out, begin_out, lost_out, request->channel, true};
    (void)cls;
    (void)connection;
    request->channel = NULL;
    handover_post(request->conn, &heir, extra, extra_size, socket, handle);
}

/* ---- the one that gives ---- */

static void take_in(struct conn *conn, void *owner)
{
    struct channel *channel = owner;
    conn->pair = channel->pair;
    conn->far = channel->fd;
    channel->fd = -1;
    channel_free(channel);
}

static void on_fed(struct relay *relay, void *owner, const struct relay_result *result)
{
    struct conn *conn = owner;
    (void)relay;
    LOG_DEBUG("rdg.fed", result->reason, LOG_TEXT("conn", conn->id));
    if (result->end == RELAY_FRAMED_LOST || result->end == RELAY_PROTOCOL)
        rdg_pair_lose(conn->pair);
    if (result->end == RELAY_FRAMED_LOST)
        conn_end(conn);
    else
        conn_linger(conn);
}

static void begin_in(struct conn *conn, uint8_t *early, size_t size)
{
    conn->state = CONN_FEED;
    stream_plain_init(&conn->far_stream, conn->far);
    if (conn->tls)
        stream_tls_direct(&conn->outer.tls, true);
    struct relay_setup setup = {
        .loop = conn->worker->loop,
        .scratch = conn->worker->scratch,
        .framed = &conn->outer.stream,
        .plain = &conn->far_stream.stream,
        .framing = RELAY_CHUNKED,
        .early = early,
        .early_size = size,
        .ended = on_fed,
        .owner = conn,
    };
    if (relay_new(&conn->relay, &setup))
        conn_end(conn);
}

static void lost_in(struct gate_state *gate, void *owner)
{
    struct channel *channel = owner;
    rdg_pair_withdraw(gate->pairs, channel->pair);
    channel_free(channel);
}

static void on_in(void *cls, struct MHD_Connection *connection, void *con_cls, const char *extra,
                  size_t extra_size, MHD_socket socket, struct MHD_UpgradeResponseHandle *handle)
{
    struct request *request = con_cls;
    struct handover_heir heir = {take_in, begin_in, lost_in, request->channel, true};
    (void)cls;
    (void)connection;
    request->channel = NULL;
    handover_post(request->conn, &heir, extra, extra_size, socket, handle);
}

void rdg_channel_watch(struct conn *conn)
{
    char byte;
    if (conn->state == CONN_FEED && rdg_pair_opened(conn->pair)) {
        if (atomic_load(&conn->slot.stage) != ADMIT_TUNNEL)
            admit_stage(conn->worker->gate->admit, &conn->slot, ADMIT_TUNNEL);
    } else if (conn->state == CONN_FEED && rdg_pair_known(conn->pair)) {
        admit_stage(conn->worker->gate->admit, &conn->slot, ADMIT_KNOWN);
    } else if (conn->state == CONN_TALK && conn->in >= 0 &&
               recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
        conn_end(conn); /* nobody is there to hear an answer */
    }
}

/* ---- the requests ---- */

static bool make_key(const struct request *request, const uint8_t *identity,
                     struct rdg_pair_key *key)
{
    const char *name = request_header(request, "RDG-Connection-Id");
    *key = (struct rdg_pair_key){.address = request->address};
    if (identity)
        memcpy(key->identity, identity, sizeof(key->identity));
    return name && *name && text_copy(key->name, sizeof(key->name), name);
}

static enum MHD_Result let_go(struct request *request, MHD_UpgradeHandler upgraded)
{
    struct MHD_Response *response = MHD_create_response_for_upgrade(upgraded, NULL);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Upgrade", "none"); /* it asks for one; nobody sees it */
    atomic_store(&request->conn->hushed, true);
    return answer_queue(request, MHD_HTTP_SWITCHING_PROTOCOLS, response);
}

static enum MHD_Result no_pair(struct request *request, int error)
{
    if (error == -EEXIST || error == -ENOENT)
        return answer_error(request, MHD_HTTP_CONFLICT, "no_such_channel",
                            "The two channels of a connection come from one address, one of each, "
                            "and RDG_OUT_DATA is the first.");
    return answer_status(request, IPC_BUSY, ANSWER_BUSY_SECONDS);
}

enum MHD_Result rdg_channel_out(struct request *request, const uint8_t *identity)
{
    struct rdg_pair_key key;
    if (!make_key(request, identity, &key))
        return answer_error(request, MHD_HTTP_BAD_REQUEST, "no_connection_id",
                            "RDG-Connection-Id is missing or too long.");
    struct channel *channel = calloc(1, sizeof(*channel));
    struct talk *talk = channel ? tsgu_talk_new(request, true) : NULL;
    if (!talk) {
        free(channel);
        return answer_status(request, IPC_BUSY, ANSWER_BUSY_SECONDS);
    }
    int error = rdg_pair_offer(request->gate->pairs, &key, &channel->pair, &channel->fd);
    explicit_bzero(&key, sizeof(key));
    if (error) {
        talk_heir.lost(request->gate, talk);
        free(channel);
        return no_pair(request, error);
    }
    channel->talk = talk;
    request->channel = channel;
    return let_go(request, on_out);
}

enum MHD_Result rdg_channel_in(struct request *request, const uint8_t *identity)
{
    struct rdg_pair_key key;
    if (!make_key(request, identity, &key))
        return answer_error(request, MHD_HTTP_BAD_REQUEST, "no_connection_id",
                            "RDG-Connection-Id is missing or too long.");
    struct channel *channel = calloc(1, sizeof(*channel));
    if (!channel)
        return answer_status(request, IPC_BUSY, ANSWER_BUSY_SECONDS);
    channel->fd = rdg_pair_join(request->gate->pairs, &key, &channel->pair);
    explicit_bzero(&key, sizeof(key));
    if (channel->fd < 0) {
        int error = channel->fd;
        free(channel);
        return no_pair(request, error);
    }
    request->channel = channel;
    return let_go(request, on_in);
}

void rdg_channel_forget(struct request *request)
{
    struct channel *channel = request->channel;
    request->channel = NULL;
    if (channel && channel->talk)
        lost_out(request->gate, channel);
    else if (channel)
        lost_in(request->gate, channel);
}

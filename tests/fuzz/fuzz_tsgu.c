/* An RDP client's packets before anybody has signed in, and the stream of an open channel. */
#include "tsgu.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_bodies(const struct tsgu_packet *packet)
{
    struct tsgu_handshake handshake;
    struct tsgu_tunnel_create tunnel;
    struct tsgu_channel_create channel;
    char name[TSGU_NAME_SIZE];
    tsgu_handshake_read(packet, &handshake);
    if (tsgu_tunnel_create_read(packet, &tunnel) == 0 &&
        strlen(tunnel.cookie) >= sizeof(tunnel.cookie))
        abort();
    if (tsgu_tunnel_auth_read(packet, name) == 0 && strlen(name) >= sizeof(name))
        abort();
    if (tsgu_channel_create_read(packet, &channel) == 0) {
        if (channel.count < 1 || channel.count > TSGU_NAMES_MOST)
            abort();
        for (unsigned i = 0; i < channel.count; i++) {
            if (strlen(channel.names[i]) >= TSGU_NAME_SIZE)
                abort();
        }
    }
}

/* What is written is a whole packet within its bound, whatever the words are. */
static void write_words(const uint8_t *data, size_t size)
{
    struct tsgu_packet packet;
    char *words = malloc(size + 1);
    uint8_t *made = malloc(TSGU_ANSWER_MOST); /* exact, so that a sanitizer sees an overrun */
    if (words && made) {
        memcpy(words, data, size);
        words[size] = '\0';
        int whole = (int)tsgu_write_service_message(made, words);
        if (whole > TSGU_ANSWER_MOST || tsgu_packet_read(made, (size_t)whole, &packet) != whole)
            abort();
        whole = (int)tsgu_write_tunnel_consent(made, 1, 0, words);
        if (whole > TSGU_ANSWER_MOST || tsgu_packet_read(made, (size_t)whole, &packet) != whole)
            abort();
    }
    free(words);
    free(made);
}

static void read_packets(const uint8_t *data, size_t size)
{
    struct tsgu_packet packet;
    for (;;) {
        int used = tsgu_packet_read(data, size, &packet);
        if (used <= 0)
            return;
        if ((size_t)used > size)
            abort();
        read_bodies(&packet);
        data += used;
        size -= (size_t)used;
    }
}

/* However it is cut, the same payload comes out. */
static size_t read_stream(uint8_t *data, size_t size, size_t most)
{
    struct tsgu_reader reader = {0};
    size_t gathered = 0, at = 0;
    while (at < size) {
        enum tsgu_event_kind kind;
        size_t payload, piece = size - at < most ? size - at : most;
        size_t used = tsgu_read_onto(&reader, data + gathered, data + at, piece, &kind, &payload);
        if (used > piece || payload > used || (used == 0 && kind == TSGU_EVENT_MORE))
            abort();
        gathered += payload;
        at += used;
        if (kind == TSGU_EVENT_BAD)
            break;
    }
    return gathered;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *one = malloc(size ? size : 1), *other = malloc(size ? size : 1);
    if (one && other) {
        memcpy(one, data, size);
        memcpy(other, data, size);
        write_words(data, size);
        read_packets(one, size);
        size_t whole = read_stream(one, size, size), cut = read_stream(other, size, 3);
        if (whole != cut || memcmp(one, other, whole) != 0)
            abort();
    }
    free(one);
    free(other);
    return 0;
}

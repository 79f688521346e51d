/* A recording of a real session's messages, and its replay: sizes and times, no contents. Client
 * and desktop replay the same recording on the same clock, each its own direction, each tunnel at
 * another place of it, again and again.
 *
 * A message begins with when it was sent (u64, CLOCK_MONOTONIC in ns) and its size (u32), so no
 * message is shorter than that; whoever gets it knows how long it was under way. */
#pragma once

#include "load_flow.h"
#include "load_time.h"

#define MIX_HEAD 16
#define MIX_MOST 65000 /* bytes of a message */

struct mix_message {
    uint64_t at; /* ns since the start */
    uint32_t size;
};

struct mix {
    struct mix_message *messages; /* of one direction */
    uint32_t count;
    uint64_t length; /* ns, of the whole recording */
};

/* Reads the lines MICROSECONDS u|d SIZE of a file, those of `direction`. Ends the program when
 * there is none. */
void mix_read(struct mix *mix, const char *path, char direction);

/* What a client tells the desktop first: from when to when, and which place to begin at. */
struct mix_hello {
    uint64_t begin, end, offset; /* ns */
    uint64_t measured;           /* from when on it counts */
};

/* One end of one tunnel. */
struct mix_end {
    struct flow *flow; /* NULL: it has ended */
    struct mix_hello hello;
    uint64_t due, lap;
    uint32_t next;
    uint8_t head[MIX_HEAD];
    uint32_t head_size, left;
    uint64_t stamp;
};

/* Many of them, and when each is due: a heap. */
struct mix_player {
    struct mix mix;
    struct mix_end **heap;
    size_t count, room;
    struct samples under_way, late;
    uint64_t sent, got, bytes_sent; /* within what is measured */
};

/* It plays from now on; the hello is set. */
void mix_add(struct mix_player *player, struct mix_end *end);
/* Sends what is due; returns when the next is, or UINT64_MAX. */
uint64_t mix_play(struct mix_player *player);
/* Bytes of the other end's messages. */
void mix_take(struct mix_player *player, struct mix_end *end, const uint8_t *bytes, size_t size);
/* The members of a JSON object, without braces; and begins anew. */
void mix_print(struct mix_player *player, double cpu);

/* A relay over real sockets and a real loop, for its tests. The test is the framed peer (writing
 * frames by hand) and the desktop; everything runs in one thread, so it can cut bytes where it
 * likes. */
#pragma once

#include "relay.h"
#include "ws.h"

#include <check.h>

struct relay_rig {
    struct loop *loop;
    struct stream_scratch *scratch;
    struct stream_plain framed, plain;
    struct relay *relay;
    struct relay_result result;
    bool over;
    int client, desktop; /* the test's ends; -1: closed */
    int gate_client, gate_desktop;
    uint8_t told[4096]; /* what the client has heard: relay_rig_listen() */
    size_t told_size;
};

extern struct relay_rig rig;

void relay_rig_setup(void); /* fixtures */
void relay_rig_teardown(void);

/* Begins the relay; loop, streams and `ended` are the rig's. The client's wire is a local pair,
 * unless the test has made another one. */
void relay_rig_begin(struct relay_setup setup);

/* Non-blocking, with small buffers, so that writes come in parts. */
void relay_rig_pair(int *ours, int *theirs);

/* Non-blocking, with what buffers the kernel gives. */
void relay_rig_tcp_pair(int *ours, int *theirs);

/* Calls `step` between the loop's rounds until it says true; fails after ten seconds. The loop
 * cannot be run again. */
void relay_rig_run(struct loop *loop, bool (*step)(void));
bool relay_rig_is_over(void); /* a step */

/* The client hears what there is. A step: true when the relay has ended. */
bool relay_rig_listen(void);
/* The close frame's code that the client was told; 0: none. */
unsigned relay_rig_told_code(void);
unsigned relay_rig_told_pongs(void);

/* A masked frame; returns its size. */
size_t relay_rig_frame(uint8_t *to, enum ws_opcode opcode, bool final, const uint8_t *data,
                       size_t size);

/* Runs the tests of one case with the rig as its fixture; returns main's exit code. */
struct relay_rig_test {
    const TTest *test;
    int times; /* loops, with _i from 0; 0: once */
};
int relay_rig_main(const char *name, const struct relay_rig_test *tests, size_t count);

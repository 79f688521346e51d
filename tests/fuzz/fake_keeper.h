/* The keeper's end of a gate's record socket, for fuzzing the gate: answers everything at once, as
 * the input says, and demands that no stranger can make the gate say what the keeper would drop it
 * for. */
#pragma once

#include "ipc.h"
#include "loop.h"

#define FAKE_KEEPER_DESKTOPS 16 /* opened at most, for one input */
#define FAKE_KEEPER_SAYS 16     /* that a desktop says at most */

struct fake_desktop {
    struct loop_source source; /* its end */
    struct fake_keeper *keeper;
    size_t said;
};

struct fake_keeper {
    struct loop_source source;
    struct loop *loop;
    /* Of the present input; set while nobody asks. */
    const uint8_t *statuses; /* one for each answer: below 0x80 it is OK */
    size_t count, at;
    /* What a desktop says, each as soon as it has heard something; then it closes. */
    struct {
        const uint8_t *data;
        size_t size;
    } says[FAKE_KEEPER_SAYS];
    size_t says_count;
    struct fake_desktop desktops[FAKE_KEEPER_DESKTOPS];
    size_t desktop_count;
};

/* In the loop from now on; the socket is the keeper's end, its own. */
void fake_keeper_start(struct fake_keeper *keeper, struct loop *loop, int socket);
/* Closes the desktops. In the loop's thread, while nobody asks. */
void fake_keeper_forget(struct fake_keeper *keeper);

/* The keeper's whole room in this process, in a thread of its own, with a real database: for
 * fuzzing what a gate says to it. Hashing passwords is replaced by something that costs nothing
 * (meson.build wraps libsodium's functions). */
#pragma once

#include "ipc.h"

#define KEEPER_RIG_PASSWORD "correct horse battery"

/* What the database begins with; each reference is its first byte IPC_TOKEN_SIZE times. */
enum keeper_rig_token {
    KEEPER_RIG_ALICE = 1, /* a session; may reach desk and closed */
    KEEPER_RIG_ADMIN,     /* a session of root's, who is an administrator */
    KEEPER_RIG_OVER,      /* a session of alice's that has ended */
    KEEPER_RIG_INVITED    /* an invitation for boris */
};

void keeper_rig_start(void); /* once */
/* A gate's record socket to the keeper, as that was at the start: but for what up to 63 inputs
 * before have left in its database, while the first two sessions live. */
int keeper_rig_gate(void);
/* Waits for all that is under way. The gate has been closed, or reads no more. */
void keeper_rig_settle(void);
/* Of alice's second factor, now. */
void keeper_rig_code(char code[7]);

/* What is said before a wire is open: the HTTP upgrade, and the beginnings of RD Gateway and
 * RDCleanPath. Only for load_wire.c, which goes through them in this order. 0 or a negative errno;
 * what is written is not flushed. */
#pragma once

struct wire;

int greet_upgrade(struct wire *wire); /* asks for WebSocket */
int greet_begin(struct wire *wire);   /* says the first word after the 101, if any is due */
int greet_step(struct wire *wire);    /* takes the answers, goes on; 0: the tunnel is open */

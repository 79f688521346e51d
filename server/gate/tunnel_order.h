/* Orders to a tunnel by its number, from any thread: they are carried out by the worker that the
 * tunnel lives in. An order to one that has ended is none. */
#pragma once

#include "ipc.h"

#include <stdint.h>

struct gate_state;

/* tunnel_close(); it reaches also one that has not begun yet. */
void tunnel_order_close(struct gate_state *gate, int64_t tunnel, enum ipc_end end);
/* tunnel_tell(). */
void tunnel_order_tell(struct gate_state *gate, int64_t tunnel, const char *words);
/* tunnel_renewed(). */
void tunnel_order_renewed(struct gate_state *gate, int64_t tunnel);

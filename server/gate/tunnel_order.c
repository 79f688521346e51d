#include "tunnel_order.h"

#include "conn.h"
#include "gate_state.h"
#include "log.h"
#include "owner.h"
#include "tunnel.h"
#include "worker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct order {
    struct loop_task task;
    struct conn *conn; /* referenced */
    void (*carry_out)(const struct order *order);
    enum ipc_end end;
    char words[]; /* NUL-terminated */
};

static void on_order(struct loop_task *task)
{
    struct order *order = OWNER_OF(task, struct order, task);
    order->carry_out(order);
    conn_unref(order->conn);
    free(order);
}

/* Consumes the reference to `conn`, which may be NULL. False: no memory. */
static bool post(struct conn *conn, void (*carry_out)(const struct order *), enum ipc_end end,
                 const char *words)
{
    size_t size = strlen(words) + 1;
    if (!conn)
        return true;
    struct order *order = malloc(sizeof(*order) + size);
    if (!order) {
        conn_unref(conn);
        return false;
    }
    *order = (struct order){.task.run = on_order, .conn = conn, .carry_out = carry_out, .end = end};
    memcpy(order->words, words, size);
    loop_post(conn->worker->loop, &order->task);
    return true;
}

static void close_it(const struct order *order)
{
    tunnel_close(order->conn, order->end);
}

void tunnel_order_close(struct gate_state *gate, int64_t tunnel, enum ipc_end end)
{
    if (post(tunnel_table_order(gate->tunnels, tunnel, end), close_it, end, ""))
        return;
    /* The order must not be lost, and there is no memory for it: better no gate than one that keeps
     * a tunnel which the keeper has forbidden. */
    LOG_ERROR("tunnel.close", "out of memory");
    _exit(71); /* EX_OSERR */
}

static void tell_it(const struct order *order)
{
    tunnel_tell(order->conn, order->words);
}

void tunnel_order_tell(struct gate_state *gate, int64_t tunnel, const char *words)
{
    post(tunnel_table_find(gate->tunnels, tunnel), tell_it, IPC_END_STOPPING, words);
}

static void renew_it(const struct order *order)
{
    tunnel_renewed(order->conn);
}

/* Lost for lack of memory, it will be cut off: never let through. */
void tunnel_order_renewed(struct gate_state *gate, int64_t tunnel)
{
    post(tunnel_table_find(gate->tunnels, tunnel), renew_it, IPC_END_STOPPING, "");
}

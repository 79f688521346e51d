#include "talk_ask.h"

#include "conn.h"
#include "gate_state.h"
#include "owner.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int talk_ask_init(struct talk_ask *ask, struct gate_state *gate, struct conn *conn,
                  void (*release)(struct talk_ask *ask))
{
    *ask = (struct talk_ask){.gate = gate, .answer_fd = -1, .release = release};
    ask->answer = malloc(sizeof(*ask->answer));
    if (!ask->answer)
        return -ENOMEM;
    ask->conn = conn_ref(conn);
    return 0;
}

static void finish(struct talk_ask *ask)
{
    conn_unref(ask->conn);
    explicit_bzero(ask->answer, sizeof(*ask->answer));
    free(ask->answer);
    ask->release(ask);
}

static bool is_opened(const struct talk_ask *ask)
{
    return ask->answer->head.type == IPC_OPENED && ask->answer->opened.status == IPC_OK;
}

static void fill_grant(const struct talk_ask *ask, struct tunnel_grant *grant)
{
    const struct ipc_opened *opened = &ask->answer->opened;
    *grant = (struct tunnel_grant){.tunnel = opened->tunnel,
                                   .desktop = ask->answer_fd,
                                   .idle_seconds = opened->idle_seconds,
                                   .absolute_seconds = opened->absolute_seconds};
}

bool talk_ask_grant(struct talk_ask *ask, struct tunnel_grant *grant)
{
    fill_grant(ask, grant);
    ask->answer_fd = -1; /* the caller's */
    if (!ask->unlisted && grant->desktop >= 0)
        return true;
    tunnel_abandon(ask->gate, grant);
    return false;
}

/* Worker's thread. */
static void on_told(struct loop_task *task)
{
    struct talk_ask *ask = OWNER_OF(task, struct talk_ask, told);
    ask->asking = false;
    if (!ask->gone) {
        ask->answered(ask);
        return;
    }
    if (is_opened(ask)) {
        struct tunnel_grant grant;
        fill_grant(ask, &grant);
        tunnel_abandon(ask->gate, &grant);
    }
    finish(ask);
}

/* Main loop. From here on the keeper may order the tunnel's end: list it before the next record is
 * read. */
static void on_answer(struct keeper_call *call, const union ipc_record *answer, int fd)
{
    struct talk_ask *ask = OWNER_OF(call, struct talk_ask, call);
    memcpy(ask->answer, answer, answer->head.size);
    ask->answer_fd = fd;
    if (is_opened(ask) && tunnel_table_add(ask->gate->tunnels, answer->opened.tunnel, ask->conn))
        ask->unlisted = true;
    loop_post(ask->conn->worker->loop, &ask->told);
}

bool talk_ask(struct talk_ask *ask, struct ipc_head *record, enum ipc_type expected,
              void (*answered)(struct talk_ask *ask))
{
    ask->call.done = on_answer;
    ask->told.run = on_told;
    ask->answered = answered;
    ask->asking = keeper_link_ask(ask->gate->keeper, record, expected, &ask->call) == 0;
    return ask->asking;
}

void talk_ask_gone(struct talk_ask *ask)
{
    ask->gone = true;
    if (!ask->asking)
        finish(ask);
}

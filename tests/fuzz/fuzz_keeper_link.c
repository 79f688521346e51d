/* The gate's end of the record socket: answers that nobody asked for, twice, of another kind, with
 * a descriptor or without, orders, and what is no record at all. The input is a list of records,
 * each a kind (its low six bits; 0x40: with a descriptor; 0x80: a byte short), the number of the
 * question that it answers, how many bytes follow, and these: what stands behind the head. Every
 * question is answered once at most, and no descriptor stays behind. */
#include "fd.h"
#include "fuzz_kit.h"
#include "ipc_sample.h"
#include "keeper_link.h"
#include "owner.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALLS 8

static struct call {
    struct keeper_call call;
    uint16_t expected;
    bool answered;
} calls[CALLS];
static struct loop *loop;

static void on_done(struct keeper_call *keeper_call, const union ipc_record *answer, int fd)
{
    struct call *call = OWNER_OF(keeper_call, struct call, call);
    fuzz_demand(!call->answered && answer->head.type == call->expected);
    fuzz_demand(answer->head.size == ipc_sample_size(call->expected));
    call->answered = true;
    fd_close(&fd);
}

static void on_close_tunnel(void *owner, int64_t tunnel, enum ipc_end end)
{
    (void)owner;
    (void)tunnel;
    (void)end;
}

static void on_say(void *owner, int64_t tunnel, const char *words)
{
    (void)owner;
    (void)tunnel;
    fuzz_demand(strlen(words) < TEXT_WORDS_SIZE);
}

static void on_lost(void *owner, int error)
{
    (void)owner;
    fuzz_demand(error < 0);
    loop_stop(loop);
}

static void ask_all(struct keeper_link *link)
{
    uint16_t type = IPC_NONE;
    for (size_t i = 0; i < CALLS; i++) {
        union ipc_record record;
        do
            type = (uint16_t)((type + 1) % IPC_TYPES);
        while (!ipc_sample_answer(type));
        calls[i] = (struct call){.call.done = on_done, .expected = ipc_sample_answer(type)};
        fuzz_demand(ipc_sample_make(&record, type, &(struct ipc_sample_of){0}));
        fuzz_demand(keeper_link_ask(link, &record.head, (enum ipc_type)calls[i].expected,
                                    &calls[i].call) == 0);
    }
}

/* Returns what it has used; 0: there is no further one. */
static size_t send_one(int socket, const uint8_t *data, size_t size, int fd)
{
    static union ipc_record record;
    if (size < 3)
        return 0;
    uint16_t type = data[0] & 0x3f;
    size_t whole = ipc_sample_size(type), given = data[2] < size - 3 ? data[2] : size - 3;
    memset(&record, 0, sizeof(record));
    if (!whole)
        whole = sizeof(struct ipc_head);
    if (given > whole - sizeof(struct ipc_head))
        given = whole - sizeof(struct ipc_head);
    memcpy((uint8_t *)&record + sizeof(struct ipc_head), data + 3, given);
    if (data[0] & 0x80)
        whole--;
    record.head = (struct ipc_head){type, (uint16_t)whole, data[1]};
    ipc_send(socket, &record.head, data[0] & 0x40 ? fd : -1);
    return 3 + given;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct keeper_link *link;
    fuzz_demand(null >= 0 && ipc_pair(ends) == 0 && loop_new(&loop) == 0);
    struct keeper_link_setup setup = {loop, ends[0], on_close_tunnel, on_say, on_lost, NULL};
    fuzz_demand(keeper_link_new(&link, &setup) == 0);
    ask_all(link);
    for (size_t used; (used = send_one(ends[1], data, size, null)) > 0; data += used)
        size -= used;
    close(ends[1]);
    fuzz_demand(loop_run(loop) == 0);
    keeper_link_free(link);
    loop_free(loop);
    close(ends[0]);
    close(null);
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    fuzz_demand(lowest == null); /* what was open below is open still, and nothing above */
    close(lowest);
    return 0;
}

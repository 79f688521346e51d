/* The gate's side of the record socket: questions to the keeper from any thread, answers on the
 * main loop. */
#pragma once

#include "histogram.h"
#include "ipc.h"
#include "loop.h"

struct keeper_link;

/* How it goes between gate and keeper. */
struct keeper_link_numbers {
    uint32_t calls;                            /* questions under way */
    uint32_t queued;                           /* records that the socket has not taken */
    struct histogram took[IPC_TYPES];          /* by question: until its answer came */
    uint64_t answers[IPC_TYPES][IPC_STATUSES]; /* by question and status */
};

/* One question under way; embed it. */
struct keeper_call {
    /* Called once on the main loop's thread with the answer and, where it carries one, a
     * descriptor that is now the callee's. */
    void (*done)(struct keeper_call *call, const union ipc_record *answer, int fd);
    struct keeper_call *next;
    uint32_t request;
    uint16_t asked, expected; /* enum ipc_type of question and answer */
    uint64_t asked_us;        /* histogram_now() */
};

struct keeper_link_setup {
    struct loop *loop; /* the main loop */
    int socket;        /* stays the caller's */
    /* The keeper orders the end of a tunnel. */
    void (*close_tunnel)(void *owner, int64_t tunnel, enum ipc_end end);
    void (*say)(void *owner, int64_t tunnel, const char *words);
    /* The keeper is gone or breaks the table: the gate has to end. */
    void (*lost)(void *owner, int error);
    void *owner;
};

int keeper_link_new(struct keeper_link **out, const struct keeper_link_setup *setup);
void keeper_link_free(struct keeper_link *link); /* calls under way are forgotten */

/* Asks; sets record->request. 0: `done` will be called; -EAGAIN: too many under way; -EPIPE. */
int keeper_link_ask(struct keeper_link *link, struct ipc_head *record, enum ipc_type expected,
                    struct keeper_call *call);
/* Tells something that has no answer. Kept until the socket takes it. */
void keeper_link_tell(struct keeper_link *link, const struct ipc_head *record);
void keeper_link_look(struct keeper_link *link,
                      struct keeper_link_numbers *numbers); /* any thread */
/* Everything told has been handed to the kernel. */
bool keeper_link_flushed(struct keeper_link *link);

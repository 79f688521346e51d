/* Whole conversations of an RD Gateway client: packets in any order, a keeper that answers
 * anything, then the open channel, cut anywhere. The first byte says how the keeper answers and
 * whether the client has proved a gateway password, the second how the stream is cut. */
#include "tsgu_steps.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* The keeper, where it is asked. False: the conversation is over. */
static bool answer(struct tsgu_steps *steps, struct tsgu_turn *turn, unsigned how)
{
    if (turn->todo == TSGU_ASK_TICKET)
        tsgu_steps_seen(steps,
                        &(struct tsgu_seen){how & 1 ? IPC_OK : how % (IPC_FAILED + 1),
                                            (uint8_t)(how & 0x1f), how * 60, how & 4},
                        turn);
    else if (turn->todo == TSGU_ASK_OPEN) {
        demand(text_is_name(steps->desktop));
        tsgu_steps_opened(steps, how & 2 ? IPC_OK : how % (IPC_FAILED + 1), turn);
    }
    demand(turn->size <= sizeof(turn->packet));
    if (turn->size) {
        struct tsgu_packet packet;
        demand(tsgu_packet_read(turn->packet, turn->size, &packet) == (int)turn->size);
    }
    return turn->todo == TSGU_GO_ON || turn->todo == TSGU_BEGIN || turn->todo == TSGU_RENEW;
}

/* What the relay does with the rest. */
static void relay(const uint8_t *data, size_t size, size_t cut)
{
    struct tsgu_reader reader = {0};
    while (size) {
        size_t piece = size < cut ? size : cut, at = 0, gathered = 0;
        uint8_t *copy = malloc(piece);
        demand(copy != NULL);
        memcpy(copy, data, piece);
        while (at < piece) {
            enum tsgu_event_kind kind;
            size_t payload;
            size_t used =
                tsgu_read_onto(&reader, copy + gathered, copy + at, piece - at, &kind, &payload);
            demand(used > 0 && used <= piece - at && payload <= used);
            gathered += payload;
            at += used;
            if (kind == TSGU_EVENT_BAD) {
                free(copy);
                return;
            }
        }
        free(copy);
        data += piece;
        size -= piece;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct tsgu_steps steps = {.passed = data[0] & 0x80,
                               .consent = data[0] & 0x40 ? "Agree?" : "",
                               .renews = data[0] & 0x20};
    unsigned how = data[0];
    size_t cut = data[1] + 1U;
    data += 2;
    size -= 2;
    for (;;) {
        struct tsgu_packet packet;
        struct tsgu_turn turn;
        int used = tsgu_packet_read(data, size, &packet);
        if (used <= 0)
            return 0;
        enum tsgu_step before = steps.step;
        tsgu_steps_packet(&steps, &packet, &turn);
        data += used;
        size -= (size_t)used;
        /* Nobody comes to a desktop but by way of the keeper's two answers. */
        demand(turn.todo != TSGU_BEGIN);
        demand(turn.todo != TSGU_RENEW || (steps.again && steps.seen.context_fits));
        demand(turn.todo != TSGU_ASK_OPEN || before == TSGU_STEP_CHANNEL);
        if (!answer(&steps, &turn, how))
            return 0;
        if (turn.todo == TSGU_BEGIN) {
            relay(data, size, cut);
            return 0;
        }
    }
}

#include "load_mix.h"

#include "load.h"
#include "load_life.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the recording ---- */

void mix_read(struct mix *mix, const char *path, char direction)
{
    char line[128];
    uint32_t room = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        load_die(path);
    *mix = (struct mix){0};
    while (fgets(line, sizeof(line), file)) {
        unsigned long long at;
        unsigned size;
        char way;
        if (*line == '#' || sscanf(line, "%llu %c %u", &at, &way, &size) != 3)
            continue;
        mix->length = at * 1000 + 1000000;
        if (way != direction)
            continue;
        if (mix->count == room) {
            room = room ? 2 * room : 1024;
            mix->messages = realloc(mix->messages, room * sizeof(*mix->messages));
            if (!mix->messages)
                load_die("memory");
        }
        size = size < MIX_HEAD ? MIX_HEAD : size < MIX_MOST ? size : MIX_MOST;
        mix->messages[mix->count++] = (struct mix_message){.at = at * 1000, .size = size};
    }
    fclose(file);
    if (!mix->count) {
        fprintf(stderr, "deskgate-load: %s has no message in direction %c\n", path, direction);
        exit(EXIT_FAILURE);
    }
}

/* ---- the heap: the earliest is first ---- */

static void sink(struct mix_player *player, size_t at)
{
    struct mix_end **heap = player->heap;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < player->count; child++)
            least = heap[child]->due < heap[least]->due ? child : least;
        if (least == at)
            return;
        struct mix_end *end = heap[at];
        heap[at] = heap[least];
        heap[least] = end;
        at = least;
    }
}

static void rise(struct mix_player *player, size_t at)
{
    struct mix_end **heap = player->heap;
    while (at > 0 && heap[at]->due < heap[(at - 1) / 2]->due) {
        struct mix_end *end = heap[at];
        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = end;
        at = (at - 1) / 2;
    }
}

static void set_due(const struct mix_player *player, struct mix_end *end)
{
    const struct mix *mix = &player->mix;
    if (end->next == mix->count) {
        end->next = 0;
        end->lap++;
    }
    end->due =
        end->hello.begin + end->lap * mix->length + mix->messages[end->next].at - end->hello.offset;
}

void mix_add(struct mix_player *player, struct mix_end *end)
{
    const struct mix *mix = &player->mix;
    if (player->count == player->room) {
        player->room = player->room ? 2 * player->room : 256;
        player->heap = realloc(player->heap, player->room * sizeof(*player->heap));
        if (!player->heap)
            load_die("memory");
    }
    end->lap = 0;
    end->next = 0;
    while (end->next < mix->count && mix->messages[end->next].at < end->hello.offset)
        end->next++;
    set_due(player, end);
    player->heap[player->count] = end;
    rise(player, player->count++);
}

/* ---- out ---- */

static void send_one(struct mix_player *player, struct mix_end *end, uint64_t now)
{
    static uint8_t message[MIX_MOST];
    uint32_t size = player->mix.messages[end->next].size;
    memcpy(message, &now, sizeof(now));
    memcpy(message + sizeof(now), &size, sizeof(size));
    flow_send(end->flow, message, size);
    if (now < end->hello.measured)
        return;
    samples_add(&player->late, now - end->due);
    player->sent++;
    player->bytes_sent += size;
}

uint64_t mix_play(struct mix_player *player)
{
    while (player->count) {
        struct mix_end *end = player->heap[0];
        uint64_t now = time_ns();
        if (end->flow && end->due > now && end->due < end->hello.end)
            return end->due;
        if (end->flow && end->due < end->hello.end) {
            send_one(player, end, now);
            end->next++;
            set_due(player, end);
        } else {
            player->heap[0] = player->heap[--player->count];
        }
        sink(player, 0);
    }
    return UINT64_MAX;
}

/* ---- in ---- */

static void whole(struct mix_player *player, const struct mix_end *end)
{
    if (end->stamp < end->hello.measured)
        return;
    samples_add(&player->under_way, time_ns() - end->stamp);
    player->got++;
}

void mix_take(struct mix_player *player, struct mix_end *end, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        bool in_head = end->head_size < MIX_HEAD;
        uint32_t wanted = in_head ? MIX_HEAD - end->head_size : end->left;
        uint32_t part = size < wanted ? (uint32_t)size : wanted;
        if (in_head) {
            memcpy(end->head + end->head_size, bytes, part);
            end->head_size += part;
            if (end->head_size == MIX_HEAD) {
                memcpy(&end->stamp, end->head, sizeof(end->stamp));
                memcpy(&end->left, end->head + sizeof(end->stamp), sizeof(end->left));
                if (end->left < MIX_HEAD || end->left > MIX_MOST) {
                    fputs("deskgate-load: a byte arrived as another one\n", stderr);
                    exit(EXIT_FAILURE);
                }
                end->left -= MIX_HEAD;
            }
        } else {
            end->left -= part;
        }
        if (end->head_size == MIX_HEAD && end->left == 0) {
            whole(player, end);
            end->head_size = 0;
        }
        bytes += part;
        size -= part;
    }
}

void mix_print(struct mix_player *player, double cpu)
{
    printf("\"sent\": %llu, \"got\": %llu, \"bytes_sent\": %llu, \"own_cpu\": %.3f, ",
           (unsigned long long)player->sent, (unsigned long long)player->got,
           (unsigned long long)player->bytes_sent, cpu);
    life_times(&player->under_way, "one_way");
    printf(", ");
    life_times(&player->late, "late");
    samples_deinit(&player->under_way);
    samples_deinit(&player->late);
    player->sent = player->got = player->bytes_sent = 0;
    player->count = 0;
}

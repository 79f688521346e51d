#include "wiped_json.h"

#include "owner.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A block with its size in front, so that freeing knows what to wipe. */
struct block {
    size_t size;
    max_align_t bytes[];
};

static void *block_alloc(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct block))
        return NULL;
    struct block *block = malloc(sizeof(*block) + size);
    if (!block)
        return NULL;
    block->size = size;
    return block->bytes;
}

static void block_free(void *bytes)
{
    if (!bytes)
        return;
    struct block *block = OWNER_OF(bytes, struct block, bytes);
    explicit_bzero(block->bytes, block->size);
    free(block);
}

void wiped_json_init(void)
{
    json_set_alloc_funcs(block_alloc, block_free);
}

/* What is given back to the heap is wiped, whoever had it: passwords, tokens, seeds and keys pass
 * through GnuTLS, libmicrohttpd, jansson, SQLite and libcurl, which hold them in blocks that nobody
 * else can wipe. Part of the programs alone: a symbol of the program comes before the C library's,
 * for the libraries, too.
 *
 * The heap stays the C library's. Left out under sanitizers and valgrind, which bring their own.
 * What is relayed allocates nothing, so it costs where connections and requests begin and end. */
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* glibc's own names for what it exports as free() and realloc(). */
extern void __libc_free(void *block);
extern void *__libc_realloc(void *block, size_t size);

#define MAPPED ((size_t)2) /* in the size before a block: it is a mapping of its own */

/* Goes back to the kernel, which hands out zeros; to wipe it would make pages of it. */
static bool is_mapping(const void *block)
{
    return ((const size_t *)block)[-1] & MAPPED;
}

void free(void *block)
{
    if (!block)
        return;
    if (!is_mapping(block))
        explicit_bzero(block, malloc_usable_size(block));
    __libc_free(block);
}

/* The C library's own would leave a copy behind where it moves a block. */
void *realloc(void *block, size_t size)
{
    if (!block)
        return malloc(size);
    if (!size) {
        free(block);
        return NULL;
    }
    if (is_mapping(block)) /* the kernel moves it, or takes it back: no copy stays */
        return __libc_realloc(block, size);
    size_t had = malloc_usable_size(block);
    if (size <= had && size >= had / 2) {
        explicit_bzero((char *)block + size, had - size);
        return block;
    }
    void *moved = malloc(size);
    if (!moved)
        return NULL;
    memcpy(moved, block, size < had ? size : had);
    free(block);
    return moved;
}

/* What fuzz targets share. */
#pragma once

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding, when it does not hold. */
#define fuzz_demand(holds) ((holds) ? (void)0 : fuzz_found(__FILE__, __LINE__, #holds))

__attribute__((noreturn)) static inline void fuzz_found(const char *file, int line,
                                                        const char *what)
{
    fprintf(stderr, "%s:%d: found: not %s\n", file, line, what);
    abort();
}

/* libFuzzer's clock interrupts. */
static inline void fuzz_wait(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        ;
}

/* A copy of exactly this size, so that a sanitizer sees an overrun. free() it. */
static inline uint8_t *fuzz_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    fuzz_demand(copy != NULL);
    copy[0] = 0;
    if (size)
        memcpy(copy, data, size);
    return copy;
}

/* The same as a text: with a NUL behind it, and perhaps some within. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    fuzz_demand(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* Makes a folder, below $TMPDIR (scripts/fuzz removes what an interrupted target leaves there) or
 * in memory; /tmp may be a slow disk. The caller removes it. */
static inline void fuzz_folder(char *path, size_t size)
{
    const char *below = getenv("TMPDIR");
    if (!below)
        below = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    int length = snprintf(path, size, "%s/deskgate-fuzz-XXXXXX", below);
    fuzz_demand(length > 0 && (size_t)length < size && mkdtemp(path) != NULL);
}

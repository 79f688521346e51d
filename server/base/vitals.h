/* What a process costs: memory, processor time, descriptors, since when. Opened before a cage shuts
 * the file system; read from any thread afterwards. */
#pragma once

#include <stdint.h>

struct vitals {
    uint64_t resident_bytes; /* 0: not known */
    uint64_t cpu_us;         /* user and system together */
    int64_t started_at;      /* Unix seconds */
};

/* Once, at the start of the process. */
void vitals_open(void);
struct vitals vitals_read(void);

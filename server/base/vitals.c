#include "vitals.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static struct {
    int statm; /* /proc/self/statm, proc(5); -1: none */
    int64_t started_at;
} self = {.statm = -1};

void vitals_open(void)
{
    self.started_at = (int64_t)time(NULL);
    if (self.statm < 0)
        self.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

static uint64_t resident_bytes(void)
{
    char text[128];
    unsigned long long size, resident;
    ssize_t got = self.statm < 0 ? -1 : pread(self.statm, text, sizeof(text) - 1, 0);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    long page = sysconf(_SC_PAGESIZE);
    return sscanf(text, "%llu %llu", &size, &resident) == 2 && page > 0 ? resident * (uint64_t)page
                                                                        : 0;
}

static uint64_t micros(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

struct vitals vitals_read(void)
{
    struct rusage used = {0};
    getrusage(RUSAGE_SELF, &used);
    return (struct vitals){
        .resident_bytes = resident_bytes(),
        .cpu_us = micros(&used.ru_utime) + micros(&used.ru_stime),
        .started_at = self.started_at,
    };
}

#include "client_failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MOST_MS 15000
#define BACKOFF_ASKED_MOST_SECONDS 3600

static const struct {
    int exit;
    bool transient;
} faults[CLIENT_FAULTS] = {
    [CLIENT_FAULT_NONE] = {EX_OK, false},
    [CLIENT_FAULT_CANCELLED] = {EX_TEMPFAIL, false},
    [CLIENT_FAULT_SYSTEM] = {EX_OSERR, false},
    [CLIENT_FAULT_INPUT] = {EX_NOINPUT, false},
    [CLIENT_FAULT_LISTEN] = {EX_CANTCREAT, false},
    [CLIENT_FAULT_OUTPUT] = {EX_CANTCREAT, false},
    [CLIENT_FAULT_NAME] = {EX_NOHOST, true},
    [CLIENT_FAULT_NETWORK] = {EX_UNAVAILABLE, true},
    [CLIENT_FAULT_PROXY] = {EX_UNAVAILABLE, false},
    [CLIENT_FAULT_CERTIFICATE] = {EX_PROTOCOL, false},
    [CLIENT_FAULT_TLS] = {EX_PROTOCOL, false},
    [CLIENT_FAULT_ANSWER] = {EX_PROTOCOL, false},
    [CLIENT_FAULT_DENIED] = {EX_NOPERM, false},
    [CLIENT_FAULT_THROTTLED] = {EX_TEMPFAIL, false},
    [CLIENT_FAULT_BUSY] = {EX_TEMPFAIL, true},
    [CLIENT_FAULT_SESSION] = {EX_NOPERM, false},
    [CLIENT_FAULT_FACTOR] = {EX_NOPERM, false},
    [CLIENT_FAULT_DESKTOP] = {EX_NOPERM, false},
    [CLIENT_FAULT_ASLEEP] = {EX_UNAVAILABLE, false},
    [CLIENT_FAULT_GATEWAY] = {EX_UNAVAILABLE, false},
};

int client_fail(struct client_failure *failure, enum client_fault fault, const char *format, ...)
{
    va_list arguments;
    failure->fault = fault;
    va_start(arguments, format);
    vsnprintf(failure->words, sizeof(failure->words), format, arguments);
    va_end(arguments);
    client_failure_plain(failure->words);
    return -1;
}

int client_failure_exit(enum client_fault fault)
{
    return (unsigned)fault < CLIENT_FAULTS ? faults[fault].exit : EX_SOFTWARE;
}

bool client_failure_transient(enum client_fault fault)
{
    return (unsigned)fault < CLIENT_FAULTS && faults[fault].transient;
}

void client_failure_plain(char *text)
{
    for (; *text; text++) {
        if (*text != '\n' && (*text < 0x20 || *text > 0x7e))
            *text = '?';
    }
}

uint32_t client_failure_backoff(unsigned attempt, uint32_t random, uint32_t asked_seconds)
{
    uint32_t most = BACKOFF_FIRST_MS;
    for (unsigned i = 1; i < attempt && most < BACKOFF_MOST_MS; i++)
        most *= 2;
    if (most > BACKOFF_MOST_MS)
        most = BACKOFF_MOST_MS;
    uint32_t wait = most / 2 + random % (most / 2 + 1);
    if (asked_seconds > BACKOFF_ASKED_MOST_SECONDS)
        asked_seconds = BACKOFF_ASKED_MOST_SECONDS;
    return wait > asked_seconds * 1000 ? wait : asked_seconds * 1000 + random % BACKOFF_FIRST_MS;
}

/* What went wrong, in words for a person, with what a program makes of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum client_fault {
    CLIENT_FAULT_NONE,
    CLIENT_FAULT_CANCELLED,   /* we are ending; nothing to tell */
    CLIENT_FAULT_SYSTEM,      /* memory, threads, descriptors of this machine */
    CLIENT_FAULT_INPUT,       /* no terminal, or the credentials' descriptor ran dry */
    CLIENT_FAULT_LISTEN,      /* the local address cannot be had */
    CLIENT_FAULT_OUTPUT,      /* a file cannot be written */
    CLIENT_FAULT_NAME,        /* the gateway's, or the proxy's, does not resolve */
    CLIENT_FAULT_NETWORK,     /* refused, unreachable (by a proxy, too), timed out, broke off */
    CLIENT_FAULT_PROXY,       /* the proxy refused or could not be used */
    CLIENT_FAULT_CERTIFICATE, /* not trusted, not pinned, or for another name */
    CLIENT_FAULT_TLS,         /* no common TLS */
    CLIENT_FAULT_ANSWER,      /* this does not speak like a deskgate */
    CLIENT_FAULT_DENIED,      /* wrong sign-in */
    CLIENT_FAULT_THROTTLED,   /* too many attempts; retry_seconds */
    CLIENT_FAULT_BUSY,        /* the gateway is busy or stopping; retry_seconds */
    CLIENT_FAULT_SESSION,     /* the session is over: sign in again */
    CLIENT_FAULT_FACTOR,      /* the desktop wants a second factor that was shown lately */
    CLIENT_FAULT_DESKTOP,     /* no such desktop, or not granted */
    CLIENT_FAULT_ASLEEP,      /* the desktop does not answer, or refuses */
    CLIENT_FAULT_GATEWAY,     /* the gateway failed by itself */
    CLIENT_FAULTS
};

struct client_failure {
    enum client_fault fault;
    uint32_t retry_seconds; /* as the gateway asked; 0: it did not */
    bool sent;              /* the request may have reached the gateway */
    char words[768];        /* printable ASCII and line feeds */
};

/* Fills in fault and words (control characters and other than ASCII become '?'). Returns -1. */
int client_fail(struct client_failure *failure, enum client_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int client_failure_exit(enum client_fault fault); /* sysexits.h */
/* Worth another try by itself, a little later. */
bool client_failure_transient(enum client_fault fault);

/* Makes text from elsewhere harmless for a terminal, in place. */
void client_failure_plain(char *text);

/* Milliseconds to wait before try number `attempt` (1, 2, …): 1 s doubling up to 15 s, times a
 * random half to whole (`random` is any 32-bit number), never less than the gateway asked for. */
uint32_t client_failure_backoff(unsigned attempt, uint32_t random, uint32_t asked_seconds);

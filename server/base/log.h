/* Structured log: one event per call. Under systemd (JOURNAL_STREAM set) each event goes to the
 * journal's native socket with its fields; otherwise one line on standard error.
 * Never pass a secret: values are written as they are, with control characters escaped.
 * Thread-safe: one event is one write. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Syslog severities, RFC 5424 section 6.2.1. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

struct log_field {
    const char *key;  /* lower case; NULL ends a list */
    const char *text; /* NULL: use number */
    int64_t number;
};

#define LOG_TEXT(k, v) ((struct log_field){.key = (k), .text = (v)})
#define LOG_NUMBER(k, v) ((struct log_field){.key = (k), .number = (int64_t)(v)})

/* Opens the journal's socket when there is one; call before a cage forbids sockets. `process` is
 * a static string ("gate", "keeper", …) that every event carries. May be called again. */
void log_init(const char *process, enum log_level most);

/* `event` is a stable dotted name ("tunnel.open"), `message` words for a person.
 * `fields` ends with a field whose key is NULL; use the macros below. */
void log_write(enum log_level level, const char *event, const char *message,
               const struct log_field *fields);

/* Fields one after the other, as such a list. */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})
#define LOG_AT(level, event, message, ...)                                                         \
    log_write((level), (event), (message), LOG_FIELDS(__VA_ARGS__))
#define LOG_ERROR(event, message, ...) LOG_AT(LOG_LEVEL_ERROR, event, message, __VA_ARGS__)
#define LOG_WARNING(event, message, ...) LOG_AT(LOG_LEVEL_WARNING, event, message, __VA_ARGS__)
#define LOG_INFO(event, message, ...) LOG_AT(LOG_LEVEL_INFO, event, message, __VA_ARGS__)
#define LOG_DEBUG(event, message, ...) LOG_AT(LOG_LEVEL_DEBUG, event, message, __VA_ARGS__)

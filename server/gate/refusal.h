/* Log lines of refusals, which anybody may cause as fast as the gateway answers: so many are
 * written in a second, and of the others how many there were. The journal has limits of its own for
 * the whole unit, and what they drop may be the line that somebody waits for. Thread-safe. */
#pragma once

#include "log.h"

/* As LOG_INFO(). */
#define REFUSAL_LOG(event, message, ...) refusal_log((event), (message), LOG_FIELDS(__VA_ARGS__))

void refusal_log(const char *event, const char *message, const struct log_field *fields);
/* Now and then: says what was left out. */
void refusal_tick(void);

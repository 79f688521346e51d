/* Times as people and scripts read and write them (ISO 8601 / RFC 3339). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEN_SIZE 48

/* "2025-11-23T06:42:10+01:00", in the local zone; "" for 0. `to` holds WHEN_SIZE. Returns `to`. */
const char *when_local(int64_t seconds, char *to);
/* "2025-11-23T06:42:10.123+01:00". */
const char *when_local_ms(int64_t milliseconds, char *to);
/* "2025-11-23T05:42:10Z", "2025-11-23T05:42:10.123Z": what scripts get, the same on every machine.
 */
const char *when_utc(int64_t seconds, char *to);
const char *when_utc_ms(int64_t milliseconds, char *to);

/* "90s", "15m", "2h", "7d", "2w". False when it is none of these. */
bool when_span(const char *text, int64_t *seconds);

/* What a day without a time means: "from 2025-11-23" begins with that day, "until" ends with it. */
enum when_day { WHEN_DAY_BEGINS, WHEN_DAY_ENDS };

/* A date: "2025-11-23", "2025-11-23T06:42", "2025-11-23T06:42:10" (local, or with "Z" or "+01:00");
 * a space may stand for the T. Unix seconds into `out`; false when it is none of these. */
bool when_date(const char *text, enum when_day day, int64_t *out);
/* The same, or a span before `now` ("90s", "15m", "2h", "7d"): for what has happened. */
bool when_past(const char *text, enum when_day day, int64_t now, int64_t *out);
/* The same, but a span is behind `now`: for what is to come. Never 0, which is no date elsewhere.
 */
bool when_ahead(const char *text, enum when_day day, int64_t now, int64_t *out);

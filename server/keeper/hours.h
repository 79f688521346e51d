/* Hours of the week as an administrator writes them: ranges parted by commas, each days and a time,
 *
 *     mon-fri 08:00-18:00, sat 09:00-12:00, daily 22:00-06:00
 *
 * where either part may be missing ("sat-sun", "08:00-18:00"). Days may wrap (fri-mon), times may
 * cross midnight; 24:00 is the end of a day. Pure. */
#pragma once

#include "decision.h"

#include <stdbool.h>
#include <stddef.h>

#define HOURS_MOST 8

/* "" is no range. False, with words in `*why`. */
bool hours_parse(const char *text, struct decision_hours to[HOURS_MOST], size_t *count,
                 const char **why);

/* What may be given: not "mon,wed 08:00-18:00" either, which reads as if Monday had those times and
 * is the whole Monday. Where it stands already it holds on as it always has. */
bool hours_clear(const char *text, const char **why);

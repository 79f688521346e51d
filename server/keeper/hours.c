#include "hours.h"

#include "day.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static const char *skip(const char *at)
{
    return at + strspn(at, " \t");
}

/* The number of a day's name at `*at`, or -1. */
static int take_day(const char **at)
{
    for (int i = 0; i < 7; i++) {
        if (strncasecmp(*at, days[i], 3) == 0 && !isalpha((unsigned char)(*at)[3])) {
            *at += 3;
            return i;
        }
    }
    return -1;
}

/* "mon", "mon-fri", "daily"; nothing is every day. */
static bool take_days(const char **at, uint8_t *mask)
{
    *mask = 0x7f;
    if (!isalpha((unsigned char)**at))
        return true;
    if (strncasecmp(*at, "daily", 5) == 0 && !isalpha((unsigned char)(*at)[5])) {
        *at += 5;
        return true;
    }
    int from = take_day(at), until = from;
    if (from >= 0 && **at == '-') {
        ++*at;
        until = take_day(at);
    }
    if (from < 0 || until < 0)
        return false;
    *mask = (uint8_t)(1U << from);
    for (int day = from; day != until;) {
        day = (day + 1) % 7;
        *mask |= (uint8_t)(1U << day);
    }
    return true;
}

/* "08:00", up to "24:00". */
static bool take_time(const char **at, uint16_t *minutes)
{
    const char *c = *at;
    for (int i = 0; i < 5; i++) {
        if (i == 2 ? c[i] != ':' : !isdigit((unsigned char)c[i]))
            return false;
    }
    int hour = (c[0] - '0') * 10 + c[1] - '0', minute = (c[3] - '0') * 10 + c[4] - '0';
    *minutes = (uint16_t)(hour * 60 + minute);
    *at += 5;
    return minute < 60 && *minutes <= DAY_MINUTES;
}

static bool take_times(const char **at, struct decision_hours *hours, bool *bare)
{
    hours->from = 0;
    hours->until = DAY_MINUTES;
    *bare = !isdigit((unsigned char)**at);
    if (*bare)
        return true;
    if (!take_time(at, &hours->from) || **at != '-')
        return false;
    ++*at;
    return take_time(at, &hours->until) && hours->from < DAY_MINUTES;
}

static bool parse(const char *text, struct decision_hours to[HOURS_MOST], size_t *count, bool clear,
                  const char **why)
{
    const char *at = skip(text);
    bool bare = false, before;
    for (*count = 0; *at; ++*count) {
        if (*count == HOURS_MOST) {
            *why = "at most eight ranges";
            return false;
        }
        const char *begin = at;
        if (!take_days(&at, &to[*count].days)) {
            *why = "days are mon, tue, wed, thu, fri, sat, sun, a range such as mon-fri, or daily";
            return false;
        }
        at = skip(at);
        before = bare;
        if (!take_times(&at, &to[*count], &bare)) {
            *why = "times are such as 08:00-18:00, from 00:00 to 24:00";
            return false;
        }
        if (clear && before && !bare) {
            *why = "a day without times is the whole day; give each day its own, such as "
                   "'mon 08:00-18:00, wed 08:00-18:00', and a whole day as 'mon 00:00-24:00'";
            return false;
        }
        at = skip(at);
        if (at == begin || (*at && *at != ',') || (*at == ',' && !*skip(at + 1))) {
            *why = "write such as 'mon-fri 08:00-18:00, sat 09:00-12:00'";
            return false;
        }
        at = *at ? skip(at + 1) : at;
    }
    return true;
}

bool hours_parse(const char *text, struct decision_hours to[HOURS_MOST], size_t *count,
                 const char **why)
{
    return parse(text, to, count, false, why);
}

bool hours_clear(const char *text, const char **why)
{
    struct decision_hours hours[HOURS_MOST];
    size_t count;
    return parse(text, hours, &count, true, why);
}

#include "when.h"

#include "day.h"
#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Seconds, perhaps milliseconds (< 0: none), and the zone. */
static const char *when_format(int64_t seconds, int milliseconds, bool utc, char *to)
{
    time_t at = (time_t)seconds;
    struct tm parts = {0};
    char fraction[8] = "", zone[8] = "Z", date[24] = "";

    if ((utc ? gmtime_r(&at, &parts) : localtime_r(&at, &parts)) == NULL)
        return strcpy(to, "?");
    strftime(date, sizeof(date), "%FT%T", &parts);
    if (milliseconds >= 0)
        snprintf(fraction, sizeof(fraction), ".%03u", (unsigned)milliseconds % 1000u);
    if (!utc) {
        unsigned minutes =
            (unsigned)(parts.tm_gmtoff < 0 ? -parts.tm_gmtoff : parts.tm_gmtoff) / 60;
        snprintf(zone, sizeof(zone), "%c%02u:%02u", parts.tm_gmtoff < 0 ? '-' : '+',
                 minutes / 60 % 100, minutes % 60);
    }
    snprintf(to, WHEN_SIZE, "%s%s%s", date, fraction, zone);
    return to;
}

const char *when_local(int64_t seconds, char *to)
{
    return seconds == 0 ? strcpy(to, "") : when_format(seconds, -1, false, to);
}

const char *when_utc(int64_t seconds, char *to)
{
    return when_format(seconds, -1, true, to);
}

const char *when_local_ms(int64_t milliseconds, char *to)
{
    return when_format(milliseconds / 1000, (int)(milliseconds % 1000), false, to);
}

const char *when_utc_ms(int64_t milliseconds, char *to)
{
    return when_format(milliseconds / 1000, (int)(milliseconds % 1000), true, to);
}

bool when_span(const char *text, int64_t *seconds)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_SECONDS}, {'w', 7 * DAY_SECONDS}};
    char digits[8] = "";
    uint64_t count = 0;
    size_t length = strlen(text);

    if (length < 2 || length - 1 >= sizeof(digits))
        return false;
    memcpy(digits, text, length - 1);
    if (!text_number(digits, 9999999, &count))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].unit == text[length - 1]) {
            *seconds = (int64_t)count * units[i].seconds;
            return true;
        }
    }
    return false;
}

/* The zone behind a time: nothing (local), "Z", "+hh:mm" or "-hh:mm". */
static bool when_zone(const char *text, bool *local, long *offset)
{
    int hours = 0, minutes = 0, end = 0;
    char sign = 0;

    *local = *text == '\0';
    *offset = 0;
    if (*local || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return true;
    if (strlen(text) != 6 || sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &end) != 3 ||
        end != 6 || hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *offset = (sign == '-' ? -1L : 1L) * (hours * 3600L + minutes * 60L);
    return sign == '+' || sign == '-';
}

/* `whole`: a day without a time. */
static bool read_date(const char *text, struct tm *parts, const char **rest, bool *whole)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d %H:%M", "%Y-%m-%d"};
    const size_t count = sizeof(forms) / sizeof(forms[0]);

    if (!isdigit((unsigned char)text[0]))
        return false;
    for (size_t i = 0; i < count; i++) {
        *parts = (struct tm){.tm_isdst = -1};
        *rest = strptime(text, forms[i], parts);
        *whole = i == count - 1;
        if (*rest != NULL)
            return true;
    }
    return false;
}

/* mktime() and timegm() mend impossible dates; one that they had to mend is refused. */
static bool moment(struct tm parts, bool local, long offset, time_t *at)
{
    int day = parts.tm_mday;

    *at = local ? mktime(&parts) : timegm(&parts) - offset;
    return parts.tm_mday == day;
}

bool when_date(const char *text, enum when_day day, int64_t *out)
{
    struct tm parts = {0};
    const char *rest = NULL;
    bool local = false, whole = false;
    long offset = 0;
    time_t at = 0;

    if (!read_date(text, &parts, &rest, &whole) || !when_zone(rest, &local, &offset) ||
        !moment(parts, local, offset, &at))
        return false;
    if (whole && day == WHEN_DAY_ENDS) {
        parts
            .tm_mday++; /* where it has as many hours as it has; the 32nd is the next month's 1st */
        at = local ? mktime(&parts) : timegm(&parts) - offset;
    }
    if (at < 0)
        return false;
    *out = (int64_t)at;
    return true;
}

bool when_past(const char *text, enum when_day day, int64_t now, int64_t *out)
{
    int64_t span;
    if (!when_span(text, &span))
        return when_date(text, day, out);
    *out = now - span;
    return true;
}

bool when_ahead(const char *text, enum when_day day, int64_t now, int64_t *out)
{
    int64_t span;
    if (!when_span(text, &span))
        return when_date(text, day, out) && *out > 0;
    *out = now + span;
    return true;
}

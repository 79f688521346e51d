/* Hours of the week as administrators write them. */
#include "hours.h"

#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text, *made; /* "days:from-until …" in hexadecimal and minutes; NULL: refused */
} cases[] = {
    {"", ""},
    {"   ", ""},
    {"mon-fri 08:00-18:00", "1f:480-1080 "},
    {"MON-Fri 08:00-18:00", "1f:480-1080 "},
    {"sat", "20:0-1440 "},
    {"sat-sun", "60:0-1440 "},
    {"fri-mon 10:00-12:00", "71:600-720 "},
    {"daily 22:00-06:00", "7f:1320-360 "},
    {"22:00-06:00", "7f:1320-360 "},
    {"daily", "7f:0-1440 "},
    {"wed 00:00-24:00", "04:0-1440 "},
    {"mon 08:00-08:00", "01:480-480 "},
    {"mon-fri 08:00-18:00, sat 09:00-12:00", "1f:480-1080 20:540-720 "},
    {"  mon-fri   08:00-18:00 ,  sat  ", "1f:480-1080 20:0-1440 "},
    {"mon,tue,wed", "01:0-1440 02:0-1440 04:0-1440 "},
    {"mon-mon 09:00-10:00", "01:540-600 "},
    {",", NULL},
    {"mon,", NULL},
    {",mon", NULL},
    {"mon 08:00", NULL},
    {"mon 08:00-", NULL},
    {"mon 8:00-18:00", NULL},
    {"mon 08:00-18:60", NULL},
    {"mon 24:00-06:00", NULL},
    {"mon 08:00-24:01", NULL},
    {"mon 25:00-26:00", NULL},
    {"monday", NULL},
    {"mo", NULL},
    {"mon- 08:00-09:00", NULL},
    {"mon-xyz", NULL},
    {"mon tue", NULL},
    {"mon 08:00-18:00 tue", NULL},
    {"08:00-18:00 mon", NULL},
    {"mon;tue", NULL},
    {"mon,mon,mon,mon,mon,mon,mon,mon,mon", NULL},
};

START_TEST(the_table)
{
    struct decision_hours hours[HOURS_MOST] = {0};
    const char *why = NULL;
    size_t count;
    char made[256] = "";
    bool good = hours_parse(cases[_i].text, hours, &count, &why);
    ck_assert_msg(good == (cases[_i].made != NULL), "'%s': %s", cases[_i].text, why ? why : "good");
    if (!good) {
        ck_assert_ptr_nonnull(why);
        return;
    }
    for (size_t i = 0; i < count; i++)
        snprintf(made + strlen(made), sizeof(made) - strlen(made), "%02x:%u-%u ", hours[i].days,
                 hours[i].from, hours[i].until);
    ck_assert_str_eq(made, cases[_i].made);
}
END_TEST

static const struct {
    const char *text;
    bool clear;
} typed[] = {
    {"", true},
    {"mon,tue,wed", true},
    {"mon-fri 08:00-18:00", true},
    {"mon-fri 08:00-18:00, sat", true},
    {"mon 08:00-18:00, wed 08:00-18:00", true},
    {"mon 00:00-24:00, wed 08:00-18:00", true},
    {"08:00-18:00", true},
    {"mon,wed 08:00-18:00", false},
    {"mon,wed,fri 08:00-18:00", false},
    {"mon 08:00-09:00, tue, wed 08:00-09:00", false},
    {"sat, 08:00-18:00", false},
    {"daily, mon 08:00-18:00", false},
    {"mon 8:00-18:00", false},
};

/* A day without times is read as the whole day, and refused before one with times when typed. */
START_TEST(only_what_is_clear_is_taken)
{
    struct decision_hours hours[HOURS_MOST];
    const char *why = NULL;
    size_t count;
    ck_assert_msg(hours_clear(typed[_i].text, &why) == typed[_i].clear, "'%s'", typed[_i].text);
    if (!typed[_i].clear)
        ck_assert_ptr_nonnull(why);
    if (strchr(typed[_i].text, ','))
        ck_assert_msg(hours_parse(typed[_i].text, hours, &count, &why), "'%s'", typed[_i].text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hours");
    TCase *tcase = tcase_create("hours");
    tcase_add_loop_test(tcase, the_table, 0, (int)(sizeof(cases) / sizeof(*cases)));
    tcase_add_loop_test(tcase, only_what_is_clear_is_taken, 0,
                        (int)(sizeof(typed) / sizeof(*typed)));
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

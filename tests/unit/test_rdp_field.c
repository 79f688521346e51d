/* What an administrator types about redirections. */
#include "ipc.h"
#include "rdp_field.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *typed;
    int bits; /* -1: refused */
    const char *lines;
} forbids[] = {
    {"none", 0, ""},
    {"all", IPC_FORBID_ALL, "drives\nprinters\nports\nclipboard\npnp\n"},
    {"drives", 0x1, "drives\n"},
    {"printers", 0x2, "printers\n"},
    {"ports", 0x4, "ports\n"},
    {"clipboard", 0x8, "clipboard\n"},
    {"pnp", 0x10, "pnp\n"},
    {"pnp,drives,pnp", 0x11, "drives\npnp\n"},
    {"drives,printers,ports,clipboard,pnp", 0x1f, "drives\nprinters\nports\nclipboard\npnp\n"},
    {"", -1, NULL},
    {",", -1, NULL},
    {"drives,", -1, NULL},
    {",drives", -1, NULL},
    {"drives,,pnp", -1, NULL},
    {"drives, pnp", -1, NULL},
    {"drives pnp", -1, NULL},
    {"Drives", -1, NULL},
    {"drive", -1, NULL},
    {"drivess", -1, NULL},
    {"all,none", -1, NULL},
    {"none,drives", -1, NULL},
    {"ALL", -1, NULL},
    {"31", -1, NULL},
};
#define FORBIDS (int)(sizeof(forbids) / sizeof(forbids[0]))

START_TEST(what_may_not_be_redirected)
{
    uint8_t bits = 0x40;
    char lines[RDP_FIELD_FORBID_SIZE];
    const char *fault = rdp_field_forbid(forbids[_i].typed, &bits);
    if (forbids[_i].bits < 0) {
        ck_assert_msg(fault != NULL, "%s", forbids[_i].typed);
        ck_assert_uint_eq(bits, 0x40); /* untouched */
        return;
    }
    ck_assert_msg(fault == NULL, "%s: %s", forbids[_i].typed, fault);
    ck_assert_int_eq(bits, forbids[_i].bits);
    rdp_field_forbid_lines(bits, lines);
    ck_assert_str_eq(lines, forbids[_i].lines);
}
END_TEST

static char settings[STORE_SETTINGS_SIZE], why[256];

static bool set(const char *typed)
{
    why[0] = '\0';
    return rdp_field_setting(typed, settings, why, sizeof(why));
}

START_TEST(a_setting_takes_the_place_of_its_namesake)
{
    settings[0] = '\0';
    ck_assert(set("audiomode:i:1"));
    ck_assert(set("use multimon:i:1"));
    ck_assert(set("screen mode id:i:2"));
    ck_assert_str_eq(settings, "audiomode:i:1\nuse multimon:i:1\nscreen mode id:i:2\n");
    ck_assert(set("use multimon:i:0"));
    ck_assert_str_eq(settings, "audiomode:i:1\nscreen mode id:i:2\nuse multimon:i:0\n");
    ck_assert(set("audiomode:i:2"));
    ck_assert_str_eq(settings, "screen mode id:i:2\nuse multimon:i:0\naudiomode:i:2\n");
    ck_assert(!set("gatewayhostname:s:elsewhere"));
    ck_assert_str_ne(why, "");
    ck_assert_str_eq(settings, "screen mode id:i:2\nuse multimon:i:0\naudiomode:i:2\n");
    ck_assert(set("none"));
    ck_assert_str_eq(settings, "");
}
END_TEST

/* A line of exactly so many bytes, its line feed not counted. */
static const char *line_of(const char *head, size_t size)
{
    static char line[STORE_SETTINGS_SIZE];
    ck_assert_uint_lt(size, sizeof(line));
    memset(line, 'x', size);
    memcpy(line, head, strlen(head));
    line[size] = '\0';
    return line;
}

/* Full to the last byte, and one more. */
START_TEST(settings_have_an_end)
{
    char before[STORE_SETTINGS_SIZE];
    settings[0] = '\0';
    ck_assert(set("audiomode:i:1"));
    ck_assert_msg(set(line_of("remoteapplicationcmdline:s:", 500)), "%s", why);
    size_t left = STORE_SETTINGS_SIZE - 1 - strlen(settings) - 1;
    memcpy(before, settings, sizeof(before));
    ck_assert(!set(line_of("remoteapplicationprogram:s:", left + 1)));
    ck_assert_ptr_nonnull(strstr(why, "1024"));
    ck_assert_str_eq(settings, before);
    ck_assert_msg(set(line_of("remoteapplicationprogram:s:", left)), "%s", why);
    ck_assert_uint_eq(strlen(settings), STORE_SETTINGS_SIZE - 1);
    memcpy(before, settings, sizeof(before));
    ck_assert(!set("use multimon:i:1"));
    ck_assert_str_eq(settings, before);
    ck_assert(set("AudioMode:i:2")); /* which takes the room of the old one */
    ck_assert_uint_eq(strlen(settings), STORE_SETTINGS_SIZE - 1);
    ck_assert_ptr_null(strstr(settings, "audiomode"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rdp_field");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, what_may_not_be_redirected, 0, FORBIDS);
    tcase_add_test(all, a_setting_takes_the_place_of_its_namesake);
    tcase_add_test(all, settings_have_an_end);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}

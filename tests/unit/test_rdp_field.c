/* What an administrator types about redirections. */
#include "ipc.h"
#include "rdp_field.h"

#include <check.h>
#include <stdlib.h>

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

int main(void)
{
    Suite *suite = suite_create("rdp_field");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, what_may_not_be_redirected, 0, FORBIDS);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

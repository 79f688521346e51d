/* The RDP client's command. */
#include "client_exec.h"
#include "client_program.h"

#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

START_TEST(commands_are_filled)
{
    char *filled = client_exec_fill("rdp /v:{} {}x", "[::1]:9");
    ck_assert_str_eq(filled, "rdp /v:[::1]:9 [::1]:9x");
    free(filled);
    filled = client_exec_fill("", "x");
    ck_assert_str_eq(filled, "");
    free(filled);
}
END_TEST

static const struct {
    const char *command, *program; /* NULL: not plain to see */
} programs[] = {
    {"xfreerdp /v:{}", "xfreerdp"},
    {" \t/opt/rdp-3.1/bin/rdp_x+", "/opt/rdp-3.1/bin/rdp_x+"},
    {"rdp&", "rdp"},
    {"rdp;x", "rdp"},
    {"rdp>x", "rdp"},
    {"exit", "exit"},
    {"", NULL},
    {" ", NULL},
    {"-x", NULL},
    {"X=1 rdp", NULL},
    {"f() { rdp; }; f", NULL},
    {"f () { rdp; }; f", NULL},
    {"(rdp)", NULL},
    {"{ rdp; }", NULL},
    {"\"rdp\"", NULL},
    {"rdp\"\"", NULL},
    {"~/rdp", NULL},
    {"$RDP", NULL},
    {"rdp$X", NULL},
    {"rd\\p", NULL},
};

START_TEST(programs_are_seen)
{
    char name[CLIENT_PROGRAM_SIZE];
    bool plain = client_program_of(name, programs[_i].command);
    ck_assert_msg(plain == (programs[_i].program != NULL), "%s", programs[_i].command);
    if (plain)
        ck_assert_str_eq(name, programs[_i].program);
}
END_TEST

/* How a sanitizer refuses what a limit on the address space refuses otherwise. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=1024";
}

START_TEST(no_command_with_words_missing_is_started)
{
    enum { PLACES = 4096, LENGTH = 1024 * 1024 };
    char *many = malloc(2 * PLACES + 1), *address = malloc(LENGTH + 1), program[] = "true";
    char *words[] = {program, many, program, NULL}; /* the one in the midst takes 4 GB */
    struct client_failure failure = {0};
    ck_assert(many && address);
    for (size_t i = 0; i < PLACES; i++)
        memcpy(many + 2 * i, "{}", 3);
    memset(address, 'a', LENGTH);
    address[LENGTH] = '\0';
#ifndef __SANITIZE_ADDRESS__
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &(struct rlimit){1024UL * LENGTH, RLIM_INFINITY}), 0);
#endif
    ck_assert_int_eq(client_exec_start(NULL, words, address, -1, &failure), -1);
    ck_assert_int_eq(failure.fault, CLIENT_FAULT_SYSTEM);
    ck_assert_ptr_nonnull(strstr(failure.words, "out of memory"));
    free(many);
    free(address);
}
END_TEST

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

int main(void)
{
    Suite *suite = suite_create("client_exec");
    TCase *tests = tcase_create("client_exec");
    tcase_add_test(tests, commands_are_filled);
    tcase_add_loop_test(tests, programs_are_seen, 0, COUNT(programs));
    tcase_add_test(tests, no_command_with_words_missing_is_started);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

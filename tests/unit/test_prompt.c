/* Passwords from a terminal (a pseudo-terminal whose other end the test holds) and from a pipe. */
#include "prompt.h"

#include "suite.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

struct child {
    pid_t pid;
    int terminal; /* the end that a person would sit at */
    int slave;
    char seen[4096];
    size_t size;
};

static int ask(bool from_stdin)
{
    char password[64];
    const char *why = "";
    int code = prompt_password("alice\033[31m", from_stdin, password, sizeof(password), &why);

    if (isatty(STDIN_FILENO))
        dprintf(STDERR_FILENO, "got <%zu> %s\n", strlen(password), why);
    return code == EX_OK && strcmp(password, "pässword one") != 0 ? 99 : code;
}

static void start(struct child *child)
{
    *child = (struct child){.terminal = posix_openpt(O_RDWR | O_NOCTTY)};
    ck_assert_int_ge(child->terminal, 0);
    ck_assert_int_eq(grantpt(child->terminal), 0);
    ck_assert_int_eq(unlockpt(child->terminal), 0);
    child->slave = open(ptsname(child->terminal), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(child->slave, 0);
    child->pid = fork();
    if (child->pid == 0) {
        signal(SIGTERM, SIG_DFL); /* Check has a handler of its own */
        dup2(child->slave, STDIN_FILENO);
        dup2(child->slave, STDERR_FILENO);
        _exit(ask(false));
    }
}

static void await(struct child *child, const char *words)
{
    struct pollfd ready = {.fd = child->terminal, .events = POLLIN};

    while (strstr(child->seen, words) == NULL) {
        ck_assert_msg(poll(&ready, 1, 10000) == 1, "never came: %s in %s", words, child->seen);
        ssize_t got =
            read(child->terminal, child->seen + child->size, sizeof(child->seen) - 1 - child->size);
        ck_assert_int_gt(got, 0);
        child->size += (size_t)got;
    }
}

static void type(struct child *child, const char *text)
{
    ck_assert_int_eq(write(child->terminal, text, strlen(text)), (ssize_t)strlen(text));
}

static int end(struct child *child)
{
    struct termios state;
    int status = 0;

    ck_assert_int_eq(waitpid(child->pid, &status, 0), child->pid);
    ck_assert_int_eq(tcgetattr(child->slave, &state), 0);
    ck_assert(state.c_lflag & ECHO); /* whatever happened, the terminal is as it was */
    close(child->slave);
    close(child->terminal);
    return status;
}

START_TEST(test_twice)
{
    struct child child;

    start(&child);
    await(&child, "New password for alice\\x1b[31m: ");
    type(&child, "pässword one\n");
    await(&child, "The same again for alice\\x1b[31m: ");
    type(&child, "pässword one\n");
    await(&child, "got <13>");
    int status = end(&child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EX_OK);
    ck_assert_ptr_null(strstr(child.seen, "one")); /* nothing was echoed */
}
END_TEST

START_TEST(test_differ)
{
    struct child child;

    start(&child);
    await(&child, "New password for ");
    await(&child, ": ");
    type(&child, "pässword one\n");
    await(&child, "again for alice\\x1b[31m: ");
    type(&child, "pässword two\n");
    await(&child, "got <0> the two passwords differ");
    int status = end(&child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EX_DATAERR);
}
END_TEST

START_TEST(test_interrupted)
{
    struct child child;

    start(&child);
    await(&child, "31m: ");
    type(&child, "half");
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    int status = end(&child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}
END_TEST

START_TEST(test_pipe)
{
    static const struct {
        const char *text;
        size_t size;
        int code;
    } cases[] = {
        {"pässword one\n", 14, EX_OK},
        {"pässword one\r\n", 15, EX_OK},
        {"pässword one", 13, EX_OK},
        {"pässword one\nsecond line\n", 26, EX_OK},
        {"\n", 1, EX_DATAERR},
        {"", 0, EX_NOINPUT},
        {"nul\0in it\n", 10, EX_DATAERR},
        {"\xff\xfe\n", 3, EX_DATAERR},
        {"esc\033[A\n", 7, EX_DATAERR},
        {"0123456789012345678901234567890123456789012345678901234567890123\n", 65, EX_DATAERR},
    };
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], cases[_i].text, cases[_i].size), (ssize_t)cases[_i].size);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    ck_assert_int_eq(ask(_i % 2 == 0), cases[_i].code);
}
END_TEST
#define PIPE_CASES 10

int main(void)
{
    Suite *suite = suite_create("prompt");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 30);
    tcase_add_test(all, test_twice);
    tcase_add_test(all, test_differ);
    tcase_add_test(all, test_interrupted);
    tcase_add_loop_test(all, test_pipe, 0, PIPE_CASES);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}

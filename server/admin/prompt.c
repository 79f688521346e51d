/* Echo is switched off with the signals that end or stop a program caught, so that it can be
 * switched on again before the signal takes its course (the way of BSD's readpassphrase). */
#include "prompt.h"

#include "plain.h"
#include "text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

static const int prompt_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM, SIGPIPE};
#define PROMPT_SIGNALS (sizeof(prompt_signals) / sizeof(prompt_signals[0]))

static volatile sig_atomic_t prompt_signal;

static void prompt_caught(int number)
{
    prompt_signal = number;
}

/* One byte: 1, 0 at the end, or -1. With `mask`, the caught signals are blocked but for the wait,
 * so that none slips in between a look at prompt_signal and the read. */
static ssize_t prompt_byte(char *byte, const sigset_t *mask)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t got = -1;

    do {
        if (mask == NULL || ppoll(&input, 1, NULL, mask) >= 0)
            got = read(STDIN_FILENO, byte, 1);
    } while (got < 0 && errno == EINTR && prompt_signal == 0);
    return got;
}

/* One line without its end. EX_OK; EX_NOINPUT at the end of input with nothing read; EX_DATAERR
 * when it is too long; EX_TEMPFAIL when a signal came; EX_IOERR. */
static int prompt_line(char *to, size_t size, const sigset_t *mask)
{
    size_t length = 0;

    for (;;) {
        char byte = 0;
        ssize_t got = prompt_byte(&byte, mask);
        if (got < 0)
            return prompt_signal != 0 ? EX_TEMPFAIL : EX_IOERR;
        if (got == 0 && length == 0)
            return EX_NOINPUT;
        if (got == 0 || byte == '\n')
            break;
        if (length + 1 == size)
            return EX_DATAERR;
        to[length++] = byte == '\0' ? '\x01' : byte; /* a NUL is refused later, not an early end */
    }
    if (length > 0 && to[length - 1] == '\r')
        length--;
    to[length] = '\0';
    return EX_OK;
}

static const char *prompt_words(int code)
{
    switch (code) {
    case EX_NOINPUT:
        return "no password came: standard input is at its end";
    case EX_DATAERR:
        return "the password is too long";
    case EX_TEMPFAIL:
        return "interrupted";
    default:
        return "the password could not be read";
    }
}

static bool prompt_fit(const char *password)
{
    for (const char *at = password; *at != '\0'; at++) {
        if ((uint8_t)*at < 0x20 || *at == 0x7f)
            return false;
    }
    return text_is_utf8((const uint8_t *)password, strlen(password));
}

static int prompt_judge(int code, const char *password, const char **why)
{
    if (code != EX_OK) {
        *why = prompt_words(code);
        return code;
    }
    if (password[0] == '\0') {
        *why = "the password is empty";
        return EX_DATAERR;
    }
    if (!prompt_fit(password)) {
        *why = "the password must be UTF-8 text without control characters";
        return EX_DATAERR;
    }
    return EX_OK;
}

static void prompt_catch(struct sigaction before[PROMPT_SIGNALS], sigset_t *mask)
{
    struct sigaction caught = {.sa_handler = prompt_caught};
    sigset_t blocked;

    prompt_signal = 0;
    sigemptyset(&blocked);
    for (size_t i = 0; i < PROMPT_SIGNALS; i++)
        sigaddset(&blocked, prompt_signals[i]);
    sigprocmask(SIG_BLOCK, &blocked, mask);
    for (size_t i = 0; i < PROMPT_SIGNALS; i++)
        sigaction(prompt_signals[i], &caught, &before[i]);
}

/* A signal that came takes its course now. */
static void prompt_release(const struct sigaction before[PROMPT_SIGNALS], const sigset_t *mask)
{
    for (size_t i = 0; i < PROMPT_SIGNALS; i++)
        sigaction(prompt_signals[i], &before[i], NULL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (prompt_signal != 0)
        raise(prompt_signal);
}

static int prompt_ask(const char *label, const char *name, char *to, size_t size)
{
    struct sigaction before[PROMPT_SIGNALS];
    struct termios shown, hidden;
    sigset_t mask;

    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return EX_IOERR;
    prompt_catch(before, &mask);
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    hidden.c_lflag |= ICANON;
    /* Hidden before asked: what is typed at sight of the question is neither echoed nor flushed. */
    int code = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 ? EX_OK : EX_IOERR;
    fprintf(stderr, "%s", label);
    plain_print(stderr, name);
    fputs(": ", stderr);
    if (code == EX_OK)
        code = prompt_line(to, size, &mask);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    prompt_release(before, &mask);
    return code;
}

static int prompt_twice(const char *name, char *to, size_t size, const char **why)
{
    char again[2048] = "";
    int code = prompt_judge(prompt_ask("New password for ", name, to, size), to, why);

    if (code != EX_OK)
        return code;
    code = prompt_ask("The same again for ", name, again, sizeof(again));
    if (code != EX_OK) {
        *why = prompt_words(code);
    } else if (strcmp(to, again) != 0) {
        *why = "the two passwords differ; nothing was changed";
        code = EX_DATAERR;
    }
    explicit_bzero(again, sizeof(again));
    return code;
}

int prompt_password(const char *name, bool from_stdin, char *to, size_t size, const char **why)
{
    int code = !from_stdin && isatty(STDIN_FILENO) != 0
                   ? prompt_twice(name, to, size, why)
                   : prompt_judge(prompt_line(to, size, NULL), to, why);

    if (code != EX_OK)
        explicit_bzero(to, size);
    return code;
}

int prompt_known(const char *label, const char *name, char *to, size_t size, const char **why)
{
    int code =
        isatty(STDIN_FILENO) != 0 ? prompt_ask(label, name, to, size) : prompt_line(to, size, NULL);

    code = prompt_judge(code, to, why);
    if (code != EX_OK)
        explicit_bzero(to, size);
    return code;
}

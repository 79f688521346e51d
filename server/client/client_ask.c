/* Signals are taken by the event loop in another thread, so a question never leaves the terminal
 * silent: it is cancelled, restores the terminal, and only then the program ends. Suspending
 * (Ctrl-Z) is switched off while echo is. */
#include "client_ask.h"

#include "client_wait.h"
#include "fd.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* One line without its end, byte by byte, so that the next one stays where it is. 0, -ECANCELED,
 * -ENODATA (the end, with nothing read), -EMSGSIZE, or another -errno. */
static int read_line(int fd, int cancel, char *to, size_t size)
{
    struct client_wait wait = {.cancel = cancel, .until_ms = UINT64_MAX};
    size_t length = 0;
    for (;;) {
        char byte;
        int error = client_wait_fd(&wait, fd, POLLIN);
        if (error)
            return error;
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0)
            return -errno;
        if (got == 0 && !length)
            return -ENODATA;
        if (got == 0 || byte == '\n')
            break;
        if (length + 1 == size)
            return -EMSGSIZE;
        to[length++] = byte;
    }
    if (length && to[length - 1] == '\r')
        length--;
    to[length] = '\0';
    return strlen(to) == length ? 0 : -EILSEQ;
}

static int read_hidden(int tty, int cancel, char *to, size_t size)
{
    struct termios shown, hidden;
    if (tcgetattr(tty, &shown))
        return -errno;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    hidden.c_lflag |= ICANON | ISIG;
    hidden.c_cc[VSUSP] = _POSIX_VDISABLE;
    if (tcsetattr(tty, TCSAFLUSH, &hidden))
        return -errno;
    int error = read_line(tty, cancel, to, size);
    tcsetattr(tty, TCSAFLUSH, &shown);
    return error;
}

static int read_terminal(const struct client_ask *ask, const char *prompt, bool secret, char *to,
                         size_t size)
{
    FD_AUTO int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (tty < 0)
        return -ENXIO;
    bool seen = isatty(STDERR_FILENO); /* or else the terminal itself must show the question */
    if (seen)
        client_status_ask(ask->status, prompt);
    else
        dprintf(tty, "%s", prompt);
    int error =
        secret ? read_hidden(tty, ask->cancel, to, size) : read_line(tty, ask->cancel, to, size);
    if (seen)
        client_status_ask(ask->status, NULL);
    if (secret || error)
        dprintf(tty, "\n");
    return error;
}

/* The size of the space that stands there, 0: none. Also what keyboards and pages put in its place:
 * U+00A0, and U+3000 of East Asian input. */
static size_t space_at(const char *text)
{
    if (*text == ' ' || *text == '\t')
        return 1;
    if (strncmp(text, "\xc2\xa0", 2) == 0)
        return 2;
    return strncmp(text, "\xe3\x80\x80", 3) == 0 ? 3 : 0;
}

static void trim(char *text)
{
    size_t size, kept = 0;
    char *from = text;
    while ((size = space_at(from)))
        from += size;
    memmove(text, from, strlen(from) + 1);
    for (size_t at = 0; text[at]; at += size) {
        size = space_at(text + at);
        if (!size) {
            size = 1;
            kept = at + 1;
        }
    }
    text[kept] = '\0';
}

static bool is_plain(const char *text)
{
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    }
    return *text && text_is_utf8((const uint8_t *)text, strlen(text));
}

static int judge(const struct client_ask *ask, int error, struct client_failure *failure)
{
    if (error == -ECANCELED)
        return client_fail(failure, CLIENT_FAULT_CANCELLED, "interrupted");
    if (error == -ENXIO)
        return client_fail(failure, CLIENT_FAULT_INPUT,
                           "there is no terminal to ask on; give user name, password and code, one "
                           "per line, on a descriptor with --credentials-fd N");
    if (error == -ENODATA)
        return client_fail(failure, CLIENT_FAULT_INPUT,
                           ask->fd < 0 ? "nothing was typed"
                                       : "no further line on --credentials-fd (a sign-in needs "
                                         "user name, password and code; a renewal one more code)");
    if (error == -EMSGSIZE)
        return client_fail(failure, CLIENT_FAULT_INPUT, "that line is too long");
    if (error == -EILSEQ)
        return client_fail(failure, CLIENT_FAULT_INPUT,
                           "an empty line, or one that is not UTF-8 text without control "
                           "characters, where a user name, password or code is due");
    return client_fail(failure, CLIENT_FAULT_INPUT, "the sign-in could not be read: %s",
                       strerror(-error));
}

int client_ask(const struct client_ask *ask, const char *prompt, bool secret, char *to, size_t size,
               struct client_failure *failure)
{
    int error = ask->fd >= 0 ? read_line(ask->fd, ask->cancel, to, size)
                             : read_terminal(ask, prompt, secret, to, size);
    if (!error && !secret)
        trim(to);
    if (!error && !is_plain(to))
        error = -EILSEQ;
    if (!error)
        return 0;
    explicit_bzero(to, size);
    return judge(ask, error, failure);
}

/* ---- codes ---- */

/* "1. ", "10) ": in a printed list. */
static const char *behind_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    bool numbered = digits >= 1 && digits <= 2 && (text[digits] == '.' || text[digits] == ')');
    return numbered ? text + digits + 1 : text;
}

/* Full-width forms, U+FF01 to U+FF5E, are ASCII's in the same order. `*size` is what was read. */
static char ascii_at(const char *text, size_t *size)
{
    const unsigned char *at = (const unsigned char *)text;
    bool wide = at[0] == 0xef && (at[1] == 0xbc || at[1] == 0xbd) && at[2];
    unsigned number = wide ? ((at[1] & 0x3fU) << 6 | (at[2] & 0x3fU)) - 0xf00U : 0;
    *size = wide ? 3 : 1;
    if (!wide)
        return *text;
    return number >= 1 && number <= 0x5e ? (char)(number + 0x20) : ' ';
}

bool client_ask_code(char *to, size_t size, const char *typed)
{
    size_t made = 0, read;
    for (typed = behind_number(typed); *typed && made + 1 < size; typed += read) {
        char one = ascii_at(typed, &read);
        if (one >= 'A' && one <= 'Z')
            one = (char)(one - 'A' + 'a');
        if ((one >= '0' && one <= '9') || (one >= 'a' && one <= 'z'))
            to[made++] = one;
    }
    to[made] = '\0';
    return made > 0;
}

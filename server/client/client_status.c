#include "client_status.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CLEAR "\r\033[K" /* ECMA-48: carriage return, erase to the end of the line */
#define WIDTH_DEFAULT 80
#define WIDTH_MOST 256

void client_status_init(struct client_status *status, bool live)
{
    *status = (struct client_status){.live = live};
    pthread_mutex_init(&status->lock, NULL);
}

void client_status_deinit(struct client_status *status)
{
    if (status->shown)
        fputs(CLEAR, stderr);
    status->shown = false;
    pthread_mutex_destroy(&status->lock);
}

void client_status_say(struct client_status *status, const char *format, ...)
{
    char words[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&status->lock);
    fprintf(stderr, "%sdeskgate: %s\n%s", status->shown || status->prompt[0] ? CLEAR : "", words,
            status->prompt);
    status->shown = false;
    pthread_mutex_unlock(&status->lock);
}

static size_t terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
        return WIDTH_DEFAULT;
    return size.ws_col < WIDTH_MOST ? size.ws_col : WIDTH_MOST;
}

void client_status_show(struct client_status *status, const char *text)
{
    pthread_mutex_lock(&status->lock);
    if (status->live && !status->prompt[0]) {
        /* One column stays free: some terminals wrap when the last one is written. */
        fprintf(stderr, CLEAR "%.*s", (int)terminal_width() - 1, text);
        status->shown = true;
    }
    pthread_mutex_unlock(&status->lock);
}

void client_status_ask(struct client_status *status, const char *prompt)
{
    pthread_mutex_lock(&status->lock);
    if (prompt)
        fprintf(stderr, "%s%s", status->shown ? CLEAR : "", prompt);
    text_copy(status->prompt, sizeof(status->prompt), prompt ? prompt : "");
    status->shown = false;
    pthread_mutex_unlock(&status->lock);
}

void client_status_bytes(char to[CLIENT_STATUS_BYTES_SIZE], uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(to, CLIENT_STATUS_BYTES_SIZE, "%u B", (unsigned)bytes);
        return;
    }
    size_t unit = 0;
    uint64_t whole = bytes;
    for (; whole >= 1000000; whole /= 1000)
        unit++;
    snprintf(to, CLIENT_STATUS_BYTES_SIZE, "%u.%u %s", (unsigned)(whole / 1000),
             (unsigned)(whole % 1000 / 100), units[unit]);
}

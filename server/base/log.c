/* Two outputs. The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram an
 * event, fields as KEY=value lines; values here never hold a newline, since control characters are
 * escaped, so the binary form is not needed. It is forty lines of ours rather than libsystemd,
 * because the gate must not load what it does not need. */
#include "log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct {
    const char *process;
    enum log_level most;
    int journal;
} log_state = {.process = "deskgate", .most = LOG_LEVEL_INFO, .journal = -1};

/* One event's text; what does not fit is cut and the cut is visible. For the journal it is there
 * twice: as words, and as fields. */
struct line {
    char text[8192];
    size_t size;
};

static void put(struct line *line, const char *text, size_t size)
{
    size_t room = sizeof(line->text) - 1 - line->size;
    if (size > room)
        size = room;
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Control characters and DEL become \xNN, so that a value can neither forge a line nor a field nor
 * drive a terminal; quotes and backslashes are escaped when the value is quoted. */
static void put_escaped(struct line *line, const char *text, bool quoted)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f) {
            char code[5];
            snprintf(code, sizeof(code), "\\x%02x", c);
            put(line, code, 4);
        } else {
            if (quoted && (c == '"' || c == '\\'))
                put(line, "\\", 1);
            put(line, text, 1);
        }
    }
}

static void put_value(struct line *line, const struct log_field *field, bool quoted)
{
    if (!field->text) {
        char number[24];
        snprintf(number, sizeof(number), "%lld", (long long)field->number);
        put_text(line, number);
        return;
    }
    bool quote = quoted && (field->text[0] == '\0' || strpbrk(field->text, " \"\\="));
    if (quote)
        put(line, "\"", 1);
    put_escaped(line, field->text, quote);
    if (quote)
        put(line, "\"", 1);
}

/* "event: message key=value …": what people and log readers see. */
static void put_words(struct line *line, const char *event, const char *message,
                      const struct log_field *fields)
{
    put_text(line, event);
    put_text(line, ": ");
    put_escaped(line, message, false);
    for (; fields->key; fields++) {
        put(line, " ", 1);
        put_text(line, fields->key);
        put(line, "=", 1);
        put_value(line, fields, true);
    }
}

/* JOURNAL_STREAM names the device and inode of the standard error that systemd gave us
 * (systemd.exec(5)); when it is still that one, the journal is our log. */
static bool under_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    unsigned long long device, inode;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_init(const char *process, enum log_level most)
{
    log_state.process = process;
    log_state.most = most;
    if (log_state.journal >= 0 || !under_journal())
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        log_state.journal = fd;
    else if (fd >= 0)
        close(fd);
}

static void to_journal(struct line *line, enum log_level level, const char *event,
                       const char *message, const struct log_field *fields)
{
    char head[96];
    snprintf(head, sizeof(head), "PRIORITY=%d\nSYSLOG_IDENTIFIER=deskgate\nDESKGATE_PROCESS=%s\n",
             (int)level, log_state.process);
    put_text(line, head);
    put_text(line, "DESKGATE_EVENT=");
    put_escaped(line, event, false);
    put_text(line, "\nMESSAGE=");
    put_words(line, event, message, fields);
    put(line, "\n", 1);
    for (; fields->key; fields++) {
        put_text(line, "DESKGATE_");
        for (const char *c = fields->key; *c; c++) {
            char upper = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
            put(line, &upper, 1);
        }
        put(line, "=", 1);
        put_value(line, fields, false);
        put(line, "\n", 1);
    }
    line->text[line->size - 1] = '\n';
    while (send(log_state.journal, line->text, line->size, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

static const char *level_word(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARNING:
        return "warning";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    }
    return "?";
}

static void to_stderr(struct line *line, enum log_level level, const char *event,
                      const char *message, const struct log_field *fields)
{
    struct timespec now;
    struct tm utc;
    char stamp[40];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t size = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp + size, sizeof(stamp) - size, ".%03ldZ ", now.tv_nsec / 1000000);
    put_text(line, stamp);
    put_text(line, log_state.process);
    put(line, " ", 1);
    put_text(line, level_word(level));
    put(line, " ", 1);
    put_words(line, event, message, fields);
    if (line->size >= sizeof(line->text) - 1)
        line->size = sizeof(line->text) - 2;
    put(line, "\n", 1);
    ssize_t written;
    do
        written = write(STDERR_FILENO, line->text, line->size);
    while (written < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *event, const char *message,
               const struct log_field *fields)
{
    if (level > log_state.most)
        return;
    int kept = errno;
    struct line line;
    line.size = 0;
    if (log_state.journal >= 0)
        to_journal(&line, level, event, message, fields);
    else
        to_stderr(&line, level, event, message, fields);
    errno = kept;
}

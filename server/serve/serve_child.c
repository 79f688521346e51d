#include "serve_child.h"

#include "browser.h"
#include "cli.h"
#include "conf_memory.h"
#include "fd.h"
#include "gate.h"
#include "keeper.h"
#include "log.h"
#include "serve.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* argv of a child: program, --state, DIR, verb, conf, control, and for the gate keeper and one word
 * "tls:N", "http:N" or "metrics:N" for each listener. --state is for whoever looks at the process
 * list. */
#define FIXED 7
#define ARGUMENTS (FIXED + CONF_LISTEN_MAX + 1)
#define WORD_SIZE 24
#define COMPANY "company" /* keeper_setup.company */

struct child_words {
    const char *program; /* NULL: this one */
    char text[ARGUMENTS][WORD_SIZE];
    char *argv[ARGUMENTS];
    size_t count;
    int fds[ARGUMENTS]; /* to keep open */
    size_t fd_count;
    bool quiet; /* what it says to a person at a terminal is for nobody here */
};

static void add_word(struct child_words *words, const char *word)
{
    words->argv[words->count++] = (char *)(uintptr_t)word; /* execv() does not write to it */
}

static void add_fd(struct child_words *words, const char *prefix, int fd)
{
    char *text = words->text[words->count];
    snprintf(text, WORD_SIZE, "%s%d", prefix, fd);
    words->fds[words->fd_count++] = fd;
    add_word(words, text);
}

static void begin(struct child_words *words, const char *state, const char *verb, int conf,
                  int control)
{
    *words = (struct child_words){0};
    add_word(words, "deskgate");
    add_word(words, "--state");
    add_word(words, state);
    add_word(words, verb);
    add_fd(words, "", conf);
    add_fd(words, "", control);
}

/* This program, though another one may lie at its path by now. */
static const char *this_program(void)
{
#ifdef DESKGATE_VALGRIND /* to the kernel that is valgrind; readlink() tells the truth */
    static char path[CONF_PATH_SIZE];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[size > 0 ? size : 0] = '\0';
    return path;
#else
    return "/proc/self/exe";
#endif
}

/* Between fork and exec: system calls only. */
static void become(const struct child_words *words, pid_t parent, const sigset_t *mask)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN); /* Ctrl-C reaches the whole process group */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(EX_OSERR);
    for (size_t i = 0; i < words->fd_count; i++) {
        if (fd_cloexec(words->fds[i], false) < 0)
            _exit(EX_OSERR);
    }
    int nowhere = words->quiet ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
    if (nowhere >= 0)
        dup2(nowhere, STDOUT_FILENO);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execv(words->program ? words->program : this_program(), words->argv);
    _exit(EX_OSERR);
}

static pid_t start(const struct child_words *words, const sigset_t *mask)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0)
        become(words, parent, mask);
    return pid < 0 ? -errno : pid;
}

pid_t serve_child_keeper(const char *state, int conf, int control, bool company,
                         const sigset_t *mask)
{
    struct child_words words;

    begin(&words, state, "keeper", conf, control);
    if (company)
        add_word(&words, COMPANY);
    return start(&words, mask);
}

pid_t serve_child_forwarder(const char *state, int conf, int channel, const sigset_t *mask)
{
    struct child_words words;

    begin(&words, state, "syslog-forward", conf, channel);
    return start(&words, mask);
}

pid_t serve_child_expire(const char *state, const sigset_t *mask)
{
    struct child_words words = {.quiet = true};

    add_word(&words, "deskgate");
    add_word(&words, "--state");
    add_word(&words, state);
    add_word(&words, "audit");
    add_word(&words, "expire");
    return start(&words, mask);
}

static const char *kind_of(const struct gate_listener *listener)
{
    return listener->tls ? "tls:" : listener->metrics ? "metrics:" : "http:";
}

static void add_listeners(struct child_words *words, const struct serve_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        add_fd(words, kind_of(&listeners->items[i]), listeners->items[i].fd);
}

pid_t serve_child_gate(const char *state, int conf, int control, int keeper,
                       const struct serve_listeners *listeners, const sigset_t *mask)
{
    struct child_words words;

    begin(&words, state, "gate", conf, control);
    add_fd(&words, "", keeper);
    add_listeners(&words, listeners);
    return start(&words, mask);
}

pid_t serve_child_heir(const char *program, const char *state, int link,
                       const struct serve_listeners *listeners, const sigset_t *mask)
{
    struct child_words words = {.program = program};

    add_word(&words, "deskgate");
    add_word(&words, "--state");
    add_word(&words, state);
    add_word(&words, "serve-heir");
    add_fd(&words, "", link);
    add_listeners(&words, listeners);
    return start(&words, mask);
}

/* ---- in the child ---- */

bool serve_child_fd(const char *word, int *out)
{
    uint64_t number;
    if (!text_number(word, INT32_MAX, &number) || fd_cloexec((int)number, true) < 0)
        return false;
    *out = (int)number;
    return true;
}

static const struct conf *take_conf(const char *word)
{
    int fd;
    if (!serve_child_fd(word, &fd))
        return NULL;
    const struct conf *conf = conf_memory_read(fd);
    close(fd);
    return conf;
}

bool serve_child_take(const char *conf_word, const char *fd_word, const struct conf **conf, int *fd)
{
    return serve_child_fd(fd_word, fd) && (*conf = take_conf(conf_word));
}

int serve_child_not_by_hand(const char *verb)
{
    return cli_fail(EX_USAGE, "'%s' is started by 'deskgate serve', not by hand", verb);
}

int serve_keeper_child(struct cli *cli, int argc, char **argv)
{
    struct keeper_setup setup = {.administer = browser_act};

    (void)cli;
    if (argc < 3 || argc > 4 || !serve_child_take(argv[1], argv[2], &setup.conf, &setup.control) ||
        (argc == 4 && strcmp(argv[3], COMPANY) != 0))
        return serve_child_not_by_hand(argv[0]);
    setup.company = argc == 4;
    prctl(PR_SET_NAME, "deskgate-keeper");
    log_init("keeper", LOG_LEVEL_INFO);
    return keeper_main(&setup);
}

static bool take_listener(const char *word, struct gate_listener *out)
{
    const char *colon = strchr(word, ':');
    if (!colon || !serve_child_fd(colon + 1, &out->fd))
        return false;
    out->tls = strncmp(word, "tls:", 4) == 0;
    out->metrics = strncmp(word, "metrics:", 8) == 0;
    return true;
}

bool serve_child_listeners(int argc, char **argv, struct serve_listeners *listeners)
{
    *listeners = (struct serve_listeners){0};
    if (argc < 1 || argc > CONF_LISTEN_MAX)
        return false;
    for (int i = 0; i < argc; i++) {
        if (!take_listener(argv[i], &listeners->items[listeners->count++]))
            return false;
    }
    return true;
}

int serve_gate_child(struct cli *cli, int argc, char **argv)
{
    struct serve_listeners listeners;
    struct gate_setup setup = {0};

    (void)cli;
    if (argc < 5 || !serve_child_take(argv[1], argv[2], &setup.conf, &setup.control) ||
        !serve_child_fd(argv[3], &setup.keeper) ||
        !serve_child_listeners(argc - 4, argv + 4, &listeners))
        return serve_child_not_by_hand(argv[0]);
    setup.listeners = listeners.items;
    setup.count = listeners.count;
    prctl(PR_SET_NAME, "deskgate-gate");
    log_init("gate", LOG_LEVEL_INFO);
    return gate_main(&setup);
}

#include "client_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND 127 /* as shells have it */
#define NOT_EXECUTABLE 126

char *client_exec_fill(const char *text, const char *address)
{
    size_t places = 0, length = strlen(address);
    for (const char *at = text; (at = strstr(at, "{}")); at += 2)
        places++;
    char *filled = malloc(strlen(text) + places * length + 1), *to = filled;
    if (!filled)
        return NULL;
    for (const char *next; (next = strstr(text, "{}")); text = next + 2) {
        to = mempcpy(to, text, (size_t)(next - text));
        to = mempcpy(to, address, length);
    }
    strcpy(to, text);
    return filled;
}

static void free_all(char **filled)
{
    for (char **word = filled; filled && *word; word++)
        free(*word);
    free(filled);
}

/* All or nothing: NULL when memory ran out. */
static char **fill_all(const char *command, char *const *words, const char *address)
{
    size_t count = 0;
    const char *const shell[] = {"/bin/sh", "-c", command, NULL};
    const char *const *from = command ? shell : (const char *const *)words;
    while (from[count])
        count++;
    char **filled = calloc(count + 1, sizeof(char *));
    for (size_t i = 0; filled && i < count; i++) {
        filled[i] = client_exec_fill(from[i], address);
        if (!filled[i]) {
            free_all(filled);
            return NULL;
        }
    }
    return filled;
}

/* The first three cannot be close-on-exec: the next file that a program opened would take the
 * place. */
static void withhold(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing >= 0 && dup2(nothing, fd) == fd)
        return;
    fprintf(stderr, "deskgate: cannot keep descriptor %d from the RDP client: %s\n", fd,
            strerror(errno));
    _exit(NOT_EXECUTABLE);
}

static void run_child(char **words, pid_t parent, int withheld)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* killed before that took hold */
        _exit(NOT_EXECUTABLE);
    withhold(withheld);
    execvp(words[0], words);
    int error = errno;
    fprintf(stderr, "deskgate: cannot start %s: %s\n", words[0], strerror(error));
    _exit(error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

pid_t client_exec_start(const char *command, char *const *words, const char *address, int withheld,
                        struct client_failure *failure)
{
    char **filled = fill_all(command, words, address);
    pid_t parent = getpid(), pid = filled ? fork() : -1;
    if (pid == 0)
        run_child(filled, parent, withheld);
    if (pid < 0)
        client_fail(failure, CLIENT_FAULT_SYSTEM, "the RDP client cannot be started: %s",
                    filled ? strerror(errno) : "out of memory");
    free_all(filled);
    return pid;
}

bool client_exec_ended(pid_t pid, int *code)
{
    int status;
    if (waitpid(pid, &status, WNOHANG) != pid)
        return false;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

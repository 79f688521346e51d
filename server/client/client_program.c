#include "client_program.h"

#include <ctype.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND 127 /* as shells have it */
#define BLANKS " \t\n"

extern char **environ;

/* ---- is it there? ---- */

static bool is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static bool is_on_path(const char *name)
{
    const char *at = getenv("PATH");
    if (!at || strchr(name, '/'))
        return !at || is_program(name);
    for (;; at++) {
        size_t size = strcspn(at, ":");
        char path[4096];
        int made = snprintf(path, sizeof(path), "%.*s%s%s", (int)size, at, size ? "/" : "", name);
        if (made > 0 && (size_t)made < sizeof(path) && is_program(path))
            return true;
        at += size;
        if (!*at)
            return false;
    }
}

/* What it has built in, and its own words ("if"). When it cannot be asked, it will tell later. */
static bool is_shells(char *name)
{
    char sh[] = "sh", command[] = "-c", question[] = "command -v \"$0\" >/dev/null 2>&1";
    char *words[] = {sh, command, question, name, NULL};
    pid_t pid;
    int status;
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, words, environ))
        return true;
    return waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 0;
}

static bool is_here(char *name, bool shell)
{
    return is_on_path(name) || (shell && !strchr(name, '/') && is_shells(name));
}

/* ---- which one is it? ---- */

/* Where the command's first word begins. */
static const char *first_word(const char *command)
{
    return command + strspn(command, BLANKS);
}

bool client_program_of(char name[CLIENT_PROGRAM_SIZE], const char *command)
{
    const char *from = first_word(command), *behind;
    size_t size = 0;
    while (isalnum((unsigned char)from[size]) || (from[size] && strchr("_./+-", from[size])))
        size++;
    behind = from + size;
    /* Anything else is the shell's to understand: an assignment, a quoted word, a function. */
    if (!size || size >= CLIENT_PROGRAM_SIZE || *from == '-' ||
        (*behind && !strchr(BLANKS ";&|<>", *behind)) || behind[strspn(behind, BLANKS)] == '(')
        return false;
    memcpy(name, from, size);
    name[size] = '\0';
    return true;
}

/* FreeRDP's clients: xfreerdp and xfreerdp3, and those for other screens, likewise. */
static bool other_name(char other[CLIENT_PROGRAM_SIZE + 1], const char *name)
{
    static const char freerdp[] = "freerdp3";
    size_t size = strlen(name), whole = sizeof(freerdp) - 1, bare = whole - 1;
    memcpy(other, name, size + 1);
    if (size >= whole && strcmp(name + size - whole, freerdp) == 0)
        other[size - 1] = '\0';
    else if (size >= bare && strncmp(name + size - bare, freerdp, bare) == 0)
        memcpy(other + size, "3", 2);
    else
        return false;
    return true;
}

static bool take_other(struct client_options *options, const char *name, const char *other,
                       char **made)
{
    const char *rest = options->exec ? first_word(options->exec) + strlen(name) : "";
    if (asprintf(made, "%s%s", other, rest) < 0) {
        *made = NULL;
        return false;
    }
    if (options->exec)
        options->exec = *made;
    else
        options->words[0] = *made;
    fprintf(stderr, "deskgate: %s is called %s here\n", name, other);
    return true;
}

int client_program_find(struct client_options *options, char **made)
{
    char name[CLIENT_PROGRAM_SIZE], other[CLIENT_PROGRAM_SIZE + 1];
    bool shell = options->exec != NULL;
    *made = NULL;
    if (shell ? !client_program_of(name, options->exec)
              : !options->words || strlen(options->words[0]) >= sizeof(name))
        return 0;
    if (!shell)
        strcpy(name, options->words[0]);
    if (is_here(name, shell))
        return 0;
    if (other_name(other, name) && is_here(other, shell) && take_other(options, name, other, made))
        return 0;
    char words[CLIENT_PROGRAM_SIZE];
    strcpy(words, name);
    client_failure_plain(words);
    fprintf(stderr,
            "deskgate: cannot start %s: it is not installed here; install it, or name another RDP "
            "client\n",
            words);
    return NOT_FOUND;
}

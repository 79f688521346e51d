/* A route of a test build only: asks the gate's process to do what its cage forbids, and says what
 * the kernel answered. Runs in the HTTP thread of the real gate, after the real cage. */
#include "answer.h"
#include "page.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* Each returns 0 when it was done (the cage leaks) or the errno that it got. */

static int try_open(void)
{
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int try_create(void)
{
    int fd = open("/tmp/deskgate-probe", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int try_socket(int family, int type)
{
    int fd = socket(family, type, 0);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int try_inet(void)
{
    return try_socket(AF_INET, SOCK_STREAM);
}

static int try_inet6(void)
{
    return try_socket(AF_INET6, SOCK_DGRAM);
}

static int try_unix(void)
{
    return try_socket(AF_UNIX, SOCK_STREAM);
}

static int try_netlink(void)
{
    return try_socket(AF_NETLINK, SOCK_RAW);
}

/* On a socket that it may make: connecting it elsewhere must fail too. */
static int try_connect(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) < 0)
        return errno;
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int error = connect(ends[0], (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
    close(ends[0]);
    close(ends[1]);
    return error;
}

static int try_exec(void)
{
    char *argv[] = {(char[]){"true"}, NULL};
    execv("/bin/true", argv);
    return errno;
}

static int try_fork(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : 0;
}

static int try_executable_memory(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return errno;
    munmap(page, 4096);
    return 0;
}

static int try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? errno : 0;
}

static int try_kill(void)
{
    return kill(getppid(), 0) < 0 ? errno : 0;
}

static int try_unlink(void)
{
    return unlink("/tmp/deskgate-probe") < 0 ? errno : 0;
}

static int try_openat2(void)
{
    uint64_t how[3] = {O_RDONLY, 0, 0};
    long fd = syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof(how));
    if (fd < 0)
        return errno;
    close((int)fd);
    return 0;
}

static int try_io_uring(void)
{
    char params[120] = {0};
    long fd = syscall(SYS_io_uring_setup, 1, params);
    if (fd < 0)
        return errno;
    close((int)fd);
    return 0;
}

enum MHD_Result page_probe(struct request *request)
{
    static const struct {
        const char *name;
        int (*attempt)(void);
    } attempts[] = {
        {"open", try_open},         {"create", try_create},
        {"openat2", try_openat2},   {"unlink", try_unlink},
        {"socket-inet", try_inet},  {"socket-inet6", try_inet6},
        {"socket-unix", try_unix},  {"socket-netlink", try_netlink},
        {"connect", try_connect},   {"exec", try_exec},
        {"fork", try_fork},         {"executable-memory", try_executable_memory},
        {"ptrace", try_ptrace},     {"kill", try_kill},
        {"io_uring", try_io_uring},
    };
    json_t *report = json_object();
    for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
        int error = attempts[i].attempt();
        json_object_set_new(report, attempts[i].name,
                            json_string(error ? strerrorname_np(error) : "done"));
    }
    return answer_json(request, MHD_HTTP_OK, report, NULL);
}

#include "cage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Landlock's rights up to its second version (Linux 5.19), by number so that the build does not
 * depend on the age of the headers; include/uapi/linux/landlock.h. */
#define ALL_FILE_RIGHTS_V1 ((1ULL << 13) - 1)
#define RIGHT_REFER (1ULL << 13)    /* version 2 */
#define RIGHT_TRUNCATE (1ULL << 14) /* version 3, Linux 6.2 */

static bool landlock_everything(void)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return false;
    uint64_t rights = ALL_FILE_RIGHTS_V1;
    if (version >= 2)
        rights |= RIGHT_REFER;
    if (version >= 3)
        rights |= RIGHT_TRUNCATE;
    struct landlock_ruleset_attr attr = {.handled_access_fs = rights};
    long ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    if (ruleset < 0)
        return false;
    bool done = syscall(SYS_landlock_restrict_self, (int)ruleset, 0) == 0;
    close((int)ruleset);
    return done;
}

void cage_gate_files(struct cage_report *report)
{
    report->landlock = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && landlock_everything();
}

static bool allow(scmp_filter_ctx ctx, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0) < 0)
            return false;
    }
    return true;
}

/* What an event loop over given descriptors, GnuTLS, libmicrohttpd and the allocator need. */
static const int gate_calls[] = {
    /* bytes */
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(close),
    SCMP_SYS(accept4),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    /* waiting */
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(futex),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
    /* memory; mapping is narrowed below */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(mlock),
    SCMP_SYS(munlock),
    SCMP_SYS(mlockall),
    SCMP_SYS(munlockall),
    /* self */
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rseq),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(getrusage),
    SCMP_SYS(uname),
    SCMP_SYS(getcpu),
    SCMP_SYS(sched_getaffinity),
};

/* One more call, for some values of one argument only. */
struct narrowed {
    int call;
    struct scmp_arg_cmp when;
};

static bool allow_narrowed(scmp_filter_ctx ctx)
{
    const struct narrowed rules[] = {
        /* Memory may be mapped and protected, never made executable. */
        {SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        {SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        /* send() without an address. sendmsg() cannot be looked into, and libmicrohttpd needs it:
         * by the journal's datagram socket, where it is open, a gate that has been taken over can
         * still write to other datagram sockets that are open to everybody, as /dev/log is. */
        {SCMP_SYS(sendto), SCMP_A4(SCMP_CMP_EQ, 0, 0)},
        /* abort() signals itself; other processes of this user are out of reach. */
        {SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)},
        {SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0, 0)},
        /* The flags of descriptors; not F_SETOWN, F_SETLEASE and their like. */
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD, 0)},
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_SETFD, 0)},
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL, 0)},
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_SETFL, 0)},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        if (seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rules[i].call, 1, &rules[i].when) < 0)
            return false;
    }
    /* The pair that leads to libmicrohttpd: a local byte stream. */
    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 2,
                            SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0),
                            SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM)) == 0;
}

static bool load(scmp_filter_ctx ctx)
{
    return seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) == 0 && seccomp_load(ctx) == 0;
}

void cage_gate_calls(struct cage_report *report)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    report->seccomp = ctx && allow(ctx, gate_calls, sizeof(gate_calls) / sizeof(*gate_calls)) &&
                      allow_narrowed(ctx) && load(ctx);
    seccomp_release(ctx);
}

void cage_keeper(struct cage_report *report)
{
    static const int denied[] = {
        SCMP_SYS(execve),
        SCMP_SYS(execveat),
        SCMP_SYS(bind),
        SCMP_SYS(listen),
        SCMP_SYS(accept),
        SCMP_SYS(accept4),
        SCMP_SYS(ptrace),
        SCMP_SYS(mount),
        SCMP_SYS(bpf),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(unshare),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(setns),
        SCMP_SYS(kexec_load),
        SCMP_SYS(init_module),
        SCMP_SYS(finit_module),
        SCMP_SYS(perf_event_open),
        SCMP_SYS(userfaultfd),
        SCMP_SYS(io_uring_setup),
    };
    report->landlock = false;
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    bool ok = ctx != NULL;
    for (size_t i = 0; ok && i < sizeof(denied) / sizeof(*denied); i++)
        ok = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), denied[i], 0) == 0;
    report->seccomp = ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && load(ctx);
    seccomp_release(ctx);
}

/* What the kernel is asked to forbid, per process (seccomp, Landlock, no_new_privs).
 * Denied system calls fail with EPERM. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct cage_report {
    bool seccomp;
    bool landlock; /* false on kernels without it (before 5.13, or not enabled) */
};

/* Step 1, on the first thread, before any other thread exists: Landlock with an empty rule set (no
 * path can be opened any more) and no_new_privs. Threads made later inherit both. */
void cage_gate_files(struct cage_report *report);

/* Step 2, when every thread runs: seccomp for all threads. Afterwards the process can use the
 * descriptors it has, accept, make AF_UNIX socketpairs, memory and time; nothing else. */
void cage_gate_calls(struct cage_report *report);

/* The keeper, and who forwards the audit log: no exec, no bind, no listen, no accept, no ptrace.
 * Call when its pool runs. */
void cage_keeper(struct cage_report *report);

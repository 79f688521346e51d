"""Processor time and memory of a server: all of its processes, by the kernel's accounts."""
import os
import pathlib
import time


def family(pids):
    """Processes and all that come from them."""
    found, children = list(pids), {}
    for entry in pathlib.Path('/proc').glob('[0-9]*/stat'):
        fields = stat_of(entry.parent.name)
        if fields:
            children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    for one in found:  # grows as it goes
        found.extend(child for child in children.get(one, []) if child not in found)
    return found


def stat_of(pid):
    """The fields of proc(5)'s stat behind the name, state first; None when it is gone."""
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text(encoding='latin1').rsplit(')', 1)[1].split()
    except OSError:
        return None


def process_seconds(pid):
    """Of one process, its ended threads included, to the nanosecond: its CPU clock.

    The clock's number is made as clock_getcpuclockid(3) makes it.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def cpu_seconds(pids):
    """Of these processes and what comes from them. Children that have ended and were waited for
    count by ticks, which is all that the kernel tells of them."""
    total, ticks = 0.0, 0
    for one in family(pids):
        fields = stat_of(one)
        if fields:
            total += process_seconds(one)
            ticks += int(fields[13]) + int(fields[14])
    return total + ticks / os.sysconf('SC_CLK_TCK')


def memory_bytes(pids):
    """Proportional set size: what is shared counts by its share. None where it may not be read."""
    total = 0
    for one in family(pids):
        try:
            text = pathlib.Path(f'/proc/{one}/smaps_rollup').read_text(encoding='latin1')
        except FileNotFoundError:
            continue
        except OSError:
            return None
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith('Pss:'))
    return total * 1024


def resident_peak(pids):
    """The most that each process had resident at once so far, together. Unlike what memory_bytes()
    looks at, it is a counter: nothing of the process is held meanwhile."""
    total = 0
    for one in family(pids):
        try:
            text = pathlib.Path(f'/proc/{one}/status').read_text(encoding='latin1')
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith('VmHWM:'))
    return total * 1024


def descriptors(pids):
    """Open ones, of all."""
    total = 0
    for one in family(pids):
        try:
            total += len(os.listdir(f'/proc/{one}/fd'))
        except OSError:
            pass
    return total

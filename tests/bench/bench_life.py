"""What the cases about many connections share: desktops for thousands, servers that are started
anew, verbs that are spoken to by lines, and accounts of memory."""
import contextlib
import functools
import json
import os
import pathlib
import select
import subprocess

import bench_cpu
import bench_kit
import bench_servers
from bench_deskgate import Deskgate

CROWD = 'crowd'     # the kind of a desktop that echoes for thousands
PATIENCE = 400      # seconds for an answer of a verb
LATE = 0.5e-3       # seconds: a load that is later than this measures itself


@functools.cache
def apart():
    """What makes the load run on the first processor, and what a server on all others; nothing where
    there is one. A live client that goes before the server on its processor, again and again in the
    middle of its work, is what no machine elsewhere can do."""
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        return (), ()
    return (('taskset', '--cpu-list', str(first)),
            ('taskset', '--cpu-list', ','.join(map(str, others))))


@functools.cache
def precedence():
    """What makes a command run before all others. Live clients and their desktops are other machines'
    in truth: what they feel must not be that they wait for a processor here."""
    words = ('chrt', '--fifo', '10')
    try:
        able = subprocess.run([*words, 'true'], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        able = False
    return words if able else ()


def standing_back():
    """What makes a command run only where no other wants to: strangers' machines are not this one, so
    their work must not keep the gateway from its own."""
    return ('chrt', '--idle', '0') if precedence() else ()


@contextlib.contextmanager
def packets_first():
    """For the time of the block the kernel's threads for packets go before the load, too. Else one
    that was woken on a processor waits until the load there sleeps, and with it every packet of that
    processor: the load would measure itself."""
    threads = []
    if precedence():
        threads = [path.name for path in pathlib.Path('/proc').glob('[0-9]*')
                   if read(path / 'comm').startswith('ksoftirqd/')]
    try:
        for thread in threads:
            subprocess.run(['chrt', '--fifo', '--pid', '20', thread], capture_output=True, check=False)
        yield
    finally:
        for thread in threads:
            subprocess.run(['chrt', '--other', '--pid', '0', thread], capture_output=True, check=False)


def read(path):
    """A file of /proc; empty when its process has just ended."""
    try:
        return path.read_text(encoding='utf8')
    except OSError:
        return ''


def on_time(bench, what, late):
    """Notes it when the load could not keep its own times: `late` is its 99th percentile."""
    if late > LATE:
        bench.note(f'{what}: the load itself was up to {late * 1e3:.1f} ms late (p99); the machine '
                   f'was too busy for these latencies')


def desktop(bench, kind, *words, prefix=()):
    """The port of a desktop that is a verb of its own; started when first asked for."""
    if kind not in bench.desktops:
        process = bench.spawn([*prefix, bench_kit.LOAD, *words], stdout=subprocess.PIPE)
        bench.desktops[kind] = int(process.stdout.readline())
    return bench.desktops[kind]


def crowd(bench):
    return desktop(bench, CROWD, 'crowd', prefix=precedence())


APART = 'crowd-apart'


def crowd_apart(bench):
    """The same where apart() says."""
    return desktop(bench, APART, 'crowd', prefix=(*apart()[0], *precedence()))


@contextlib.contextmanager
def fresh(bench, kind, behind=CROWD, **options):
    """A server of a class that is started now and stopped after the block, with one desktop behind
    it; None, with a note, when it cannot run."""
    missing = kind.missing()
    if missing:
        bench.note(f'without {kind.name}: {missing}')
        yield None
        return
    server = kind(bench, **options)
    server.ports = {behind: next(iter(server.ports.values()))}
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Nothing(bench_servers.Direct):
    """No server: the client goes straight to the desktop."""

    def start(self):
        self.ports = {kind: self.bench.desktop(kind) for kind in self.ports}


class Verb:
    """A verb of deskgate-load that is told lines and answers each with one JSON object."""

    def __init__(self, bench, *words, secrets='', prefix=()):
        self.words = ' '.join(map(str, words))
        self.process = bench.spawn([*prefix, bench_kit.LOAD, *words], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, bufsize=1)
        self.say(secrets)

    def say(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def hear(self, seconds=PATIENCE):
        """The next answer."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise RuntimeError(f'deskgate-load {self.words}: no answer within {seconds} s')
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f'deskgate-load {self.words} ended early')
        return json.loads(line)

    def ask(self, line, seconds=PATIENCE):
        self.say(f'{line}\n')
        return self.hear(seconds)

    def end(self):
        """Waits until it has closed its connections, too."""
        self.process.stdin.close()
        self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        bench_servers.end(self.process)


def parallel(server, most=64):
    """How many openings may be under way: one session of deskgate's has eight dials at a time."""
    return min(most, 8) if isinstance(server, Deskgate) else most


def memory_by_process(pids):
    """{name: proportional set size in bytes} of all processes; names that occur twice are added."""
    found = {}
    for pid in bench_cpu.family(pids):
        size = one_size(pid)
        try:
            name = pathlib.Path(f'/proc/{pid}/comm').read_text(encoding='latin1').strip()
        except OSError:
            continue
        found[name] = found.get(name, 0) + (size or 0)
    return found


def one_size(pid):
    try:
        text = pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text(encoding='latin1')
    except OSError:
        return None
    return 1024 * sum(int(line.split()[1]) for line in text.splitlines() if line.startswith('Pss:'))


def kernel_memory():
    """Bytes of the whole machine's kernel that connections and processes take: slabs that cannot be
    reclaimed, stacks, page tables, and what TCP holds in its queues."""
    wanted, total = ('SUnreclaim:', 'KernelStack:', 'PageTables:'), 0
    for line in pathlib.Path('/proc/meminfo').read_text(encoding='utf8').splitlines():
        if line.startswith(wanted):
            total += int(line.split()[1]) * 1024
    for line in pathlib.Path('/proc/net/sockstat').read_text(encoding='utf8').splitlines():
        if line.startswith('TCP:'):
            total += int(line.split()[-1]) * 4096
    return total

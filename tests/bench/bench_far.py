"""Lines that are not loopback: whether a tunnel keeps a long one full, and how old the picture is at
the end of a narrow one."""
import contextlib
import os
import pathlib
import subprocess

import bench_kit
import bench_life
from bench_deskgate import Deskgate
from bench_kit import case, figure, say
from bench_servers import Haproxy, NginxStream

DELAY_MS = 25       # one way
MBIT = 400          # 50 MB/s: 2.5 MB are under way when the line is full
MTU = 9000          # fewer packets, so that the line itself costs little
WARM, SECONDS = 4, 8
KIND = 'far'
NARROW_DELAY_MS, NARROW_MBIT, NARROW_MTU = 20, 10, 1500     # somebody's home
LOOPBACK_MTU = 65536
AGE = 'age'
figure('mb_per_s', 'MB/s', form='{:.1f}')
figure('share_of_direct', 'of direct', form='{:.3f}')
figure('age_p50_ms', 'age ms', form='{:.0f}')
figure('age_p99_ms', 'age p99 ms', form='{:.0f}')
NEAR, FAR = '192.0.2.1', '192.0.2.2'  # RFC 5737: nobody's


@contextlib.contextmanager
def line(bench, delay_ms, mbit, mtu):
    """What puts a client to the far end, a network namespace of its own, for the time of the block.
    Servers listen on loopback's address; the far end sends what is for it over the line."""
    process = bench.spawn([bench_kit.LOAD, 'far-link', delay_ms, mbit], stdout=subprocess.PIPE)
    pid = process.stdout.readline().strip()
    if not pid:
        raise RuntimeError('no line: deskgate-load far-link ended')
    into = ['nsenter', f'--net=/proc/{pid}/ns/net']
    for prefix, device, address in (([], 'near', NEAR), (into, 'far', FAR)):
        for words in (['ip', 'address', 'add', f'{address}/30', 'dev', device],
                      ['ip', 'link', 'set', device, 'mtu', str(mtu), 'up'],
                      ['sh', '-c', f'echo 1 >/proc/sys/net/ipv4/conf/{device}/route_localnet']):
            subprocess.run([*prefix, *words], check=True, capture_output=True, text=True)
    subprocess.run([*into, 'ip', 'route', 'add', '127.0.0.1/32', 'dev', 'far', 'src', FAR],
                   check=True, capture_output=True, text=True)
    try:
        yield into
    finally:
        bench_life.bench_servers.end(process)


@contextlib.contextmanager
def packets_of_ethernet():
    """On loopback's packets of 64 KB a desktop's own kernel would hold megabytes."""
    subprocess.run(['ip', 'link', 'set', 'lo', 'mtu', str(NARROW_MTU)], check=True)
    try:
        yield
    finally:
        subprocess.run(['ip', 'link', 'set', 'lo', 'mtu', str(LOOPBACK_MTU)], check=True)


def turn(bench, server, into, direction):
    warm, seconds = (1, 2) if bench.quick else (WARM, SECONDS)
    verb = bench_life.Verb(bench, 'far', direction, warm, seconds, server.place(KIND), 1, 1, 0,
                           secrets=server.secrets(KIND), prefix=into)
    with verb:
        told = verb.hear()
    return told['bytes'] / told['seconds']


def able(bench):
    if os.getuid() == 0 and pathlib.Path('/dev/net/tun').exists() and \
            os.environ.get('DESKGATE_BENCH_NETWORK') == 'own':
        return True
    bench.note('without lines: they take root, a network namespace and /dev/net/tun')
    return False


def far(bench):
    if not able(bench):
        return
    bench_life.desktop(bench, KIND, 'far-desktop')
    with contextlib.ExitStack() as stack:
        into = stack.enter_context(line(bench, DELAY_MS, MBIT, MTU))
        servers = [stack.enter_context(bench_life.fresh(bench, kind, KIND))
                   for kind in (bench_life.Nothing, Deskgate, Haproxy)]
        for at in range(bench.rounds):
            for direction in ('up', 'down'):
                direct = None
                for server in filter(None, servers):
                    say(f'round {at + 1}: 50 ms away, {direction}, {server.name}')
                    rate = turn(bench, server, into, direction)
                    direct = direct or rate
                    bench.record(f'50 ms {direction}', server.name, mb_per_s=rate / 1e6,
                                 share_of_direct=rate / direct)


def narrow(bench):
    """A desktop with more to show than the line carries. The last that arrives is as old as all that
    waits before it."""
    if not able(bench):
        return
    bench_life.desktop(bench, AGE, 'age-desktop')
    warm, seconds = (2, 2) if bench.quick else (WARM, SECONDS)
    with contextlib.ExitStack() as stack:
        into = stack.enter_context(line(bench, NARROW_DELAY_MS, NARROW_MBIT, NARROW_MTU))
        stack.enter_context(packets_of_ethernet())
        servers = [stack.enter_context(bench_life.fresh(bench, kind, AGE))
                   for kind in (bench_life.Nothing, Deskgate, Haproxy, NginxStream)]
        for at in range(bench.rounds):
            for server in filter(None, servers):
                say(f'round {at + 1}: a narrow line, {server.name}')
                verb = bench_life.Verb(bench, 'age', warm, seconds, server.place(AGE), 1, 1, 0,
                                       secrets=server.secrets(AGE), prefix=into)
                with verb:
                    told = verb.hear()
                bench.record('narrow line', server.name,
                             mb_per_s=told['bytes'] / told['seconds'] / 1e6,
                             age_p50_ms=told['age']['p50'] * 1e3,
                             age_p99_ms=told['age']['p99'] * 1e3)


case('far', f'bulk over a line of {2 * DELAY_MS} ms there and back, beside a direct connection')(far)
case('narrow', f'the age of what arrives over a line of {NARROW_MBIT} Mbit/s, beside a direct connection')(narrow)

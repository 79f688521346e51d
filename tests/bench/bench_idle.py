"""Idle tunnels: what each holds of memory and descriptors, and what all of them cost in time."""
import resource
import time

import bench_cpu
import bench_life
from bench_deskgate import Deskgate
from bench_kit import case, figure, say
from bench_servers import Haproxy, NginxStream

COUNTS = (1000, 5000, 20000)
SERVERS = (Deskgate, Haproxy, NginxStream)
SOURCES = 100   # addresses of loopback that the clients come from
SPARE = 400     # descriptors that a process has besides its tunnels
LONG = 600      # seconds that the case 'hold' holds them
SETTLE = 2      # seconds until what an opening left behind is gone

figure('tunnels', 'tunnels', form='{:.0f}')
figure('opened_per_s', 'opened/s', form='{:.0f}')
figure('process_bytes_per_tunnel', 'process KB/tunnel', form='{:.1f}', scale=1 / 1024, ratio=True, watched=True)
figure('kernel_bytes_per_tunnel', 'kernel KB/tunnel', form='{:.1f}', scale=1 / 1024)
figure('descriptors_per_tunnel', 'descriptors/tunnel', form='{:.1f}')
figure('idle_cpu_percent', '% of a core, idle', form='{:.2f}')
figure('lost', 'lost', form='{:.0f}')
figure('seconds_held', 'seconds', form='{:.0f}')
figure('kept_bytes', 'MB kept when all have ended', form='{:.1f}', scale=1e-6)


def most_tunnels():
    """What one process can hold at two descriptors for each, with as many as can be had."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    for number in (3 * max(COUNTS) + SPARE, most):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, max(number, most)))
            return (number - SPARE) // 2
        except (OSError, ValueError):
            continue
    return (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE) // 2


def state(server):
    return {'processes': bench_life.memory_by_process(server.pids()),
            'kernel': bench_life.kernel_memory(),
            'descriptors': bench_cpu.descriptors(server.pids())}


def hold(bench, server, count, seconds):
    """Opens them, looks, waits, looks again: figures, and how much each process grew by."""
    place, secrets = server.place(bench_life.CROWD), server.secrets(bench_life.CROWD)
    words = ('hold', place, count, bench_life.parallel(server), SOURCES)
    with bench_life.Verb(bench, 'hold', place, 64, 8, 1, secrets=secrets) as warm:
        warm.hear()
        warm.end()
    time.sleep(SETTLE)
    before = state(server)
    with bench_life.Verb(bench, *words, secrets=secrets) as verb:
        opened = verb.hear()
        time.sleep(SETTLE)
        during = state(server)
        cpu, begun = server.cpu(), time.monotonic()
        time.sleep(seconds)
        used = (server.cpu() - cpu) / (time.monotonic() - begun)
        told = verb.ask('echo')
        verb.end()
    time.sleep(SETTLE)
    after = state(server)
    number = max(opened['open'], 1)
    grown = {name: size - before['processes'].get(name, 0)
             for name, size in during['processes'].items()}
    figures = {
        'tunnels': opened['open'],
        'opened_per_s': opened['open'] / opened['seconds'],
        'process_bytes_per_tunnel': sum(grown.values()) / number,
        'kernel_bytes_per_tunnel': (during['kernel'] - before['kernel']) / number,
        'descriptors_per_tunnel': (during['descriptors'] - before['descriptors']) / number,
        'idle_cpu_percent': 100 * used,
        'lost': opened['open'] - told['echoed'],
        'kept_bytes': sum(after['processes'].values()) - sum(before['processes'].values()),
    }
    return figures, grown, opened['why'] or told['why']


def idle(bench):
    bench_life.crowd(bench)
    seconds = 3 if bench.quick else bench.options.idle_seconds
    most = most_tunnels()
    for wanted in (200,) if bench.quick else COUNTS:
        count = min(wanted, most)
        if count < wanted:
            bench.note(f'{wanted} idle tunnels take more descriptors than the '
                       f'{resource.getrlimit(resource.RLIMIT_NOFILE)[0]} that a process may have here')
        label = f'idle x{wanted}'
        with bench_life.fresh(bench, bench_life.Nothing) as nothing:  # the ends of each tunnel
            ends = hold(bench, nothing, count, 0)[0]['kernel_bytes_per_tunnel']
        for kind in SERVERS:
            say(f'{label}, {kind.name}: {count}, {seconds} s')
            with bench_life.fresh(bench, kind) as server:
                if not server:
                    continue
                figures, grown, why = hold(bench, server, count, seconds)
            figures['kernel_bytes_per_tunnel'] -= ends
            bench.record(label, kind.name, **figures)
            if figures['tunnels'] < count:
                bench.note(f"{kind.name} held {figures['tunnels']} of {count} idle tunnels: {why}")
                if kind is Deskgate:
                    count = figures['tunnels']  # the others are asked for no more
            share = ', '.join(f'{name} {size / max(figures["tunnels"], 1) / 1024:.1f} KB'
                              for name, size in sorted(grown.items(), key=lambda one: -one[1]))
            bench.note(f'{label}, memory of {kind.name} per tunnel, by process: {share}')


def hold_long(bench):
    """Ours alone, since it takes its time: as many as there may be, for ten minutes."""
    bench_life.crowd(bench)
    seconds = 3 if bench.quick else max(LONG, bench.options.idle_seconds)
    count = 200 if bench.quick else min(max(COUNTS), most_tunnels())
    say(f'{count} tunnels, {seconds} s')
    with bench_life.fresh(bench, bench_life.Nothing) as nothing:
        ends = hold(bench, nothing, count, 0)[0]['kernel_bytes_per_tunnel']
    with bench_life.fresh(bench, Deskgate) as server:
        figures, _, why = hold(bench, server, count, seconds)
    figures['kernel_bytes_per_tunnel'] -= ends
    bench.record('hold', Deskgate.name, seconds_held=seconds, **figures)
    if figures['tunnels'] < count:
        bench.note(f"hold: {figures['tunnels']} of {count} were to be had: {why}")


case('hold', 'as many idle tunnels as there may be, for ten minutes; ours alone')(hold_long)
case('idle', 'thousands of tunnels through which nothing moves')(idle)

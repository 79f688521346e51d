"""RDP-shaped sessions: a recording of a real one's messages, replayed over many tunnels at once."""
import time

import bench_life
from bench_deskgate import Deskgate
from bench_kit import ROOT, case, figure, say
from bench_servers import Haproxy, PlainRelay

RECORDING = ROOT / 'tests/bench/mix/office.txt'
COUNTS = (100, 500, 1000)
SECONDS, WARM, LEAD = 12, 3, 0.5
SOURCES = 20
KIND = 'mix'

for way_name in ('up', 'down', 'added'):
    for part_name, part_title in (('p50', 'p50'), ('p99', 'p99'), ('p999', 'p99.9')):
        figure(f'{way_name}_{part_name}_us', f'{way_name} {part_title} µs', form='{:.0f}')
figure('sessions_per_core', 'sessions a core', form='{:.0f}')


def turn(bench, server, count, desk):
    """What clients and desktop saw in one server's turn, and the processor time of all."""
    seconds = 4 if bench.quick else SECONDS
    words = ('mix', RECORDING, WARM, seconds, server.place(KIND), count,
             bench_life.parallel(server), SOURCES)
    with bench_life.Verb(bench, *words, secrets=server.secrets(KIND),
                         prefix=bench_life.precedence()) as verb:
        opened = verb.hear()
        if opened['lost']:
            bench.note(f"{server.name}: {opened['lost']} of {count} sessions were not to be had: "
                       f"{opened['why']}")
        time.sleep(LEAD + WARM)
        before, begun = server.cpu(), time.monotonic()
        time.sleep(seconds - 1)
        cores = (server.cpu() - before) / (time.monotonic() - begun)
        down = verb.hear()
    up = desk.hear()
    return up, down, cores


def figures(count, up, down, cores):
    found = {'cores_used': cores}
    for which, told in (('up', up), ('down', down)):
        for part in ('p50', 'p99', 'p999'):
            found[f'{which}_{part}_us'] = told['one_way'][part] * 1e6
    found |= {
        'load_late_p99_us': max(up['late']['p99'], down['late']['p99']) * 1e6,
        'load_cores': (up['own_cpu'] + down['own_cpu']) / (down['seconds'] + WARM),
        'lost': down['sent'] - up['got'] + up['sent'] - down['got'],
    }
    if cores:
        found['sessions_per_core'] = count / cores
    return found


def add(bench, label, name, mine, direct):
    """What the server adds to the way without one, in the same round."""
    for part in ('p50', 'p99', 'p999'):
        mine[f'added_{part}_us'] = max(mine[f'{way}_{part}_us'] - direct[f'{way}_{part}_us']
                                       for way in ('up', 'down'))
    bench.record(label, name, **mine)


def mix(bench):
    desk = bench_life.Verb(bench, 'mix-desktop', RECORDING, prefix=bench_life.precedence())
    bench.desktops[KIND] = desk.hear()
    with bench_life.packets_first(), desk, bench_life.fresh(bench, bench_life.Nothing, KIND) as nothing, \
            bench_life.fresh(bench, Deskgate, KIND) as ours, \
            bench_life.fresh(bench, Haproxy, KIND) as haproxy, \
            bench_life.fresh(bench, PlainRelay, KIND) as relay:
        for at in range(bench.rounds):
            for count in (50,) if bench.quick else COUNTS:
                direct = None
                for server in filter(None, (nothing, ours, haproxy, relay)):
                    say(f'round {at + 1}: {count} RDP-shaped sessions, {server.name}')
                    mine = figures(count, *turn(bench, server, count, desk))
                    direct = direct or mine
                    bench_life.on_time(bench, f'{count} RDP-shaped sessions, {server.name}',
                                       mine['load_late_p99_us'] / 1e6)
                    add(bench, f'mix x{count}', server.name, mine, direct)


case('mix', 'RDP-shaped sessions by the hundred: what is added to each message\'s way')(mix)

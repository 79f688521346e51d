"""What must be reached, by the figures of the cases about many connections."""
from bench_kit import target

OURS = 'deskgate'


@target('process memory per idle tunnel, at 5,000', '≤ 10 KB')
def idle_memory(bench):
    size = bench.median('idle x5000', OURS, 'process_bytes_per_tunnel')
    return size and (f'{size / 1024:.1f} KB', size <= 10 * 1024)


@target('20,000 idle tunnels, or as many as there may be descriptors', 'none lost, < 2 % of a core')
def idle_many(bench):
    which = 'hold' if bench.median('hold', OURS, 'tunnels') else 'idle x20000'
    held, lost, used = (bench.median(which, OURS, figure) for figure in
                        ('tunnels', 'lost', 'idle_cpu_percent'))
    return held and (f'{held:.0f} held, {lost:.0f} lost, {used:.2f} %', lost == 0 and used < 2)


def handshakes(goal):
    def judge(bench):
        ours, nginx = (bench.median(f'handshakes {goal}', server, 'per_cpu_s')
                       for server in (OURS, 'nginx'))
        return ours and nginx and (f'{ours:.0f} and {nginx:.0f}', ours >= nginx)
    return judge


for kind in ('full', 'resumed'):
    target(f'handshakes for each second of a core, ECDSA, {kind}', "≥ nginx's")(handshakes(kind))


def storm(which):
    def judge(bench):
        times, peak, silent, unserved = (
            bench.median(f'sign-in storm {which}', OURS, figure) for figure in
            ('live_p99_times_quiet', 'memory_peak_bytes', 'no_answer', 'lost'))
        return times and (f'{times:.1f} times, at most {peak / 1e6:.0f} MB, {silent:.0f} without '
                          f'an answer', times <= 2 and not silent and not unserved)
    return judge


for place in ('from one address', 'from many'):
    target(f'live tunnels in a sign-in storm {place}, p99', '≤ 2 times quiet, all answered')(
        storm(place))


@target('1,000 RDP-shaped sessions, added latency, p99', '< 2 ms')
def sessions(bench):
    added, late, each = (bench.median('mix x1000', OURS, figure) for figure in
                         ('added_p99_us', 'load_late_p99_us', 'sessions_per_core'))
    return added and (f'{added / 1e3:.2f} ms, {each:.0f} sessions a core (the load itself was '
                      f'{late / 1e3:.2f} ms late)', added < 2000)


@target('50 ms there and back, throughput', '≥ 95 % of direct')
def far(bench):
    found = {way: bench.median(f'50 ms {way}', OURS, 'share_of_direct') for way in ('up', 'down')}
    if not all(found.values()):
        return None
    return (', '.join(f'{way} {100 * share:.0f} %' for way, share in found.items()),
            min(found.values()) >= 0.95)


@target('age of what arrives over a narrow line, median', "≤ half of haproxy's")
def narrow(bench):
    ours, haproxy, direct = (bench.median('narrow line', server, 'age_p50_ms')
                             for server in (OURS, 'haproxy', 'direct'))
    return ours and haproxy and (f'{ours:.0f} ms; haproxy {haproxy:.0f}, direct {direct:.0f}',
                                 ours <= haproxy / 2)

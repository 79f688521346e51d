"""Bulk: what a gigabyte costs, by the raw tunnel and by each way in, beside the peers and the floor.

The floor is what our relay takes without TLS and framing, and what TLS's cipher takes by itself,
both measured in the same round: a gateway that is made like this one cannot go below. A way in that
speaks TLS with the desktop, too, has the cipher in its floor twice.
"""
import time

from bench_deskgate import Deskgate
from bench_kit import case, figure, say
from bench_servers import Haproxy, NginxStream, NginxWebsockify, PlainRelay, Websockify

figure('cpu_s_per_gb', 'CPU s/GB', form='{:.3f}', ratio=True, watched=True)
figure('floor_share', 'share of the floor', form='{:.0f} %', scale=100)
figure('gb_per_s', 'GB/s', form='{:.2f}')
figure('load_cpu_s_per_gb', "the load's CPU s/GB", form='{:.3f}')

PEERS = (Haproxy, NginxStream, Websockify, NginxWebsockify)
DESKTOP = {'up': 'sink', 'down': 'source'}
COUNTS = (1, 8, 64)


def measure(bench, server, direction, count, framing=None, desktop=None):
    """One server's turn: figures. Handshakes and dialling are over when it begins."""
    size = bench.options.megabytes * 1_000_000 // count
    desktop = desktop or DESKTOP[direction]
    place, secrets = server.place(desktop, framing), server.secrets(desktop, count, framing)
    before = []
    bench.forget_taken()
    told = bench.load('bulk', place, direction, size, count, secrets=secrets,
                      ready=lambda: before.extend((server.cpu(), bench.desktops_cpu())))
    time.sleep(0.2)  # what ends with the connections counts, too
    gigabytes = told['bytes'] / 1e9
    figures = {'cpu_s_per_gb': (server.cpu() - before[0]) / gigabytes,
               'gb_per_s': gigabytes / told['seconds'],
               'load_cpu_s_per_gb':
                   (told['own_cpu'] + bench.desktops_cpu() - before[1]) / gigabytes}
    if direction == 'up':
        check_taken(bench, server, told['bytes'], bench.bytes_taken(desktop, count))
    return figures


def check_taken(bench, server, sent, taken):
    """A peer may forget the last message of a client that closes; ours may not."""
    if taken == sent:
        return
    if isinstance(server, Deskgate) or taken < 0.95 * sent:
        raise RuntimeError(f'{server.name}: {sent} bytes were sent, {taken} arrived at the desktop')
    bench.note(f'{server.name} does not deliver the last bytes of a client that closes')


def cipher(bench):
    """(what decrypting takes, what encrypting takes), s/GB of one core."""
    told = bench.load('cipher', max(bench.options.megabytes // 2, 50))
    return told['decrypt'], told['encrypt']


def bulk(bench, title, directions, servers, ours, times=1):
    """Rounds of all: `servers` has (server, how measure() is told) in turn, `times` says how many
    ciphers are between client and desktop, for ours."""
    relay = bench.server(PlainRelay)
    for at in range(bench.rounds):
        for direction, count in directions:
            which = f'{title} {direction} x{count}'
            for server, how in servers(direction):
                say(f'round {at + 1}: {which}, {server.name}')
                bench.record(which, server.name, **measure(bench, server, direction, count, **how))
            say(f'round {at + 1}: {which}, the floor')
            plain = measure(bench, relay, direction, count)
            bench.record(which, relay.name, **plain)
            decrypt, encrypt = cipher(bench)
            own = decrypt + encrypt if times == 2 else decrypt if direction == 'up' else encrypt
            bench.record(which, 'the cipher', cpu_s_per_gb=own)
            floor = plain['cpu_s_per_gb'] + own
            bench.record(which, 'the floor', cpu_s_per_gb=floor)
            taken = bench.figures[which][ours.name]['cpu_s_per_gb'][-1]
            bench.record(which, ours.name, floor_share=floor / taken)


def raw(bench, count):
    ours = bench.server(Deskgate)
    all_of_them = [(server, {}) for server in [ours, *bench.all_servers(PEERS)]]
    bulk(bench, 'bulk', [('up', count), ('down', count)], lambda _: all_of_them, ours)


def way(bench, title, framing, prefix, times, count):
    """A way in of deskgate's own; no peer has it."""
    ours = bench.server(Deskgate)
    bulk(bench, title, [('up', count), ('down', count)],
         lambda direction: [(ours, {'framing': framing, 'desktop': prefix + DESKTOP[direction]})],
         ours, times)


for number in COUNTS:
    case(f'bulk-{number}', f'a gigabyte up and down by the raw tunnel, over {number} at once')(
        lambda bench, number=number: raw(bench, number))
for number in COUNTS:
    case(f'rdg-{number}', f'a gigabyte as RD Gateway client (WebSocket), over {number} at once')(
        lambda bench, number=number: way(bench, 'RD Gateway', 'rdg', '', 1, number))
for number in COUNTS:
    case(f'cleanpath-{number}', f'a gigabyte as the browser (RDCleanPath), over {number} at once')(
        lambda bench, number=number: way(bench, 'RDCleanPath', 'cleanpath', 'rdp-', 2, number))

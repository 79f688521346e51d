"""Bulk: what a gigabyte costs, by the raw tunnel."""
import time

from bench_deskgate import Deskgate
from bench_kit import case, say
from bench_servers import Haproxy, NginxStream, NginxWebsockify, Websockify

SERVERS = (Deskgate, Haproxy, NginxStream, Websockify, NginxWebsockify)
DESKTOP = {'up': 'sink', 'down': 'source'}


def measure(bench, server, direction, count, framing=None, desktop=None):
    """One server's turn: figures."""
    size = bench.options.megabytes * 1_000_000 // count
    desktop = desktop or DESKTOP[direction]
    place, secrets = server.place(desktop, framing), server.secrets(desktop, count, framing)
    before = server.cpu()
    told = bench.load('bulk', place, direction, size, count, secrets=secrets)
    time.sleep(0.2)  # what ends with the connections counts, too
    gigabytes = told['bytes'] / 1e9
    return {'cpu_s_per_gb': (server.cpu() - before) / gigabytes,
            'gb_per_s': gigabytes / told['seconds'],
            'load_cpu_s_per_gb': told['own_cpu'] / gigabytes}


def bulk(bench, count):
    for at in range(bench.rounds):
        for direction in ('up', 'down'):
            for server in bench.all_servers(SERVERS):
                say(f'round {at + 1}: bulk {direction} x{count}, {server.name}')
                bench.record(f'bulk {direction} x{count}', server.name,
                             **measure(bench, server, direction, count))


for number in (1, 8, 64):
    case(f'bulk-{number}', f'a raw tunnel\'s gigabyte up and down, over {number} at once')(
        lambda bench, number=number: bulk(bench, number))

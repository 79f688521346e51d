"""Echo: how long 100 bytes take there and back, alone and beside a bulk tunnel through the same
server. 'over direct' is what the server adds: its quantile less that of the way without a server.
"""
from bench_bulk import PEERS
from bench_deskgate import Deskgate
from bench_kit import case, figure, say
from bench_servers import Direct

for quantile, words in (('p50', 'p50'), ('p99', 'p99'), ('p999', 'p99.9')):
    figure(f'{quantile}_s', f'{words} µs', form='{:.0f}', scale=1e6)
    figure(f'over_direct_{quantile}_s', f'{words} over direct µs', form='{:.0f}', scale=1e6)
figure('samples', 'samples', form='{:.0f}')

SIZE = 100
COMPANY = {'alone': None, 'beside bulk up': ('up', 'sink'), 'beside bulk down': ('down', 'source')}


def measure(bench, server, company):
    """Quantiles of one server's turn."""
    count, seconds = (2000, 5) if bench.quick else (20_000, 60) if not company else (20_000, 10)
    words = ('echo', server.place('echo'), count, SIZE, seconds)
    if not company:
        told = bench.load(*words, secrets=server.secrets('echo'))
    else:
        direction, desktop = company
        with bench.company('bulk', server.place(desktop), direction, 0, 1,
                           secrets=server.secrets(desktop)):
            told = bench.load(*words, secrets=server.secrets('echo'))
    return {**{f'{name}_s': told[name] for name in ('p50', 'p99', 'p999')},
            'samples': told['samples']}


def echo(bench, name):
    """The way without a server is measured in each round, too."""
    direct = bench.server(Direct)
    which = f'echo {name}'
    servers = [bench.server(Deskgate), *bench.all_servers(PEERS)]
    for at in range(bench.rounds):
        say(f'round {at + 1}: {which}, direct')
        least = measure(bench, direct, COMPANY[name])
        bench.record(which, direct.name, **least)
        for server in servers:
            say(f'round {at + 1}: {which}, {server.name}')
            mine = measure(bench, server, COMPANY[name])
            over = {f'over_direct_{key}': mine[key] - least[key] for key in least if key != 'samples'}
            bench.record(which, server.name, **mine, **over)


for company_name in COMPANY:
    case(f'echo-{company_name.replace("beside bulk ", "")}',
         f'{SIZE} bytes there and back, {company_name}')(
             lambda bench, name=company_name: echo(bench, name))

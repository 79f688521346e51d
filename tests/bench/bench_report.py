"""What a run says at its end: tables, the file of figures, and the comparison with one of before."""
import datetime
import json
import os
import pathlib
import platform
import sys

from bench_kit import FIGURES, TARGETS, Figure, median

OURS = 'deskgate'
WORSE = 1.10
PLAIN = Figure('')


def show(figures):
    """A table for each set of figures; the cases in their order."""
    last = None
    for which, servers in figures.items():
        names = list(dict.fromkeys(name for mine in servers.values() for name in mine))
        if names != last:
            heads = [FIGURES.get(name, PLAIN).title or name for name in names]
            heads += [f'{FIGURES[name].title} ÷ deskgate' for name in names
                      if FIGURES.get(name, PLAIN).ratio]
            print(f'\n| case | server | {" | ".join(heads)} |')
            print('|---' * (len(heads) + 2) + '|')
            last = names
        for server, mine in servers.items():
            print(f'| {which} | {server} | {" | ".join(cells(servers, mine, names))} |')


def cells(servers, mine, names):
    made = []
    for name in names:
        value, how = median(mine.get(name, [])), FIGURES.get(name, PLAIN)
        made.append('–' if value is None else how.form.format(value * how.scale))
    for name in names:
        if FIGURES.get(name, PLAIN).ratio:
            ours, value = median(servers.get(OURS, {}).get(name, [])), median(mine.get(name, []))
            made.append(f'{value / ours:.2f}' if ours and value is not None else '–')
    return made


def show_targets(bench):
    """The list of what must be reached. How many were measured and are not."""
    print('\n| measure | to reach | measured | |')
    print('|---|---|---|---|')
    failed = 0
    for measure, to_reach, function in TARGETS:
        found = function(bench)
        words, reached = found or ('not measured in this run', None)
        failed += reached is False
        verdict = {None: '', True: 'reached', False: 'NOT REACHED'}[reached]
        print(f'| {measure} | {to_reach} | {words} | {verdict} |')
    return failed


def machine():
    model = 'unknown'
    for line in pathlib.Path('/proc/cpuinfo').read_text(encoding='utf8').splitlines():
        if line.startswith('model name'):
            model = line.split(':', 1)[1].strip()
            break
    return {'processor': model, 'cores': len(os.sched_getaffinity(0)),
            'kernel': platform.release(), 'memory_bytes': os.sysconf('SC_PAGE_SIZE') *
            os.sysconf('SC_PHYS_PAGES')}


def document(bench):
    return {
        'about': 'scripts/bench: cases -> case -> server -> figure -> median and values',
        'format': 1,
        'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
        'command': ' '.join(['scripts/bench', *sys.argv[1:]]),
        'machine': machine(),
        'rounds': bench.rounds,
        'megabytes': bench.options.megabytes,
        'network': os.environ.get('DESKGATE_BENCH_NETWORK', 'shared'),
        'notes': bench.notes,
        'cases': {which: {server: {figure: {'median': median(values), 'values': values}
                                   for figure, values in mine.items()}
                          for server, mine in servers.items()}
                  for which, servers in bench.figures.items()},
    }


def save(bench, file):
    pathlib.Path(file).write_text(json.dumps(document(bench), indent=1, ensure_ascii=False) + '\n',
                                  encoding='utf8')


def compare(bench, file):
    """What of ours takes more than in a file of before. How many figures got worse."""
    worse = compared = 0
    before = json.loads(pathlib.Path(file).read_text(encoding='utf8'))
    print(f'\nagainst {file} of {before["date"]}:')
    for which, servers in before['cases'].items():
        for figure, told in servers.get(OURS, {}).items():
            now = bench.median(which, OURS, figure)
            if not FIGURES.get(figure, PLAIN).watched or not told['median'] or now is None:
                continue
            compared += 1
            ratio = now / told['median']
            worse += ratio > WORSE
            print(f'  {which}, {figure}: {now:.4g}, {ratio:.2f} of before'
                  f'{"  WORSE" if ratio > WORSE else ""}')
    print(f'  {compared} figures compared, {worse} more than 10 % worse')
    return worse

"""What a run says at its end: tables, the file of figures, and the comparison with one of before."""
import datetime
import json
import os
import pathlib
import platform
import sys

from bench_kit import median

OURS = 'deskgate'
WORSE = 1.10
# figure -> (title, format, True when more is better or None when it is not compared, times …)
FIGURES = {
    'cpu_s_per_gb': ('CPU s/GB', '{:.3f}'),
    'gb_per_s': ('GB/s', '{:.2f}'),
    'load_cpu_s_per_gb': ("the load's CPU s/GB", '{:.3f}'),
}
RATIOS = {'cpu_s_per_gb'}    # shown as times deskgate, too
WATCHED = {'cpu_s_per_gb'}   # less is better, and --compare looks at them


def show(figures):
    """A table for each set of figures; the cases in their order."""
    last = None
    for which, servers in figures.items():
        names = list(dict.fromkeys(name for mine in servers.values() for name in mine))
        if names != last:
            heads = [FIGURES.get(name, (name, '{:.4g}'))[0] for name in names]
            heads += [f'{FIGURES[name][0]}: times deskgate' for name in names if name in RATIOS]
            print(f'\n| case | server | {" | ".join(heads)} |')
            print('|---' * (len(heads) + 2) + '|')
            last = names
        for server, mine in servers.items():
            print(f'| {which} | {server} | {" | ".join(cells(servers, mine, names))} |')


def cells(servers, mine, names):
    made = []
    for name in names:
        value = median(mine.get(name, []))
        made.append('–' if value is None else FIGURES.get(name, (name, '{:.4g}'))[1].format(value))
    for name in names:
        if name in RATIOS:
            ours, value = median(servers.get(OURS, {}).get(name, [])), median(mine.get(name, []))
            made.append(f'{value / ours:.2f}' if ours and value is not None else '–')
    return made


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
            if figure not in WATCHED or not told['median'] or now is None:
                continue
            compared += 1
            ratio = now / told['median']
            worse += ratio > WORSE
            print(f'  {which}, {figure}: {now:.4g}, {ratio:.2f} of before'
                  f'{"  WORSE" if ratio > WORSE else ""}')
    print(f'  {compared} figures compared, {worse} more than 10 % worse')
    return worse

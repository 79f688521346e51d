"""What each fuzz target has been given so far: tests/fuzz/account.tsv, one row for each target and
each state of the code that it looks at. A finding ends a row: what counts afterwards is what was
fuzzed since."""
import csv
import hashlib
import os
import pathlib
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ACCOUNT = ROOT / 'tests/fuzz/account.tsv'
COLUMNS = ['target', 'code', 'cpu_seconds', 'executions', 'edges', 'corpus', 'findings', 'date']

# What strangers reach first comes first; targets that are not named here follow.
ORDER = ['ws', 'http_guard', 'proxy2', 'tsgu', 'tsgu_talk', 'cleanpath', 'x224', 'direct', 'json_body',
         'route', 'rdg_proof', 'ntlm', 'gate', 'text', 'asked', 'keeper_link', 'forwarded',
         'admin_pack']

# The files below server/ that a target looks at, where that is not the one with its own name.
FILES = {
    'asked': ['keeper/', 'ipc/ipc.c'],
    'client_json': ['client/client_json.c'],
    'conf': ['base/conf'],
    'direct': ['relay/stream_direct.c'],
    'fields': ['base/addr.c', 'admin/field.c', 'admin/rdp_field.c', 'admin/when.c', 'keeper/hours.c',
               'keeper/wake.c'],
    'gate': ['gate/'],
    'people_csv': ['admin/people_csv.c', 'admin/csv_cell.c'],
    'rdpfile': ['codec/rdpfile.c', 'codec/rdpfile_setting.c', 'codec/rdpfile_sign.c'],
    'route': ['gate/route.c', 'gate/asset.c'],
    'tsgu_talk': ['gate/tsgu_steps.c', 'codec/tsgu.c'],
}


def all_targets():
    """Their names, in the order in which they are fuzzed."""
    names = {path.stem.removeprefix('fuzz_') for path in (ROOT / 'tests/fuzz').glob('fuzz_*.c')}
    return sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def looked_at(target, name):
    """Whether the target looks at this file, a path below server/."""
    return any(want in f'/{name}' for want in FILES.get(target, [f'/{target}.c']))


def code_of(target):
    """Eight digits that change when the target or the files that it looks at do."""
    server = ROOT / 'server'
    files = [path for path in sorted(server.glob('**/*.c'))
             if looked_at(target, path.relative_to(server).as_posix())]
    digest = hashlib.sha256()
    for path in [ROOT / f'tests/fuzz/fuzz_{target}.c', *files]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def rows():
    """Of all targets, the oldest first; numbers are numbers."""
    if not ACCOUNT.exists():
        return []
    with ACCOUNT.open(newline='') as file:
        found = list(csv.DictReader(file, delimiter='\t'))
    for row in found:
        row['cpu_seconds'] = float(row['cpu_seconds'])
        for name in ('executions', 'edges', 'corpus', 'findings'):
            row[name] = int(row[name])
    return found


def add(target, code, cpu_seconds, executions, edges, corpus, findings):
    """Puts a slice into the account."""
    all_rows = rows()
    last = next((row for row in reversed(all_rows) if row['target'] == target), None)
    if not last or last['code'] != code or last['findings']:
        last = {'target': target, 'code': code, 'cpu_seconds': 0, 'executions': 0, 'edges': 0,
                'corpus': 0, 'findings': 0}
        all_rows.append(last)
    last['cpu_seconds'] += cpu_seconds
    last['executions'] += executions
    last['edges'] = max(last['edges'], edges)
    last.update(corpus=corpus, findings=findings, date=time.strftime('%Y-%m-%d', time.gmtime()))
    draft = ACCOUNT.with_suffix('.new')
    with draft.open('w', newline='') as file:
        out = csv.DictWriter(file, COLUMNS, delimiter='\t', lineterminator='\n')
        out.writeheader()
        for row in sorted(all_rows, key=lambda row: row['target']):  # stable: the oldest first
            out.writerow({**row, 'cpu_seconds': f'{row["cpu_seconds"]:.1f}'})
    os.replace(draft, ACCOUNT)


def without_finding(target, all_rows=None):
    """The rows since the target's last finding, so what counts."""
    mine = [row for row in (rows() if all_rows is None else all_rows) if row['target'] == target]
    bad = [index for index, row in enumerate(mine) if row['findings']]
    return mine[bad[-1] + 1:] if bad else mine


def seconds(target):
    """CPU seconds since the target's last finding."""
    return sum(row['cpu_seconds'] for row in without_finding(target))


def show():
    """Prints the account."""
    all_rows, minutes, executions = rows(), 0, 0
    print('target          CPU min  on this code     executed  per CPU s   edges  corpus  found  last')
    for target in all_targets():
        good = without_finding(target, all_rows)
        mine = [row for row in all_rows if row['target'] == target]
        code = code_of(target)
        cpu = sum(row['cpu_seconds'] for row in good)
        here = sum(row['cpu_seconds'] for row in good if row['code'] == code)
        executed = sum(row['executions'] for row in good)
        last = mine[-1] if mine else {'edges': 0, 'corpus': 0, 'date': 'never'}
        print(f'{target:<14} {cpu / 60:>8.1f} {here / 60:>13.1f} {executed:>12} '
              f'{executed / cpu if cpu else 0:>10.0f} {last["edges"]:>7} {last["corpus"]:>7} '
              f'{sum(row["findings"] for row in mine):>6}  {last["date"]}')
        minutes, executions = minutes + cpu / 60, executions + executed
    print(f'{"all":<14} {minutes:>8.1f} {"":>13} {executions:>12}')
    print('CPU minutes and executions are those since the last finding of each target.')

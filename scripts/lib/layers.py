#!/usr/bin/env python3
"""layers.py HOUSE.md FILE…: which of the files include what the table of rooms does not allow them,
one a line; ends with 1 when there is any. In the table, "keeper (`a.h`, `b.h` only)" allows two
headers of a room, "all" everything. Files of other folders than the table's are not looked at."""
import os
import pathlib
import re
import sys

GENERATED = {'sql.h': '../db/', 'web.h': '../web/'}  # during the build
ROW = re.compile(r'^\| `([^`]+)` \|.*\| ([^|]+) \|$')
ALLOWED = re.compile(r'(\w+)(?: \(([^)]*) only\))?(?:, |$)')
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def read_table(house):
    """Room → {allowed room: headers, or None for all of them}; None for everything."""
    table = {}
    for line in pathlib.Path(house).read_text().split('## Rooms', 1)[1].splitlines():
        if line.startswith('## '):
            break
        row = ROW.match(line)
        if row:
            table[row[1]] = allowed_by(row[2])
    for room, allowed in table.items():
        for name in allowed or ():
            if not {f'{name}/', f'../{name}/'} & set(table):
                sys.exit(f'{house}: {room} may include {name}, and there is no such room')
    return table


def allowed_by(words):
    if words == 'all':
        return None
    allowed, at = {}, 0
    while words != '–' and at < len(words):
        part = ALLOWED.match(words, at)
        if not part:
            sys.exit(f'the table of rooms: {words[at:]!r} is not understood')
        allowed[part[1]] = set(re.findall(r'`([^`]+)`', part[2])) if part[2] else None
        at = part.end()
    return allowed


def room_of(path, house, table):
    below = os.path.relpath(path, os.path.dirname(house))
    folder = os.path.dirname(below) + '/'
    return next((room for room in (below, folder) if room in table), None)


def may(room, there, name, table):
    allowed = table[room]
    if allowed is None or there == room:
        return True
    headers = allowed.get(there.strip('./'), ())
    return headers is None or name in headers


house, files = sys.argv[1], sys.argv[2:]
table = read_table(house)
rooms = {path: room_of(path, house, table) for path in files}
where = GENERATED | {os.path.basename(path): room for path, room in rooms.items() if room}
bad = looked_at = 0
for path, room in rooms.items():
    if not room:
        continue
    looked_at += 1
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        name = INCLUDE.match(line)
        if name and not (name[1] in where and may(room, where[name[1]], name[1], table)):
            print(f'{path}:{number}: {room} may not include {name[1]}, which is in '
                  f'{where.get(name[1], "no room")}')
            bad = 1
if not looked_at:
    sys.exit(f'{house}: none of the files is in a room')
sys.exit(bad)

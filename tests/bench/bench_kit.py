"""What every case of the benchmark uses: the table of cases, the run, and the load."""
import contextlib
import json
import pathlib
import queue
import subprocess
import sys
import threading
import time
import typing

import bench_cpu
import bench_servers

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOAD = ROOT / 'build/tests/bench/deskgate-load'
TIMEOUT = 900  # seconds: the most that one measurement may take

CASES = {}    # name -> (about, function), in the order in which the modules are imported
FIGURES = {}  # name -> Figure
TARGETS = []  # (measure, to reach, function), in the order of the list at the end


class Figure(typing.NamedTuple):
    """How a figure is shown. All but those that are `watched` only tell; of these less is better,
    and --compare looks at ours."""
    title: str
    form: str = '{:.3g}'
    scale: float = 1
    ratio: bool = False  # shown as times deskgate, too
    watched: bool = False


def figure(name, title, *rest, **how):
    FIGURES[name] = Figure(title, *rest, **how)


def case(name, about):
    """Registers a case. It is called with the Bench, runs its rounds, and records figures."""
    def register(function):
        CASES[name] = (about, function)
        return function
    return register


def target(measure, to_reach):
    """Registers a line of the list of what must be reached. The function gets the Bench and returns
    what was measured, in words, and whether it is reached; None when this run did not measure it."""
    def register(function):
        TARGETS.append((measure, to_reach, function))
        return function
    return register


def say(text):
    print(text, file=sys.stderr, flush=True)


def median(values):
    """None of none."""
    values = sorted(value for value in values if value is not None)
    half = len(values) // 2
    if not values:
        return None
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


class Bench:
    """One run: its options, its servers and desktops (started when first asked for), its figures."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.rounds, self.quick = options.rounds, options.quick
        self.figures = {}  # {case: {server: {figure: [a value for each round]}}}
        self.notes = []    # what could not be measured, and why; printed below the tables
        self.failed = []   # names of cases
        self.desktops, self.servers = {}, {}
        self.desktop_processes = []
        self.taken = queue.Queue()  # (kind of desktop, bytes of a connection that has ended)
        self.started = contextlib.ExitStack()

    def close(self):
        self.started.close()

    # ---- figures ----

    def record(self, which, server, **figures):
        """A round's figures of a server in a case."""
        mine = self.figures.setdefault(which, {}).setdefault(server, {})
        for figure, value in figures.items():
            mine.setdefault(figure, []).append(value)

    def median(self, which, server, figure):
        """None when it was not measured."""
        return median(self.figures.get(which, {}).get(server, {}).get(figure, []))

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)
            say(f'bench: {text}')

    def show_logs(self):
        """The last words of each server."""
        for log in sorted(self.folder.glob('*.log')):
            lines = log.read_text(encoding='utf8', errors='replace').splitlines()[-8:]
            say('\n'.join([f'--- {log.stem}', *lines]))

    # ---- servers and desktops ----

    def desktop(self, kind):
        """The port of a desktop of deskgate-load: echo, sink, source, …"""
        if kind not in self.desktops:
            more = [self.folder / 'cert.pem', self.folder / 'key.pem'] if kind.startswith('rdp-') else []
            process = self.spawn([LOAD, 'desktop', kind, *more], stdout=subprocess.PIPE)
            line = process.stdout.readline()
            if not line.strip():
                raise RuntimeError(f'no desktop {kind}')
            self.desktops[kind] = int(line)
            self.desktop_processes.append(process.pid)
            threading.Thread(target=self.listen_to, args=[kind, process.stdout], daemon=True).start()
        return self.desktops[kind]

    def listen_to(self, kind, told):
        for line in told:
            self.taken.put((kind, json.loads(line)['taken']))

    def forget_taken(self):
        while not self.taken.empty():
            self.taken.get()

    def bytes_taken(self, kind, connections):
        """What a sink has got since forget_taken(), once so many connections to it have ended."""
        have, until = 0, time.monotonic() + 20
        while connections and time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                whose, more = self.taken.get(timeout=1)
                if whose == kind and more:
                    have += more
                    connections -= 1
        return have

    def desktops_cpu(self):
        """Processor seconds of all desktops so far: the load's other end."""
        return bench_cpu.cpu_seconds(self.desktop_processes)

    def server(self, kind, **options):
        """The running server of a class of bench_servers; None, with a note, when it cannot run.

        One for each set of options, which its constructor gets.
        """
        key = (kind, tuple(sorted(options.items())))
        if key not in self.servers:
            missing = kind.missing()
            if missing:
                self.note(f'without {kind.name}: {missing}')
                self.servers[key] = None
                return None
            server = kind(self, **options)
            self.started.callback(server.stop)
            server.start()
            self.servers[key] = server
        return self.servers[key]

    def all_servers(self, kinds):
        return [server for server in map(self.server, kinds) if server]

    # ---- the load ----

    def spawn(self, command, **options):
        """A process that ends with the run at the latest."""
        process = bench_servers.begin(command, text=True, **options)
        self.started.callback(bench_servers.end, process)
        return process

    def load(self, *words, secrets=None, ready=None):
        """Runs a verb of deskgate-load to its end: what it told. `ready` is called when a verb that
        waits has everything open, before it begins."""
        process = self.spawn([LOAD, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        late = threading.Timer(TIMEOUT, bench_servers.end, [process])
        late.start()
        try:
            process.stdin.write(secrets or '')
            process.stdin.flush()
            if ready and process.stdout.readline():
                ready()
            out, errors = process.communicate('go\n' if ready else None)
        except BrokenPipeError:
            out, errors = process.communicate()
        finally:
            late.cancel()
            bench_servers.end(process)
        if process.returncode != 0:
            raise RuntimeError(f'deskgate-load {" ".join(map(str, words))}: {errors.strip()}')
        return json.loads(out.strip().splitlines()[-1])

    @contextlib.contextmanager
    def company(self, *words, secrets=None):
        """A verb that runs until the block ends; it has said that it is running when it begins."""
        process = self.spawn([LOAD, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            process.stdin.write(secrets or '')
            process.stdin.close()
            if 'running' not in process.stdout.readline():
                raise RuntimeError(f'deskgate-load {" ".join(map(str, words))} did not begin')
            yield process
            if process.poll() is not None:
                raise RuntimeError(f'deskgate-load {" ".join(map(str, words))} ended early')
        finally:
            bench_servers.end(process)
            time.sleep(0.2)  # what is left of it at the server

"""The command line of the benchmark. Another module of cases is another line in MODULES."""
import argparse
import importlib
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile

import bench_kit
import bench_report

# Their order is that of the cases.
MODULES = ('bench_bulk', 'bench_echo', 'bench_idle', 'bench_churn', 'bench_signin', 'bench_mix',
           'bench_far', 'bench_targets', 'bench_life_targets')


def arguments(about):
    parser = argparse.ArgumentParser(prog='scripts/bench', description=about,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cases', nargs='*', metavar='CASE', help='all when none is named')
    parser.add_argument('--list', action='store_true', help='say which cases there are')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--megabytes', type=int, default=1000, help='of each bulk measurement')
    parser.add_argument('--quick', action='store_true',
                        help='small sizes, one round: whether it works, not how fast')
    parser.add_argument('--idle-seconds', type=int, default=60, help='that idle tunnels are watched')
    parser.add_argument('--binary', type=pathlib.Path,
                        default=bench_kit.ROOT / 'build/server/deskgate', help='another deskgate')
    parser.add_argument('--save', metavar='FILE')
    parser.add_argument('--compare', metavar='FILE')
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.megabytes = 1, min(options.megabytes, 100)
    unknown = [name for name in options.cases if name not in bench_kit.CASES]
    if unknown:
        parser.error(f'there is no case {", ".join(unknown)}; try --list')
    return options


def own_network():
    """Runs all of this anew in a network namespace of its own, unless it is in one or cannot."""
    if os.environ.get('DESKGATE_BENCH_NETWORK'):
        return
    ready = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
    if os.getuid() == 0 and subprocess.run([*ready, 'true'], capture_output=True,
                                           check=False).returncode == 0:
        os.environ['DESKGATE_BENCH_NETWORK'] = 'own'
        os.execvp(ready[0], [*ready, sys.executable, *sys.argv])
    os.environ['DESKGATE_BENCH_NETWORK'] = 'shared'


def certificate(folder):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
                    '-addext', 'subjectAltName=DNS:localhost', '-keyout', str(folder / 'key.pem'),
                    '-out', str(folder / 'cert.pem')], check=True, capture_output=True)
    (folder / 'both.pem').write_text((folder / 'cert.pem').read_text() +
                                     (folder / 'key.pem').read_text())


def prepare():
    """What is missing of the peers is said later, by each of them."""
    install = bench_kit.ROOT / 'scripts/lib/install'
    if subprocess.run([install, 'build'], check=False).returncode != 0:
        sys.exit('bench: what is needed to build is missing')
    subprocess.run([install, 'bench'], check=False)
    subprocess.run(['bash', '-c', '. scripts/lib/build && build build all -Dtests=true'],
                   cwd=bench_kit.ROOT, check=True)


def run(bench):
    for name, (_, function) in bench_kit.CASES.items():
        if not bench.options.cases or name in bench.options.cases:
            try:
                function(bench)
            except (OSError, RuntimeError, ValueError, KeyError) as error:
                bench.failed.append(name)
                bench.note(f'{name} FAILED: {type(error).__name__}: {error}')
                bench.show_logs()


def report(bench):
    bench_report.show(bench.figures)
    bench_report.show_targets(bench)
    for note in bench.notes:
        print(f'note: {note}')
    if bench.options.save:
        bench_report.save(bench, bench.options.save)
    worse = bool(bench.options.compare and bench_report.compare(bench, bench.options.compare))
    return 1 if worse or bench.failed else 0


def main(about):
    for module in MODULES:
        importlib.import_module(module)
    options = arguments(about)
    if options.list:
        for name, (words, _) in bench_kit.CASES.items():
            print(f'{name:16} {words}')
        return 0
    if not os.environ.get('DESKGATE_BENCH_NETWORK'):
        prepare()  # which needs the network that is there
    own_network()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # of descriptors, for all that it starts
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix='deskgate-bench-') as name:
        folder = pathlib.Path(name)
        folder.chmod(0o711)
        certificate(folder)
        bench = bench_kit.Bench(options, folder)
        if os.environ['DESKGATE_BENCH_NETWORK'] == 'shared':
            bench.note('no network namespace of its own (that takes root): on the shared loopback')
        try:
            run(bench)
        except KeyboardInterrupt:
            bench_kit.say('bench: interrupted')
            return 130
        finally:
            for what in (signal.SIGINT, signal.SIGTERM):
                signal.signal(what, signal.SIG_IGN)  # a second one must not leave servers behind
            bench.close()
        return report(bench)

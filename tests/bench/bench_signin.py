"""Sign-ins: how many a second, and what a storm of them does to tunnels that are alive."""
import concurrent.futures
import random
import time

import bench_cpu
import bench_life
from bench_deskgate import PASSWORD, STEP, Deskgate, code_at
from bench_kit import case, figure, say

PEOPLE_RATE = 100   # for sign-ins one after the other
PEOPLE_STORM = 170  # for each storm: three codes each are good at a time
OFFERED = 50        # sign-ins a second
STORM_SECONDS = 20
LIVE = 20           # tunnels with an echo
INTERVAL_US = 50000

for which_name in ('live', 'quiet'):
    for part_name, part_title in (('p50', 'p50'), ('p99', 'p99'), ('p999', 'p99.9')):
        figure(f'{which_name}_{part_name}_us', f'{which_name} {part_title} µs', form='{:.0f}')
figure('live_p99_times_quiet', 'p99 ÷ quiet', form='{:.2f}')
figure('load_late_p99_us', 'the load late, p99 µs', form='{:.0f}')
for status_name in ('200', '401', '429', '503'):
    figure(f'answers_{status_name}', status_name, form='{:.0f}')
figure('no_answer', 'no answer', form='{:.0f}')
figure('longest_answer_s', 'longest answer s', form='{:.2f}')
for when_name in ('before', 'peak', 'after'):
    figure(f'memory_{when_name}_bytes', f'MB {when_name}', form='{:.1f}', scale=1e-6)
for part_name in ('p50', 'p99'):
    figure(f'answer_{part_name}_ms', f'answer {part_name} ms', form='{:.0f}')

STORMS = {'from one address': 1, 'from many': 240}


def people(server, prefix, count):
    """[(name, secret)]"""
    names = [f'{prefix}{number}' for number in range(count)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(zip(names, pool.map(server.add_person, names)))


def right_tries(who):
    """[(name, password, code)]: three for each, whose codes are good now and for 20 s. Waits for the
    beginning of a step."""
    time.sleep(STEP - time.time() % STEP + 0.5)
    now = int(time.time()) // STEP
    return [(name, PASSWORD, code_at(secret, step)) for step in (now - 1, now, now + 1)
            for name, secret in who]


def write(bench, name, tries):
    """`tries`: (source, name, password, code)"""
    file = bench.folder / f'tries-{name}'
    file.write_text(''.join('\t'.join(map(str, one)) + '\n' for one in tries))
    return file


def sign_ins(bench):
    with bench_life.fresh(bench, Deskgate) as server:
        count = 10 if bench.quick else PEOPLE_RATE
        for at in range(bench.rounds):
            who = people(server, f'round{at}-', count)
            tries = right_tries(who)
            say(f'round {at + 1}: {len(tries)} sign-ins')
            file = write(bench, 'rate', [(0, *one) for one in tries])
            before = server.cpu()
            told = bench.load('sign-in', f'raw:{server.port}', file, 0, 8, 25, 0)
            used, done = server.cpu() - before, told['answers'].get('200', 0)
            if done < told['offered']:
                bench.note(f'sign-ins: {told["answers"]} of {told["offered"]}')
            bench.record('sign-ins in turn', server.name, per_s=done / told['seconds'],
                         per_cpu_s=done / used, answer_p50_ms=told['signed_in']['p50'] * 1e3,
                         answer_p99_ms=told['signed_in']['p99'] * 1e3)


def storm_tries(who, sources, count):
    """Half of them right; the others have a wrong password, of people and of nobody."""
    dice = random.Random(1)
    right = right_tries(who)[:count // 2]
    wrong = [(dice.choice(who)[0] if at % 2 else f'nobody{at}', 'not the password of anybody',
              '000000') for at in range(count - len(right))]
    both = [one for pair in zip(right, wrong) for one in pair]
    return [(at % sources, *one) for at, one in enumerate(both)]


def one_storm(bench, server, which, probe):
    seconds = 4 if bench.quick else STORM_SECONDS
    who = people(server, which.split()[-1], 20 if bench.quick else PEOPLE_STORM)
    quiet = probe.ask(seconds)
    file = write(bench, which.split()[-1],
                 storm_tries(who, STORMS[which], 40 if bench.quick else OFFERED * seconds))
    before, cpu = bench_cpu.memory_bytes(server.pids()), server.cpu()
    say(f'a storm of sign-ins {which}')
    verb = bench_life.Verb(bench, 'sign-in', f'raw:{server.port}', file, OFFERED, 0, seconds,
                           STORMS[which],
                           prefix=(*bench_life.apart()[0], *bench_life.standing_back()))
    stormy, told = probe.ask(seconds), verb.hear()
    peak = bench_cpu.resident_peak(server.pids())
    time.sleep(3)
    after = bench_cpu.memory_bytes(server.pids())
    answers = told['answers']
    bench_life.on_time(bench, f'a storm of sign-ins {which}', stormy['late']['p99'])
    bench.record(f'sign-in storm {which}', server.name, **{
        'live_p50_us': stormy['echo']['p50'] * 1e6, 'live_p99_us': stormy['echo']['p99'] * 1e6,
        'live_p999_us': stormy['echo']['p999'] * 1e6,
        'quiet_p50_us': quiet['echo']['p50'] * 1e6, 'quiet_p99_us': quiet['echo']['p99'] * 1e6,
        'quiet_p999_us': quiet['echo']['p999'] * 1e6,
        'live_p99_times_quiet': stormy['echo']['p99'] / quiet['echo']['p99'],
        'load_late_p99_us': stormy['late']['p99'] * 1e6,
        'lost': stormy['sent'] - stormy['back'],
        **{f'answers_{status}': answers.get(status, 0) for status in ('200', '401', '429', '503')},
        'no_answer': told['no_answer'] + told['failed'],
        'longest_answer_s': max(told['signed_in']['max'], told['refused']['max']),
        'cores_used': (server.cpu() - cpu) / told['seconds'],
        'memory_before_bytes': before, 'memory_peak_bytes': peak,
        'memory_after_bytes': after})


class Apart(Deskgate):
    """Not where the load runs."""

    prefix = bench_life.apart()[1]


def storm(bench):
    """A server of its own for each round: the places of an earlier storm are throttled in it."""
    bench_life.crowd_apart(bench)
    live = (*bench_life.apart()[0], *bench_life.precedence())
    for at in range(bench.rounds):
        say(f'round {at + 1}')
        with bench_life.packets_first(), \
                bench_life.fresh(bench, Apart, bench_life.APART) as server:
            with bench_life.Verb(bench, 'probe', 100, INTERVAL_US, server.place(bench_life.APART),
                                 LIVE, 8, 0, secrets=server.secrets(bench_life.APART),
                                 prefix=live) as probe:
                probe.hear()
                probe.ask(1)
                for which in STORMS:
                    one_storm(bench, server, which, probe)


case('signins', 'people who sign in with both factors, one after the other')(sign_ins)
case('storm', f'{OFFERED} sign-ins a second, half of them wrong, and what live tunnels feel')(storm)

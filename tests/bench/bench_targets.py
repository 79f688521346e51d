"""What must be reached, by the figures of bulk and echo. Ratios are of medians of one run."""
from bench_kit import target

RAW = [f'bulk {direction} x{count}' for count in (1, 8) for direction in ('up', 'down')]


def against(peer, most):
    """Ours ÷ the peer's, in every one of the cases."""
    def judge(bench):
        found = {}
        for which in RAW:
            ours, theirs = (bench.median(which, server, 'cpu_s_per_gb') for server in
                            ('deskgate', peer))
            if ours and theirs:
                found[which.removeprefix('bulk ')] = ours / theirs
        if not found:
            return None
        return (', '.join(f'{which} {ratio:.2f}' for which, ratio in found.items()),
                max(found.values()) <= most)
    return judge


for peer_name, limit in (('haproxy', 0.60), ('nginx stream', 0.65), ('websockify', 0.35)):
    target(f"CPU per GB, raw tunnel: share of {peer_name}'s",
           f'≤ {limit:.2f}')(against(peer_name, limit))

FLOOR = {'up': 0.85, 'down': 0.93}
SLACK = 1.15  # what framings and a second TLS may take more than the rule allows


def floor(title, slack):
    def judge(bench):
        found = {}
        for which in bench.figures:
            share = bench.median(which, 'deskgate', 'floor_share')
            words = which.removeprefix(title + ' ').split(' ')  # up x8
            if which.startswith(title) and len(words) == 2 and share and words[1] != 'x64':
                found[' '.join(words)] = (share, FLOOR[words[0]] / slack)
        if not found:
            return None
        return (', '.join(f'{which} {100 * share:.0f} %' for which, (share, _) in found.items()),
                all(share >= least for share, least in found.values()))
    return judge


for title_name, allowed in (('bulk', 1), ('RD Gateway', SLACK), ('RDCleanPath', SLACK)):
    target(f'share of the floor, {title_name.replace("bulk", "raw tunnel")}',
           f'≥ {100 * FLOOR["up"] / allowed:.0f} % up, ≥ {100 * FLOOR["down"] / allowed:.0f} % down')(
               floor(title_name, allowed))


@target('echo over direct, p50 and p99', "not above haproxy's")
def echo_over_direct(bench):
    found = [(quantile, *(bench.median('echo alone', server, f'over_direct_{quantile}_s')
                          for server in ('deskgate', 'haproxy'))) for quantile in ('p50', 'p99')]
    if any(value is None for one in found for value in one):
        return None
    return ('; '.join(f'{quantile}: {1e6 * ours:.0f} µs, haproxy {1e6 * theirs:.0f}'
                      for quantile, ours, theirs in found),
            all(ours <= theirs for _, ours, theirs in found))


@target('echo beside a bulk tunnel, p99', '≤ 2 times its quiet p99')
def fairness(bench):
    quiet = bench.median('echo alone', 'deskgate', 'p99_s')
    found = {name: bench.median(f'echo beside bulk {name}', 'deskgate', 'p99_s')
             for name in ('up', 'down')}
    if not quiet or not any(found.values()):
        return None
    return (', '.join(f'{name} {p99 / quiet:.1f} times' for name, p99 in found.items() if p99),
            all(p99 / quiet <= 2 for p99 in found.values() if p99))

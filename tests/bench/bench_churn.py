"""Connections that come and go: TLS handshakes, whole and resumed, and tunnels with a session."""
import bench_life
from bench_deskgate import Deskgate
from bench_kit import case, figure, say
from bench_servers import CORES, Haproxy, Nginx, NginxStream

SECONDS = 5
UNDER_WAY = 64
SOURCES = 50

figure('per_cpu_s', 'for each CPU second', form='{:.0f}', ratio=True)
figure('per_s', 'a second', form='{:.0f}')
figure('cores_used', 'cores used', form='{:.2f}')
figure('load_cores', "the load's cores", form='{:.2f}')


class NginxHttp(Nginx):
    """As it serves pages: no desktop is dialled for a handshake."""

    name, file = 'nginx', 'nginx-http'

    def block(self):
        folders = ''.join(f'    {kind}_temp_path {self.folder}/nginx-http-{kind};\n' for kind in
                          ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
        servers = ''.join(f"""
    server {{
        {self.tls(port)}
        return 204;
    }}""" for port in self.ports.values())
        return f'http {{\n    access_log off;\n{folders}{servers}\n}}'


class HaproxyHttp(Haproxy):
    """Likewise."""

    def start(self):
        conf = self.folder / 'haproxy-http.cfg'
        conf.write_text(f"""global
    nbthread {CORES}
    ssl-default-bind-options ssl-min-ver TLSv1.3
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
defaults
    mode http
    timeout connect 5s
    timeout client 1m
    timeout server 1m
""" + ''.join(f"""frontend {name}
    bind 127.0.0.1:{port} ssl crt {self.folder}/both.pem
    http-request return status 204
""" for name, port in self.ports.items()))
        self.spawn('haproxy', '-db', '-f', conf, ports=self.ports.values())


def churn(bench, server, goal, place, under_way, secrets=''):
    """Figures of one server's turn; RuntimeError when it was not what it should be."""
    seconds = 1 if bench.quick else SECONDS
    before = server.cpu()
    told = bench.load('churn', goal, seconds, place, 0, under_way, SOURCES, secrets=secrets)
    used = server.cpu() - before
    if told['failed'] or told['not_resumed']:
        bench.note(f"{server.name}, {goal}: {told['failed']} failed ({told['why']}), "
                   f"{told['not_resumed']} were not resumed")
    return {'per_cpu_s': told['done'] / used, 'per_s': told['done'] / told['seconds'],
            'cores_used': used / told['seconds'], 'load_cores': told['own_cpu'] / told['seconds']}


def handshakes(bench):
    with bench_life.fresh(bench, Deskgate) as ours, bench_life.fresh(bench, NginxHttp) as nginx, \
            bench_life.fresh(bench, HaproxyHttp) as haproxy:
        for at in range(bench.rounds):
            for goal in ('full', 'resumed'):
                for server in filter(None, (ours, nginx, haproxy)):
                    port = ours.port if server is ours else server.ports[bench_life.CROWD]
                    say(f'round {at + 1}: handshakes {goal}, {server.name}')
                    bench.record(f'handshakes {goal}', server.name,
                                 **churn(bench, server, goal, f'raw:{port}', UNDER_WAY))


def tunnels(bench):
    bench_life.crowd(bench)
    with bench_life.fresh(bench, Deskgate) as ours, bench_life.fresh(bench, Haproxy) as haproxy, \
            bench_life.fresh(bench, NginxStream) as nginx:
        for at in range(bench.rounds):
            for server in filter(None, (ours, haproxy, nginx)):
                say(f'round {at + 1}: tunnels opened, {server.name}')
                bench.record('tunnels opened', server.name, **churn(
                    bench, server, 'tunnel', server.place(bench_life.CROWD),
                    bench_life.parallel(server, 8), server.secrets(bench_life.CROWD)))


case('handshakes', 'TLS handshakes, whole and resumed, for each second of the server\'s processors')(
    handshakes)
case('opens', 'tunnels that are opened with a session, to the first byte from the desktop and back')(
    tunnels)

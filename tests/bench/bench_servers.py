"""The servers of the benchmark: ours, and what would be installed instead.

Each takes TLS on ports of loopback, one for each desktop behind it, with the same certificate and a
thread or process per core where it knows such a thing.
"""
import itertools
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import time

import bench_cpu

PLAIN_RELAY = pathlib.Path(__file__).resolve().parents[2] / 'build/tests/bench/deskgate-plain-relay'
CORES = len(os.sched_getaffinity(0))
DESKTOPS = ('sink', 'source', 'echo')  # what is behind every server


def begin(command, **options):
    """A process of a group of its own, which ends when the calling thread does at the latest."""
    return subprocess.Popen(['setpriv', '--pdeathsig', 'TERM', *(str(part) for part in command)],
                            start_new_session=True, **options)


def end(process):
    """Ends a process and its group, politely first. Twice is fine."""
    for what, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, what)
        except (ProcessLookupError, PermissionError):
            pass
        try:
            process.wait(seconds)
            break
        except subprocess.TimeoutExpired:
            continue
    try:
        os.killpg(process.pid, signal.SIGKILL)  # what outlived its leader
    except (ProcessLookupError, PermissionError):
        pass


PORTS = itertools.count(10000 + os.getpid() % 8000)  # below those that connections get by themselves


def free_port():
    """Never one that was given before."""
    for port in PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', port))
                return port
            except OSError:
                continue


def listens(port, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(('127.0.0.1', port)) == 0:
                return True
        time.sleep(0.05)
    return False


def lacks(*commands):
    """Why something cannot run; None when all of these are installed."""
    gone = [command for command in commands if not shutil.which(command)]
    return f'{", ".join(gone)} is not installed' if gone else None


class Server:
    """Override name, start(), and what differs. `ports` has a port for each desktop."""

    name = ''
    framing = 'raw'
    prefix = ()  # what makes its processes run where they should

    def __init__(self, bench):
        self.bench, self.folder = bench, bench.folder
        self.processes = []
        self.ports = {desktop: free_port() for desktop in DESKTOPS}

    @classmethod
    def missing(cls):
        """Why it cannot run here, or None."""
        return None

    def start(self):
        raise NotImplementedError

    def place(self, desktop, framing=None):
        """PLACE of deskgate-load, see load_place.h."""
        return f'{framing or self.framing}:{self.ports[desktop]}'

    def secrets(self, _desktop, _count=1, framing=None):
        """What deskgate-load wants on standard input for that many wires."""
        return '\n' if (framing or self.framing) == 'ws' else ''

    def log(self):
        return self.folder / f'{self.name.replace(" ", "-")}.log'

    def spawn(self, *command, ports=()):
        log_path = self.log()
        with open(log_path, 'a', encoding='utf8') as log:
            process = begin([*self.prefix, *command], stdout=log, stderr=log,
                            stdin=subprocess.DEVNULL)
        self.processes.append(process)
        for port in ports:
            if not listens(port):
                raise RuntimeError(f'{self.name} does not listen on port {port}:\n' +
                                   log_path.read_text(encoding='utf8', errors='replace')[-2000:])
        return process

    def stop(self):
        for process in self.processes:
            end(process)

    def pids(self):
        return [process.pid for process in self.processes]

    def cpu(self):
        """Processor seconds so far, of all its processes."""
        return bench_cpu.cpu_seconds(self.pids())


class Direct(Server):
    """Nothing between: what the desktop and the wire take themselves."""

    name, framing = 'direct', 'bare'

    def start(self):
        self.ports = {desktop: self.bench.desktop(desktop) for desktop in DESKTOPS}


class PlainRelay(Server):
    """Our relay without TLS and framing: what, with the cipher, makes the floor."""

    name, framing = 'plain relay', 'bare'

    def start(self):
        pairs = [f'{port}:{self.bench.desktop(desktop)}' for desktop, port in self.ports.items()]
        self.spawn(PLAIN_RELAY, *pairs, ports=self.ports.values())


class Haproxy(Server):
    """TLS to TCP."""

    name = 'haproxy'

    @classmethod
    def missing(cls):
        return lacks('haproxy')

    def start(self):
        text = f"""global
    nbthread {CORES}
    ssl-default-bind-options ssl-min-ver TLSv1.3
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
defaults
    mode tcp
    maxconn 30000
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
"""
        for desktop, port in self.ports.items():
            text += f"""listen {desktop}
    bind 127.0.0.1:{port} ssl crt {self.folder}/both.pem
    server desktop 127.0.0.1:{self.bench.desktop(desktop)}
"""
        conf = self.folder / 'haproxy.cfg'
        conf.write_text(text)
        self.spawn('haproxy', '-db', '-f', conf, ports=self.ports.values())


NGINX_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so'


class Nginx(Server):
    """nginx, once told what a `block` of its configuration says."""

    file = ''
    modules = ''

    @classmethod
    def missing(cls):
        return lacks('nginx')

    def block(self):
        raise NotImplementedError

    def tls(self, port):
        return f"""listen 127.0.0.1:{port} ssl;
        ssl_certificate {self.folder}/cert.pem;
        ssl_certificate_key {self.folder}/key.pem;
        ssl_protocols TLSv1.3;
        ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;"""

    def start(self):
        conf = self.folder / f'{self.file}.conf'
        conf.write_text(f"""{self.modules}
daemon off;
{'user root;' if os.getuid() == 0 else ''}
worker_processes {CORES};
pid {self.folder}/{self.file}.pid;
error_log {self.log()};
events {{ worker_connections {min(30000, resource.getrlimit(resource.RLIMIT_NOFILE)[0])}; }}
{self.block()}
""")
        self.spawn('nginx', '-e', self.log(), '-p', self.folder, '-c', conf,
                   ports=self.ports.values())


class NginxStream(Nginx):
    """TLS to TCP."""

    name, file = 'nginx stream', 'nginx-stream'
    modules = f'load_module {NGINX_MODULE};' if os.path.exists(NGINX_MODULE) else ''

    @classmethod
    def missing(cls):
        if lacks('nginx'):
            return lacks('nginx')
        built = subprocess.run(['nginx', '-V'], capture_output=True, text=True, check=False).stderr
        if not cls.modules and '--with-stream ' not in built + ' ':
            return 'nginx has no stream module; install libnginx-mod-stream'
        return None

    def block(self):
        servers = ''.join(f"""
    server {{
        {self.tls(port)}
        proxy_pass 127.0.0.1:{self.bench.desktop(desktop)};
        proxy_timeout 1h;
    }}""" for desktop, port in self.ports.items())
        return f'stream {{{servers}\n}}'


class Websockify(Server):
    """WebSocket to TCP, with TLS of its own; a process for each connection."""

    name, framing, tls = 'websockify', 'ws', True

    @classmethod
    def missing(cls):
        return lacks('websockify')

    def start(self):
        for desktop, port in self.ports.items():
            own = ['--cert', self.folder / 'cert.pem', '--key', self.folder / 'key.pem',
                   '--ssl-only'] if self.tls else []
            self.spawn('websockify', *own, f'127.0.0.1:{port}',
                       f'127.0.0.1:{self.bench.desktop(desktop)}', ports=[port])


class NginxWebsockify(Nginx):
    """What noVNC's and Guacamole's manuals show: nginx for TLS, websockify behind it."""

    name, file, framing = 'nginx + websockify', 'nginx-websockify', 'ws'

    class Behind(Websockify):
        name, tls = 'nginx + websockify', False

    @classmethod
    def missing(cls):
        return lacks('nginx', 'websockify')

    def start(self):
        behind = self.Behind(self.bench)
        self.bench.started.callback(behind.stop)
        behind.start()
        self.behind = behind
        super().start()

    def pids(self):
        return super().pids() + self.behind.pids()

    def block(self):
        folders = ''.join(f'    {kind}_temp_path {self.folder}/nginx-{kind};\n' for kind in
                          ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
        servers = ''.join(f"""
    server {{
        {self.tls(port)}
        location / {{
            proxy_pass http://127.0.0.1:{self.behind.ports[desktop]};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            proxy_read_timeout 1h;
            proxy_buffering off;
        }}
    }}""" for desktop, port in self.ports.items())
        return f'http {{\n    access_log off;\n{folders}{servers}\n}}'

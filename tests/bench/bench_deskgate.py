"""deskgate as a server of the benchmark, and what a person does at it."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import ssl
import struct
import subprocess
import time

import bench_servers

GROUP = 'load'    # who may reach every desktop of the benchmark
TICKETS_MOST = 8  # of one session at a time
PASSWORD = 'correct horse battery staple'


STEP = 30  # seconds


def code_at(secret, step):
    """RFC 6238 with its defaults; `step` counts those since 1970."""
    digest = hmac.new(base64.b32decode(secret), struct.pack('>Q', step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f'{(struct.unpack(">I", digest[at:at + 4])[0] & 0x7fffffff) % 1_000_000:06d}'


def code_now(secret):
    return code_at(secret, int(time.time()) // STEP)


class Deskgate(bench_servers.Server):
    """`settings`: lines of deskgate.conf as ((section, line), …), besides those below."""

    name, framing = 'deskgate', 'ws'
    # What would stand in the way of a load that comes from one address by one person.
    SETTINGS = (('server', 'connections = 60000'), ('server', 'connections_per_address = 60000'),
                ('dial', 'allow = private, loopback'))

    def __init__(self, bench, settings=()):
        super().__init__(bench)
        self.settings = self.SETTINGS + tuple(settings)
        self.port = bench_servers.free_port()
        self.state = self.folder / f'state-{self.port}'
        self.known = set()  # desktops
        self.tokens = []    # of sessions, each of a person of its own

    @property
    def binary(self):
        return self.bench.options.binary

    def cli(self, *words, **options):
        done = subprocess.run([str(part) for part in (self.binary, '--state', self.state, *words)],
                              text=True, capture_output=True, check=False, timeout=60, **options)
        if done.returncode != 0:
            raise RuntimeError(f'deskgate {" ".join(map(str, words))}: {done.stderr}')
        return done.stdout

    def configure(self):
        conf = self.state / 'deskgate.conf'
        lines = conf.read_text()
        for section, line in self.settings:
            key = line.split('=')[0].strip()
            before, after = lines.split(f'[{section}]', 1)
            lines = before + f'[{section}]' + re.sub(rf'(?m)^#?{key} =.*$', line, after, count=1)
        conf.write_text(lines)

    def start(self):
        self.cli('init', '--name', 'localhost', '--listen', f'127.0.0.1:{self.port}',
                 *(['--user', 'nobody'] if os.getuid() == 0 else []))
        self.configure()
        for name in ('cert.pem', 'key.pem'):
            shutil.copyfile(self.folder / name, self.state / 'tls' / name)
        self.cli('group', 'add', GROUP)
        for desktop in bench_servers.DESKTOPS:
            self.add_desktop(desktop)
        self.spawn(self.binary, '--state', self.state, 'serve', ports=[self.port])

    def session(self, number=0):
        """The token of a session, of one person each: whoever has a second one is asked for when
        the gateway's bounds for one session would stand in the way."""
        while len(self.tokens) <= number:
            name = f'load-{len(self.tokens)}'
            secret = self.add_person(name)
            self.cli('group', 'join', GROUP, name)
            self.tokens.append(self.sign_in(name, secret))
        return self.tokens[number]

    @property
    def token(self):
        return self.session()

    def add_person(self, name):
        """The secret of the second factor."""
        return json.loads(self.cli('user', 'add', name, '--password-stdin', '--json',
                                   input=PASSWORD + '\n'))['totp_secret']

    def add_desktop(self, kind):
        """Makes a desktop of deskgate-load known by its kind, and open to all of GROUP."""
        if kind not in self.known:
            self.known.add(kind)
            self.cli('desktop', 'add', kind, '--host', '127.0.0.1', '--port',
                     self.bench.desktop(kind))
            self.cli('grant', 'add', '--group', GROUP, kind)

    # ---- a person ----

    def http(self):
        """A connection to its HTTPS; the certificate is the benchmark's own, on loopback."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection('127.0.0.1', self.port, context=context, timeout=60)

    def ask(self, link, method, path, body=None, token=None):
        """The answer's body; RuntimeError unless it is a 200."""
        headers = {'Host': f'localhost:{self.port}'}
        if body is not None:
            headers['Content-Type'] = 'application/json'
        if token:
            headers['Authorization'] = f'Bearer {token}'
        link.request(method, path, body, headers)
        answer = link.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f'{method} {path}: {answer.status} {text[:200]}')
        return text

    def sign_in(self, name, secret):
        """The session's token."""
        return json.loads(self.ask(self.http(), 'POST', '/api/login', json.dumps(
            {'username': name, 'password': PASSWORD, 'code': code_now(secret)})))['token']

    def tickets(self, desktop, count, framing):
        """[(ticket, token of its session), …], one for each wire: the .rdp file's, or the browser's."""
        link, found = self.http(), []
        for at in range(count):
            token = self.session(at // TICKETS_MOST)
            if framing == 'rdg':
                text = self.ask(link, 'GET', f'/api/desktops/{desktop}/rdp', token=token)
                found.append((re.search(r'(?m)^gatewayaccesstoken:s:(\S+)', text)[1], token))
            else:
                text = self.ask(link, 'POST', f'/api/desktops/{desktop}/ticket', '{}', token)
                found.append((json.loads(text)['ticket'], token))
        return found

    # ---- for deskgate-load ----

    def place(self, desktop, framing=None):
        framing = framing or self.framing
        self.add_desktop(desktop)
        return f'{framing}:{self.port}/{"tunnel/" if framing == "ws" else ""}{desktop}'

    def secrets(self, desktop, count=1, framing=None):
        framing = framing or self.framing
        tickets = self.tickets(desktop, count, framing) if framing in ('rdg', 'cleanpath') else []
        return '\n'.join([self.token, *map(' '.join, tickets)]) + '\n'

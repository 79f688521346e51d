#!/usr/bin/env python3
"""Writes the seeds of fuzz_gate with names: what clients of each kind say, as fuzz_gate.c reads it.

    tests/fuzz/gate_seeds.py FOLDER

The packets of RD Gateway clients are those of tsgu_talk's corpus, the browser's PDU cleanpath's, the
desktop's confirm x224's.
"""
import base64
import pathlib
import struct
import sys

CORPUS = pathlib.Path(__file__).resolve().parent / 'corpus'
TOKEN = base64.urlsafe_b64encode(bytes(32)).rstrip(b'=').decode()
PASSWORDS, NO_LEGACY, CONSENT, PLAIN, METRICS = 4, 8, 16, 2, 3
FIRST, SECOND, DESKTOP, KEEPER = range(4)
UPGRADE = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
           'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']
OURS = 'Origin: https://gateway.example.org'
COOKIE = f'Cookie: __Host-deskgate={TOKEN}; __Host-deskgate-browser={TOKEN}'
BEARER = f'Authorization: Bearer {TOKEN}'
LEGACY = 'RDG-Connection-Id: {11111111-2222-3333-4444-555555555555}'


def piece(who, data):
    return struct.pack('<BH', who, len(data)) + data


def request(line, *headers, body=b''):
    if body:
        headers += ('Content-Type: application/json', f'Content-Length: {len(body)}')
    return '\r\n'.join([f'{line} HTTP/1.1', 'Host: gateway.example.org', *headers, '', '']).encode() + body


def frame(data, opcode=2):
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b'\xfe' + struct.pack('>H', len(data))
    mask = b'\x11\x22\x33\x44'
    return bytes([0x80 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))


def corpus(target, name):
    return (CORPUS / target / name).read_bytes()


def seeds():
    rdg = corpus('tsgu_talk', 'whole')[2:]
    path = '/remoteDesktopGateway/'
    ntlm = 'Authorization: NTLM ' + base64.b64encode(corpus('ntlm', 'negotiate')).decode()
    proof = 'Authorization: NTLM ' + base64.b64encode(corpus('ntlm', 'freerdp')).decode()
    login = b'{"username":"anna","password":"correct horse","code":"123 456"}'
    yield 'portal', 0, [piece(FIRST, request('GET /', 'Accept-Encoding: gzip, br;q=0.5',
                                             'If-None-Match: "x"'))]
    yield 'login', 0, [piece(FIRST, request('POST /api/login', OURS, body=login))]
    yield 'login-refused', 0, [piece(KEEPER, b'\x81\x82'),
                               piece(FIRST, 2 * request('POST /api/login', body=login))]
    yield 'foreign', 0, [piece(FIRST, request('POST /api/logout', COOKIE, 'Origin: https://a.example'))]
    yield 'pipelined', 0, [piece(FIRST, b''.join(request(f'GET {at}', COOKIE) for at in (
        '/api/session', '/api/sessions', '/api/desktops', '/api/desktops/office-pc/state',
        '/api/desktops/office-pc/rdp', '/api/visits/7', '/healthz')))]
    yield 'acts', 0, [piece(FIRST, b''.join([
        request('POST /api/desktops/office-pc/ticket', COOKIE, OURS, body=b'{}'),
        request('POST /api/desktops/office-pc/password', COOKIE, OURS, body=b'{}'),
        request('POST /api/factor', COOKIE, OURS, body=b'{"code":"123456"}'),
        request('POST /api/password', COOKIE, OURS,
                body=b'{"password":"a","new_password":"b","code":"1"}'),
        request('POST /api/setup', OURS, body=b'{"invitation":"' + TOKEN.encode() + b'"}'),
        request('POST /api/sessions/end', BEARER, body=b'{}')]))]
    yield 'admin', 0, [piece(FIRST, request('GET /api/admin/user/list?word=a&disabled=yes', COOKIE) +
                             request('POST /api/admin/grant/add', COOKIE, OURS,
                                     body=b'{"words":["anna","office-pc"],"options":{"until":"x"}}'))]
    yield 'chunked', 0, [piece(FIRST, request('POST /api/login', 'Content-Type: application/json',
                                              'Transfer-Encoding: chunked') + b'5\r\n{"a":\r\n0\r\n\r\n')]
    yield 'two-lengths', 0, [piece(FIRST, request('POST /api/login', 'Content-Length: 1',
                                                  'Content-Length: 2') + b'{}')]
    yield 'folded', 0, [piece(FIRST, request('GET /api/session', 'Cookie: a=b;', f'\t{COOKIE[8:]}'))]
    yield 'tunnel', 0, [piece(DESKTOP, b'hello from a desktop'),
                        piece(FIRST, request('GET /tunnel/office-pc', BEARER, *UPGRADE) +
                              frame(b'hello') + frame(b'', 9) + frame(b'\x03\xe8', 8))]
    yield 'tunnel-refused', 0, [piece(KEEPER, b'\x86'),
                                piece(FIRST, request('GET /tunnel/office-pc', BEARER, *UPGRADE))]
    clean = request('GET /rdcleanpath', COOKIE, OURS, *UPGRADE)
    yield 'cleanpath', 0, [piece(DESKTOP, corpus('x224', 'confirm-tls')),
                           piece(DESKTOP, b'\x15\x03\x03\0\x02\x02\x28'),
                           piece(FIRST, clean + frame(corpus('cleanpath', 'request')))]
    yield 'cleanpath-refused', 0, [piece(DESKTOP, corpus('x224', 'confirm-refused')),
                                   piece(FIRST, clean + frame(corpus('cleanpath', 'request')))]
    hello = b'\x16\x03\x03\0\x31\x02\0\0\x2d\x03\x03' + bytes(32) + b'\0\xc0\x2b\0\0\x05\xff\x01\0\x01\0'
    yield 'cleanpath-tls', 0, [piece(DESKTOP, corpus('x224', 'confirm-tls')), piece(DESKTOP, hello),
                               piece(FIRST, clean + frame(corpus('cleanpath', 'request')))]
    out = request(f'RDG_OUT_DATA {path}', *UPGRADE, 'RDG-Auth-Scheme: PAA', LEGACY)
    yield 'gateway', 0, [piece(DESKTOP, bytes(40)), piece(FIRST, out + frame(rdg))]
    yield 'gateway-consent', CONSENT, [piece(FIRST, out + frame(rdg))]
    yield 'gateway-lost', 0, [piece(KEEPER, b'\0\x86'), piece(FIRST, out + frame(rdg))]
    takes = request(f'RDG_OUT_DATA {path}', 'RDG-Auth-Scheme: PAA', LEGACY, 'Content-Length: 0')
    gives = request(f'RDG_IN_DATA {path}', 'RDG-Auth-Scheme: PAA', LEGACY, 'Content-Length: 0')
    body = request(f'RDG_IN_DATA {path}', 'RDG-Auth-Scheme: PAA', LEGACY, 'Transfer-Encoding: chunked')
    stream = f'{len(rdg):x}\r\n'.encode() + rdg + b'\r\n'
    yield 'legacy', 0, [piece(DESKTOP, bytes(40)), piece(FIRST, takes), piece(SECOND, gives + body + stream)]
    yield 'legacy-off', NO_LEGACY, [piece(FIRST, takes), piece(SECOND, body + stream)]
    yield 'ntlm', PASSWORDS, [piece(FIRST, request(f'RDG_OUT_DATA {path}', ntlm)),
                              piece(FIRST, request(f'RDG_OUT_DATA {path}', *UPGRADE, proof) + frame(rdg))]
    yield 'basic', PASSWORDS, [piece(FIRST, request(
        f'RDG_OUT_DATA {path}', *UPGRADE, 'Authorization: Basic YW5uYTphYmNk') + frame(rdg))]
    yield 'challenge', PLAIN, [piece(FIRST, request('GET /.well-known/acme-challenge/Token-1') +
                                     request('GET /x?y'))]
    yield 'metrics', METRICS, [piece(FIRST, request('GET /metrics'))]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, gateway, pieces in seeds():
        (folder / name).write_bytes(bytes([gateway]) + b''.join(pieces))


main()

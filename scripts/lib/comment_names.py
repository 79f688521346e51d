#!/usr/bin/env python3
"""comment_names.py FILE…: what comments in C name and nothing in those files is called, one a line;
ends with 1 when there is any. Looked at are function(), CONSTANTS_LIKE_THIS, and this/file.c. A
constant may be named by its end (NO_SESSION) or, with an underscore behind it, by its beginning."""
import pathlib
import re
import sys

# Other people's, by who defines them.
ELSEWHERE = set('''
    F_SETLEASE F_SETOWN INET6_ADDRSTRLEN MADV_DONTNEED PREEMPT_SHORT TIME_WAIT
    CAP_NET_BIND_SERVICE getifaddrs inet_aton
    JOURNAL_NATIVE_PROTOCOL SD_LISTEN_FDS_START
    NTLMSSP_REVISION_W2K3
    CLOSE_CHANNEL_RESPONSE HTTP_EXTENDED_AUTH HTTP_TUNNEL_CAPABILITIES ERROR_GRACEFUL_DISCONNECT
    E_PROXY_CONNECTIONABORTED E_PROXY_INTERNALERROR
    E_PROXY_COOKIE_AUTHENTICATION_ACCESS_DENIED E_PROXY_COOKIE_BADPACKET
    E_PROXY_MAXCONNECTIONSREACHED E_PROXY_REAUTH_AUTHN_FAILED E_PROXY_TS_CONNECTFAILED E_PROXY_UNSUPPORTED_AUTHENTICATION_METHOD
    RDP_NEG_FAILURE RDP_NEG_REQ RDP_NEG_RSP
    include/uapi/linux/landlock.h sysexits.h winsock2.h
'''.split())

APART = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.S)
NAMED = re.compile(r'\b([a-z_]\w*)\(\)|\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b|([\w/]*\w\.[ch])\b')


def is_comment(text):
    return text.startswith(('/*', '//'))


texts = {path: pathlib.Path(path).read_text() for path in sys.argv[1:]}
names, ends = set(), set()
for text in texts.values():
    names.update(re.findall(r'[A-Za-z_]\w*', APART.sub(
        lambda part: ' ' if is_comment(part[0]) else part[0], text)))
for name in names:
    ends.update(name[at:] for at, letter in enumerate(name) if letter != '_' and
                name[at - 1:at] == '_')
paths = ['/' + path for path in texts]


def exists(function, constant, file):
    if file:
        return any(path.endswith('/' + file) for path in paths)
    if constant and constant.endswith('_'):
        return any(name.startswith(constant) for name in names)
    return (function or constant) in names or constant in ends


bad = 0
for path, text in texts.items():
    for comment in filter(lambda part: is_comment(part[0]), APART.finditer(text)):
        for named in NAMED.finditer(comment[0]):
            if not exists(*named.groups()) and not ELSEWHERE & set(named.groups()):
                line = text.count('\n', 0, comment.start() + named.start()) + 1
                print(f'{path}:{line}: there is no {named[0]}')
                bad = 1
sys.exit(bad)

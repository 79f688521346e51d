// The tunnel client against a scripted gateway: what it says and does when things go wrong, and that
// bytes pass unchanged when they go right. connect_gateway.test.mjs meets the real gateway.
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { after, before, test } from 'node:test';
import { answer, closeFrame, echo, frame, startGateway, upgraded } from './connect/gateway.mjs';
import { binary, dial, read, run, start } from './connect/client.mjs';
import { identity } from './connect/identity.mjs';
import { start as startProcess, stop } from './lib/proc.mjs';
import { deadPort } from './lib/servers.mjs';
import { soon, until } from './lib/wait.mjs';

const EX = { OK: 0, USAGE: 64, INPUT: 66, HOST: 68, UNAVAILABLE: 69, CANTCREAT: 73, TEMP: 75, PROTOCOL: 76, PERM: 77 };
let own, cert, key, certFile, fingerprint;
let codeNumber = 100000;

const login = () => ['anna', 'pass "word" \\ äöü', String(codeNumber++)];
const at = (gateway, host = 'localhost') => `https://${host}:${gateway.port}`;
const trusted = () => ['--fingerprint', fingerprint, '--retry', '0'];

async function withGateway(rules, body) {
  const gateway = await startGateway({ cert, key, rules });
  try {
    await body(gateway);
  } finally {
    gateway.stop();
  }
}

before(() => {
  own = identity();
  ({ cert, key, file: certFile, fingerprint } = own);
});
after(() => own?.remove());

test('an unknown certificate: nothing is sent, and its fingerprint is told', () => withGateway({}, async (gateway) => {
  const result = await run(['--retry', '0', at(gateway), 'pc'], { credentials: login() });
  assert.equal(result.code, EX.PROTOCOL);
  assert.match(result.err, /not trusted/);
  assert.ok(result.err.includes(`--fingerprint ${fingerprint}`), result.err);
  assert.deepEqual(gateway.seen, []);
}));

test('another certificate than the pinned one: nothing is sent', () => withGateway({}, async (gateway) => {
  const wrong = fingerprint.replace(/^../, fingerprint.startsWith('00') ? '01' : '00');
  const result = await run(['--fingerprint', wrong, at(gateway), 'pc'], { credentials: login() });
  assert.equal(result.code, EX.PROTOCOL);
  assert.match(result.err, /not the pinned one/);
  assert.deepEqual(gateway.seen, []);
}));

test('--cacert trusts for the right name only', () => withGateway({}, async (gateway) => {
  const good = await run(['--cacert', certFile, '--exec', 'exit 6', at(gateway), 'pc'], { credentials: login() });
  assert.equal(good.code, 6, good.err);
  const bad = await run(['--cacert', certFile, '--retry', '0', at(gateway, '127.0.0.2'), 'pc'], { credentials: login() });
  assert.ok([EX.PROTOCOL, EX.UNAVAILABLE].includes(bad.code), bad.err); // refused where only .1 listens
}));

test('what the gateway refuses is told in its words', async () => {
  const cases = [
    [answer(401, { error: 'sign_in_refused', message: 'Not right.', id: '00aa' }), EX.PERM, /Not right\. \[id 00aa\]/],
    [answer(429, { error: 'too_many_attempts', message: 'Slow down.' }, { 'Retry-After': 33 }), EX.TEMP, /Slow down\. \(try again in 33 s\)/],
    [answer(503, { error: 'busy', message: 'Busy.' }, { 'Retry-After': 1 }), EX.TEMP, /Busy\./],
    [answer(500, '<html>'), EX.UNAVAILABLE, /the gateway failed/],
    [answer(401, { error: 'sign_in_refused', message: 'evil \u001b[2J\u009b\nline' }), EX.PERM, /evil \?\[2J\?\? line/],
  ];
  for (const [reply, code, words] of cases) {
    await withGateway({ 'POST /api/login': (_, socket) => socket.end(reply) }, async (gateway) => {
      const result = await run([...trusted(), at(gateway), 'pc'], { credentials: login() });
      assert.equal(result.code, code, result.err);
      assert.match(result.err, words);
      assert.deepEqual(gateway.seen, ['POST /api/login']);
    });
  }
});

test('answers that break the rules are refused', async () => {
  const token = 'A'.repeat(43);
  const cases = [
    'SSH-2.0-OpenSSH_9.2\r\n',
    answer(200, { token }, { 'Transfer-Encoding': 'chunked' }),
    answer(200, { token: 'short' }),
    answer(200, { token: `${token}\r\nX: y` }),
    answer(200, '[]'),
    `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(20000)}\r\n\r\n`,
    'HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 2\n\n{}',
  ];
  for (const reply of cases) {
    await withGateway({ 'POST /api/login': (_, socket) => socket.end(reply) }, async (gateway) => {
      const result = await run([...trusted(), at(gateway), 'pc'], { credentials: login() });
      assert.equal(result.code, EX.PROTOCOL, `${reply.slice(0, 60)}: ${result.err}`);
    });
  }
});

test('chunked answers, in pieces of one byte, are understood', () => withGateway({
  'POST /api/login': async (_, socket) => {
    socket.setNoDelay(true);
    const body = JSON.stringify({ token: 'B'.repeat(43), expires: '2099-01-01T00:00:00Z' });
    const text = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
      `5\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)};x=y\r\n${body.slice(5)}\r\n0\r\n\r\n`;
    for (const byte of text) {
      socket.write(byte);
      await new Promise((r) => setImmediate(r));
    }
    socket.end();
  },
  'GET /api/desktops': (_, socket) => socket.end(answer(200, { desktops: [{ name: 'pc' }] })),
}, async (gateway) => {
  const result = await run([...trusted(), '--exec', 'exit 9', at(gateway), 'pc'], { credentials: login() });
  assert.equal(result.code, 9, result.err);
}));

test('a desktop that is not granted is told before the RDP client starts', () => withGateway({}, async (gateway) => {
  const result = await run([...trusted(), '--exec', 'echo started', at(gateway), 'nobody'], { credentials: login() });
  assert.equal(result.code, EX.PERM);
  assert.match(result.err, /no desktop "nobody" for you; you may use: pc, other/);
  assert.equal(result.out.length, 0);
  assert.equal(gateway.tokens.size, 0, 'signed out');
}));

test('a desktop may be named in other letters, as the gateway takes it', () => withGateway({}, async (gateway) => {
  const result = await run([...trusted(), '--exec', 'exit 7', at(gateway), 'PC'], { credentials: login() });
  assert.equal(result.code, 7, result.err);
}));

test('a password that has to be changed is told before the RDP client starts', () => withGateway({
  'GET /api/desktops': (_, socket) => socket.end(answer(403, { error: 'password_change_due', message: 'Choose a new password.' })),
}, async (gateway) => {
  const result = await run([...trusted(), '--exec', 'echo started; exit 3', at(gateway), 'pc'], { credentials: login() });
  assert.equal(result.code, EX.PERM);
  assert.match(result.err, /Choose a new password/);
  assert.equal(result.out.length, 0);
}));

test('a list that cannot be had now keeps nobody off: the tunnel will tell', async () => {
  for (const reply of [answer(403, { error: 'forbidden' }), answer(404, {}), answer(500, '<html>'), answer(503, {})]) {
    await withGateway({ 'GET /api/desktops': (_, socket) => socket.end(reply) }, async (gateway) => {
      const result = await run([...trusted(), '--exec', 'exit 3', at(gateway), 'pc'], { credentials: login() });
      assert.equal(result.code, 3, result.err);
    });
  }
});

test('codes and names arrive as they are meant, however they were typed', async () => {
  const wide = (text) => text.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));
  const cases = [
    ['123456', '123456'], ['123 456', '123456'], [wide('123456'), '123456'], ['\u3000123-456\u00a0', '123456'], ['123456\t', '123456'],
    ['1. abcd-EFGH-jkmn-pqrs', 'abcdefghjkmnpqrs'], ['10) abcd efgh jkmn pqrs', 'abcdefghjkmnpqrs'], ['abcd\u2010efgh\u2212jkmn\uff0dpqrs', 'abcdefghjkmnpqrs'],
  ];
  for (const [typed, meant] of cases) {
    let got;
    await withGateway({ 'POST /api/login': (request, socket) => {
      got = JSON.parse(request.body);
      socket.end(answer(401, { error: 'sign_in_refused', message: 'Not right.' }));
    } }, async (gateway) => {
      await run([...trusted(), at(gateway), 'pc'], { credentials: [' anna \u3000', ' pass ', typed] });
      assert.deepEqual(got, { username: 'anna', password: ' pass ', code: meant }, typed);
    });
  }
});

test('the ends of a tunnel have words and exit codes', async () => {
  const cases = [
    [(_, s) => s.end(answer(504, { error: 'desktop_asleep', message: 'It sleeps.' })), EX.UNAVAILABLE, /It sleeps/],
    [(_, s) => s.end(answer(502, { error: 'desktop_refused', message: 'It refuses.' })), EX.UNAVAILABLE, /It refuses/],
    [(_, s) => s.end(answer(404, { error: 'no_desktop', message: 'Not yours.' })), EX.PERM, /Not yours/],
    [(r, s) => s.end(upgraded(r).replace(/Accept: ./, 'Accept: !')), EX.PROTOCOL, /WebSockets/],
    [(r, s) => s.end(upgraded(r).replace('Upgrade: websocket\r\n', '')), EX.PROTOCOL, /WebSockets/],
    [(r, s) => s.end(answer(200, 'hello')), EX.PROTOCOL, /status 200/],
    [(r, s) => s.write(Buffer.concat([Buffer.from(upgraded(r)), closeFrame(4004, 'your account was disabled')])),
      EX.UNAVAILABLE, /your account was disabled \(code 4004\)/],
    [(r, s) => s.write(Buffer.concat([Buffer.from(upgraded(r)), closeFrame(1000, 'the desktop closed')])), EX.OK, /the desktop closed/],
    [(r, s) => s.end(Buffer.concat([Buffer.from(upgraded(r)), Buffer.from([0x82, 0x80, 1, 2, 3, 4])])), EX.PROTOCOL, /WebSocket rules/],
    [(r, s) => { s.write(upgraded(r)); setTimeout(() => s.destroy(), 100); }, EX.UNAVAILABLE, /broke|closed by the gateway/],
  ];
  for (const [rule, code, words] of cases) {
    await withGateway({ 'GET /tunnel/pc': rule }, async (gateway) => {
      const result = await run([...trusted(), '--stdio', at(gateway), 'pc'], { credentials: login(), stdin: 'pipe' });
      assert.equal(result.code, code, result.err);
      assert.match(result.err, words);
      assert.equal(result.out.length, 0);
      assert.ok(gateway.seen.includes('POST /api/logout'));
    });
  }
});

test('bytes pass unchanged, on many connections at once', () => withGateway({}, async (gateway) => {
  const client = start([...trusted(), at(gateway), 'pc'], { credentials: login() });
  const address = await client.ready;
  const one = async () => {
    const data = randomBytes(randomInt(1, 2_000_000));
    const socket = await dial(address);
    socket.write(data);
    const back = await read(socket, data.length);
    assert.ok(createHash('sha256').update(back).digest().equals(createHash('sha256').update(data).digest()));
    socket.destroy();
  };
  await Promise.all(Array.from({ length: 30 }, one));
  client.child.kill('SIGTERM');
  const result = await client.ended;
  assert.equal(result.code, EX.OK, result.err);
  assert.equal(gateway.tokens.size, 0, 'signed out');
  assert.match(result.err, /connection 30 /);
}));

test('--stdio carries bytes and nothing else on standard output', () => withGateway({
  'GET /tunnel/pc': (request, socket) => echo(request, socket, 'early bytes'),
}, async (gateway) => {
  const client = start([...trusted(), '--stdio', at(gateway), 'pc'], { credentials: login(), stdin: 'pipe' });
  const data = randomBytes(700_000);
  client.child.stdin.write(data);
  await until(() => `all bytes, not ${client.out.length}: ${client.err}`, () => client.out.length >= data.length + 11);
  client.child.stdin.end();
  const result = await client.ended;
  assert.equal(result.code, EX.OK, result.err);
  assert.ok(result.out.equals(Buffer.concat([Buffer.from('early bytes'), data])));
}));

test('--stdio ends when standard output has no reader any more, though standard input goes on', (t) => withGateway({
  'GET /tunnel/pc': (request, socket) => {
    echo(request, socket);
    const talk = setInterval(() => socket.write(frame(randomBytes(5000))), 20);
    socket.on('close', () => clearInterval(talk));
  },
}, async (gateway) => {
  const client = start([...trusted(), '--stdio', at(gateway), 'pc'], { credentials: login(), stdin: 'pipe' });
  t.after(() => client.child.kill('SIGKILL'));
  await until(() => `the desktop is heard: ${client.err}`, () => client.out.length > 0);
  client.child.stdout.destroy();
  const result = await soon(20_000, 'its end', client.ended);
  assert.equal(result.code, EX.OK, result.err);
  assert.match(result.err, /the local client closed it/);
  assert.equal(gateway.tokens.size, 0, 'signed out');
}));

test('the RDP client gets the address, and its exit code is ours', () => withGateway({}, async (gateway) => {
  const shell = await run([...trusted(), '--exec', 'echo {} {}; exit 42', at(gateway), 'pc'], { credentials: login() });
  assert.equal(shell.code, 42, shell.err);
  assert.match(shell.out.toString(), /^127\.0\.0\.1:(\d+) 127\.0\.0\.1:\1\n$/);
  const words = await run([...trusted(), at(gateway), 'pc', '--', 'sh', '-c', 'echo "$0"; kill -9 $$', '/v:{}'], { credentials: login() });
  assert.equal(words.code, 137, words.err);
  assert.match(words.out.toString(), /^\/v:127\.0\.0\.1:\d+\n$/);
  const missing = await run([...trusted(), at(gateway), 'pc', '--', '/nonexistent/rdp'], { credentials: login() });
  assert.equal(missing.code, 127);
  assert.match(missing.err, /cannot start \/nonexistent\/rdp/);
}));

test('codes that wait on standard input are not the RDP client\'s to read', (t) => withGateway({}, async (gateway) => {
  const more = String(codeNumber++);
  const client = start([...trusted(), '--credentials-fd', '0', '--exec', 'echo "it reads: $(cat)"; exec sleep 1000', at(gateway), 'pc'], { stdin: 'pipe' });
  t.after(() => client.child.kill('SIGKILL'));
  client.child.stdin.write([...login(), more].map((line) => `${line}\n`).join(''));
  const address = await client.ready;
  await until(() => `it has read its standard input to the end: ${client.out}`, () => /\n/.test(client.out.toString()));
  assert.equal(client.out.toString(), 'it reads: \n');
  gateway.tokens.clear();
  const socket = await dial(address);
  socket.write('renewed');
  assert.equal((await read(socket, 7)).toString(), 'renewed');
  assert.ok(gateway.usedCodes.has(more), 'the code that was left');
  client.child.kill('SIGTERM');
  await client.ended;
}));

test('ending the client ends the RDP client', () => withGateway({}, async (gateway) => {
  const client = start([...trusted(), '--exec', 'echo $$; exec sleep 1000', at(gateway), 'pc'], { credentials: login() });
  await client.ready;
  await until('the RDP client runs', () => /\n/.test(client.out.toString()));
  client.child.kill('SIGINT');
  const result = await client.ended;
  assert.equal(result.code, 128 + 15, result.err);
  assert.throws(() => process.kill(Number(result.out), 0));
}));

test('a session that is over is renewed with one more code; without one the client ends', () => withGateway({}, async (gateway) => {
  const client = start([...trusted(), at(gateway), 'pc'], { credentials: login(), open: true });
  const address = await client.ready;
  const first = await dial(address);
  first.write('one');
  assert.equal((await read(first, 3)).toString(), 'one');
  gateway.tokens.clear();
  const second = await dial(address);
  second.write('two');
  await client.says(/session is over/);
  first.write('still here');
  assert.equal((await read(first, 10)).toString(), 'still here');
  client.child.stdio[3].write(`${codeNumber++}\n`);
  assert.equal((await read(second, 3)).toString(), 'two');
  gateway.tokens.clear();
  client.child.stdio[3].end();
  await dial(address);
  const result = await client.ended;
  assert.equal(result.code, EX.INPUT, result.err);
}));

test('passing faults are borne for a while, with pauses', () => {
  let broken = 2;
  return withGateway({
    'GET /tunnel/pc': (request, socket) => {
      if (broken-- > 0) socket.destroy();
      else echo(request, socket);
    },
  }, async (gateway) => {
    const client = start(['--fingerprint', fingerprint, '--retry', '30', at(gateway), 'pc'], { credentials: login() });
    const socket = await dial(await client.ready);
    socket.write('patience');
    assert.equal((await read(socket, 8)).toString(), 'patience');
    assert.equal(client.err.match(/next try in/g).length, 2);
    client.child.kill('SIGTERM');
    assert.equal((await client.ended).code, EX.OK);
  });
});

test('a code that may have been used is not sent again', () => withGateway({
  'POST /api/login': (_, socket) => socket.destroy(),
}, async (gateway) => {
  const result = await run(['--fingerprint', fingerprint, '--retry', '30', at(gateway), 'pc'], { credentials: login() });
  assert.equal(result.code, EX.UNAVAILABLE);
  assert.deepEqual(gateway.seen, ['POST /api/login']);
}));

test('a gateway that is not there, not known, not TLS', async (t) => {
  const plain = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.resume();
    socket.end('HTTP/1.1 400 Bad\r\n\r\n');
  }).listen(0, '127.0.0.1');
  t.after(() => plain.close());
  await once(plain, 'listening');
  let result = await run([...trusted(), `https://127.0.0.1:${plain.address().port}`, 'pc'], { credentials: login() });
  assert.equal(result.code, EX.PROTOCOL, result.err);
  assert.match(result.err, /does not speak TLS/);
  result = await run([...trusted(), `https://127.0.0.1:${await deadPort()}`, 'pc'], { credentials: login() });
  assert.equal(result.code, EX.UNAVAILABLE);
  assert.match(result.err, /Connection refused/);
  result = await run([...trusted(), 'https://gateway.invalid', 'pc'], { credentials: login() });
  assert.equal(result.code, EX.HOST, result.err);
});

test('arguments: help, mistakes, a local address that others can reach', async (t) => {
  const help = await run(['--help']);
  assert.equal(help.code, EX.OK);
  assert.match(help.out.toString(), /Usage: deskgate connect .*Example:\n {2}deskgate connect /s);
  for (const args of [[], ['https://x'], ['http://x', 'pc'], ['https://u@x', 'pc'], ['https://x', '../pc'],
    ['--listen', '0.0.0.0:0', 'https://x', 'pc'], ['--fingerprint', 'abc', 'https://x', 'pc']]) {
    const result = await run(args);
    assert.equal(result.code, EX.USAGE, args.join(' '));
    assert.match(result.err, /--help/);
  }
  const taken = createTcpServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const result = await run(['--listen', `127.0.0.1:${taken.address().port}`, 'https://x', 'pc']);
  assert.equal(result.code, EX.CANTCREAT, result.err);
});

// A person at a terminal, by Python's pty: what is typed for the password is never echoed, a wrong
// sign-in is asked again, and Ctrl-C in the middle of it leaves the terminal as it was.
const PERSON = `
import os, pty, select, sys, termios, time
binary, url, fingerprint, password = sys.argv[1:5]
pid, fd = pty.fork()
if pid == 0:
    os.execv(binary, [binary, 'connect', '--fingerprint', fingerprint, url, 'pc'])
seen = b''
def expect(words, since=[0]):
    global seen
    until = time.time() + 60
    while words.encode() not in seen[since[0]:]:
        if not select.select([fd], [], [], max(0, until - time.time()))[0]:
            sys.exit('never saw %r in %r' % (words, seen))
        seen += os.read(fd, 4096)
    since[0] = seen.index(words.encode(), since[0]) + len(words.encode())
def echo_is(on):
    until = time.time() + 60
    while bool(termios.tcgetattr(fd)[3] & termios.ECHO) != on:
        if time.time() > until: sys.exit('echo is wrong')
        time.sleep(0.01)
def sign_in(word, code):
    expect('User name: '); os.write(fd, b'anna\\n')
    expect('Password of anna: '); echo_is(False); os.write(fd, word.encode() + b'\\n')
    expect('authenticator: '); echo_is(True); os.write(fd, code.encode() + b'\\n')
sign_in('wrong', '111 111')
expect('Not right.')
sign_in(password, '---')
expect('there were none')
expect('authenticator: '); os.write(fd, b'222 222\\n')
expect('Ctrl-C ends')
expect('0 open')
os.write(fd, b'\\x03')
try:
    while True:
        piece = os.read(fd, 4096)
        if not piece: break
        seen += piece
except OSError: pass
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if code or password.encode() in seen or b'wrong' in seen: sys.exit('%d %r' % (code, seen))
`;

test('at a terminal', (t) => withGateway({}, async (gateway) => {
  const person = startProcess('python3', ['-c', PERSON, binary, at(gateway), fingerprint, gateway.password]);
  t.after(() => stop(person));
  const { code } = await person.ended;
  assert.equal(code, 0, person.out + person.err);
  assert.ok(gateway.usedCodes.has('222222'));
  assert.equal(gateway.tokens.size, 0, 'signed out');
}));

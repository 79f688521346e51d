// A gateway of the test's own: a state folder, ports that the system chose, people whose TOTP
// secrets are known. DESKGATE_BINARY names another build (sanitized, or the probe).
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { alive, childrenOf, root, run, start, status, stop } from './proc.mjs';
import { Codes } from './totp.mjs';
import { caughtUp, patience, until } from './wait.mjs';
import { RawSocket, Wire } from './wire.mjs';

export const binary = resolve(process.env.DESKGATE_BINARY ?? join(root, 'build/server/deskgate'));
export const sanitized = process.env.DESKGATE_SANITIZED === '1';
// A file for what gateways say: a sanitizer's report does not always fail the test.
const logs = process.env.DESKGATE_LOGS;
export const PASSWORD = 'correct horse battery staple';
// Limits for clients, but it is the gateway that is slow.
const SLOW = {
  server: { handshake_seconds: Math.min(60, 10 * patience), request_seconds: Math.min(300, 20 * patience) },
  login: { deadline_seconds: Math.min(120, 10 * patience) },
};
export const isRoot = process.getuid() === 0;

// Sets "key = value" in its section of deskgate.conf, where it stands commented out or with
// another value.
function configure(text, section, key, value) {
  const at = text.indexOf(`[${section}]`);
  if (at < 0) throw new Error(`deskgate.conf has no section [${section}]`);
  const end = text.indexOf('\n[', at + 1);
  const part = text.slice(at, end < 0 ? undefined : end);
  const line = new RegExp(`^#?${key} =.*$`, 'm');
  if (!line.test(part)) throw new Error(`deskgate.conf: [${section}] has no ${key}`);
  const changed = part.replace(line, () => `${key} = ${value}`);
  return text.slice(0, at) + changed + (end < 0 ? '' : text.slice(end));
}

export class User {
  constructor(gateway, name, password, secret) {
    Object.assign(this, { gateway, name, password, secret, codes: new Codes(secret) });
  }

  // Signs in; the answer is that of Gateway.http, with the token in .json.token.
  async signIn(extra = {}) {
    const code = extra.code ?? await this.codes.next();
    return this.gateway.login({ username: this.name, password: this.password, code, ...extra });
  }

  async token() {
    const answer = await this.signIn();
    if (answer.status !== 200) throw new Error(`${this.name} cannot sign in: ${answer.status} ${answer.body}`);
    return answer.json.token;
  }
}

export class Gateway {
  #agent;

  // `conf` is {section: {key: value}}. Loopback may be dialled, unless it says otherwise.
  static async make({ conf = {}, serve = true, program = binary } = {}) {
    const gateway = new Gateway();
    gateway.program = program;
    gateway.folder = mkdtempSync(join(tmpdir(), 'deskgate-e2e-'));
    if (isRoot) chmodSync(gateway.folder, 0o711); // the gateway's user must pass
    gateway.state = join(gateway.folder, 'state');
    gateway.log = '';
    try {
      gateway.cli('init', '--name', 'localhost', '--listen', '127.0.0.1:0', ...(isRoot ? ['--user', 'nobody'] : []));
      gateway.configure({ dial: { allow: 'private, loopback' } });
      if (patience > 1) gateway.configure(SLOW);
      gateway.configure(conf);
      if (serve) await gateway.serve();
    } catch (error) {
      await gateway.remove();
      throw error;
    }
    return gateway;
  }

  configure(conf) {
    const file = join(this.state, 'deskgate.conf');
    let text = readFileSync(file, 'utf8');
    for (const [section, keys] of Object.entries(conf)) {
      for (const [key, value] of Object.entries(keys)) text = configure(text, section, key, value);
    }
    writeFileSync(file, text);
  }

  // ---- the command line ----

  cli(...args) {
    const options = typeof args.at(-1) === 'object' ? args.pop() : {};
    return run(this.program, ['--state', this.state, ...args], options);
  }

  json(...args) {
    return JSON.parse(this.cli(...args, '--json').stdout);
  }

  addUser(name, password = PASSWORD) {
    const made = JSON.parse(this.cli('user', 'add', name, '--password-stdin', '--json',
      { input: `${password}\n` }).stdout);
    return new User(this, name, password, made.totp_secret);
  }

  addDesktop(name, port, host = '127.0.0.1') {
    this.cli('desktop', 'add', name, '--host', host, '--port', String(port));
  }

  grant(user, desktop) {
    this.cli('grant', 'add', user.name ?? user, desktop);
  }

  // Changes the database by hand, for what only time or a crash would bring.
  sql(text, ...values) {
    const script = 'import sqlite3,sys,json\nc=sqlite3.connect(sys.argv[1],timeout=10)\n' +
      'c.execute(sys.argv[2], json.loads(sys.argv[3]))\nc.commit()\n';
    run('python3', ['-c', script, join(this.state, 'deskgate.db'), text, JSON.stringify(values)]);
  }

  // ---- the process ----

  // Returns when it serves; .port (TLS) and .plainPort (when http_listen is configured) are set.
  async serve() {
    const process = start(this.program, ['--state', this.state, 'serve', '--ready-fd', '3'],
      { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
    this.process = process;
    process.child.stderr.on('data', (text) => {
      this.log += text;
      if (logs) appendFileSync(logs, text);
    });
    let ready = '';
    process.child.stdio[3].setEncoding('utf8').on('data', (text) => { ready += text; });
    await until(() => `the gateway serves\n${this.log}`, async () => {
      if (!process.running()) {
        await process.ended; // what it said is here, too
        throw new Error(`the gateway ended: ${this.log}`);
      }
      return ready.endsWith('\n');
    }, { ms: 60_000 });
    this.addresses = ready.trim();
    const ports = [...this.addresses.matchAll(/:(\d+)\b/g)].map((match) => Number(match[1]));
    [this.port, this.plainPort] = ports;
    this.#agent?.destroy();
    this.#agent = undefined;
    this.ca = readFileSync(join(this.state, 'tls/cert.pem'));
  }

  get pid() {
    return this.process.child.pid;
  }

  // The pid of the "gate" or the "keeper"; undefined while there is none.
  part(name) {
    return childrenOf(this.pid).find((pid) => {
      try {
        return status(pid, 'Name').startsWith(`deskgate-${name}`.slice(0, 15));
      } catch {
        return false;
      }
    });
  }

  async stop(options) {
    this.#agent?.destroy();
    this.#agent = undefined;
    const result = await stop(this.process, options);
    this.process = undefined;
    return result;
  }

  async restart() {
    await this.stop();
    await this.serve();
  }

  // Sends SIGHUP; answers with what the log says about it, when `due` is in it.
  async reload(due = /conf\.reload: the configuration has been read again/) {
    const at = this.log.length;
    process.kill(this.pid, 'SIGHUP');
    await until(() => `${due}\n${this.log.slice(at)}`, () => due.test(this.log.slice(at)));
    return this.log.slice(at);
  }

  // Waits until the log says so, since `at`; what it says. What the gateway does and what it writes about it do not
  // come here at the same time.
  said(words, at = 0) {
    return until(() => `${words}\n${this.log.slice(at).slice(-3000)}`, () => words.exec(this.log.slice(at)) ?? undefined);
  }

  async remove() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  running() {
    return this.process !== undefined && alive(this.pid);
  }

  // ---- the wire ----

  tlsOptions() {
    return { ca: this.ca, servername: 'localhost', ALPNProtocols: ['http/1.1'] };
  }

  // One HTTPS request: {status, headers, body, bytes, json}. Throws when there is no answer.
  async http(method, path, { body, headers = {}, token, fresh = false, timeout = 30_000 } = {}) {
    if (!fresh) await caughtUp(); // a connection that the gateway has closed meanwhile is not used again
    this.#agent ??= new Agent({ keepAlive: true, maxSockets: 32 });
    const all = { Host: `localhost:${this.port}`, ...headers };
    if (token) all.Authorization = `Bearer ${token}`;
    return new Promise((fulfil, fail) => {
      const sent = request({
        host: '127.0.0.1', port: this.port, method, path, headers: all, timeout: timeout * patience,
        agent: fresh ? false : this.#agent, ca: this.ca, servername: 'localhost',
      }, (answer) => {
        const pieces = [];
        answer.on('data', (piece) => pieces.push(piece));
        answer.on('error', fail);
        answer.on('end', () => {
          const bytes = Buffer.concat(pieces);
          const text = bytes.toString('utf8');
          const is = /^application\/json/.test(answer.headers['content-type'] ?? '');
          fulfil({ status: answer.statusCode, headers: answer.headers, body: text, bytes, json: is && text ? JSON.parse(text) : undefined });
        });
      });
      sent.on('timeout', async () => {
        const heard = sent.socket?.bytesRead;
        await caughtUp();
        if (sent.socket?.bytesRead === heard) sent.destroy(new Error(`${method} ${path}: no answer`));
      });
      sent.on('error', fail);
      sent.end(body);
    });
  }

  // Closes connections that are kept for the next request.
  hangUp() {
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  // A POST of JSON; `options` go before what that takes.
  post(path, body = {}, options = {}) {
    return this.http('POST', path,
      { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' }, ...options });
  }

  login(body, options) {
    return this.post('/api/login', body, options);
  }

  wire(options = {}) {
    return Wire.tls(this.port, { ...this.tlsOptions(), ...options });
  }

  // The same gateway, seen from wherever `options` of a TLS connection say.
  through(options) {
    return Object.assign(Object.create(this), { wire: (more) => this.wire({ ...options, ...more }) });
  }

  // A raw tunnel: {ws, answer, wire}.
  async tunnel(desktop, token, headers = {}) {
    const wire = await this.wire();
    const opened = await RawSocket.open(wire, `/tunnel/${desktop}`,
      { Host: `localhost:${this.port}`, ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers });
    return { ...opened, wire };
  }

  // Many, a few at a time: one session may have eight dials under way. Paused ones read nothing.
  async tunnels(desktop, token, count, { paused = false } = {}) {
    const all = [];
    while (all.length < count) {
      const batch = Math.min(8, count - all.length);
      all.push(...await Promise.all(Array.from({ length: batch }, async () => {
        const opened = await this.tunnel(desktop, token);
        if (paused) opened.wire.socket.pause();
        return opened;
      })));
    }
    return all;
  }

  async healthy({ ms = 30_000 } = {}) {
    await until(() => `the gateway is healthy\n${this.log.slice(-3000)}`, async () => {
      try {
        return (await this.http('GET', '/healthz', { fresh: true, timeout: 2_000 })).status === 200;
      } catch {
        return false;
      }
    }, { ms, every: 20 });
  }

  audit(...args) {
    return this.json('audit', 'list', ...args);
  }
}

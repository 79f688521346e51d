// The RDP clients that people have, on screens of their own, with the ticket of a downloaded .rdp
// file; and what a person does with them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyness, difference, screen, screenshot, xdotool } from './desktop.mjs';
import { root, run, start, stop } from './proc.mjs';
import { ticketIn } from './rdg.mjs';
import { sleep, until } from './wait.mjs';

export const words = (count) => Array.from({ length: count }, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[randomInt(36)]).join('');

// ---- which clients there are ----

const find = (name) => run('sh', ['-c', `command -v ${name}`], { allow: true }).stdout.trim();

// The FreeRDP that this release has: {command, version}.
export const freerdp = ['xfreerdp', 'xfreerdp3'].map(find).filter(Boolean)
  .map((command) => ({ command, version: command.endsWith('3') ? 3 : 2 }))[0];

// FreeRDP 3 on any release, below the build folder where it is not installed; {missing} says why it
// cannot be had.
export function freerdp3() {
  const made = spawnSync(join(root, 'tests/e2e/lib/freerdp3'), [join(root, 'build/freerdp3')],
    { env: process.env, encoding: 'utf8', timeout: 300_000 }); // the proxies are for its download
  if (made.status === 0) return { command: made.stdout.trim(), version: 3 };
  if (made.status !== 69) throw new Error(`${made.error ?? ''}${made.stderr}`);
  return { missing: made.stderr.trim() };
}

// ---- tickets ----

// {text, ticket} of a fresh file.
export async function rdpFile(gateway, token, name = 'office') {
  const answer = await gateway.http('GET', `/api/desktops/${name}/rdp`, { token });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/x-rdp');
  assert.match(answer.headers['content-disposition'], new RegExp(`attachment; filename="${name}.rdp"`));
  return { text: answer.body, ticket: ticketIn(answer.body) };
}

// ---- a client at work ----

const WAYS = { websocket: 'http', legacy: 'http,no-websockets' };

// With a ticket, or with a name and a gateway password.
function gatewayArguments({ version }, { port, ticket, account, way }) {
  const [gateway, type] = [`g:localhost:${port}`, WAYS[way]];
  if (version === 2) return [`/${gateway}`, `/gt:${type}`, ...account ? [`/gu:${account.username}`, `/gp:${account.password}`] : [`/gat:${ticket}`]];
  return [`/gateway:${gateway},type:${type},${account ? `u:${account.username},p:${account.password}` : `access-token:${ticket}`}`];
}

// Clients with a folder and screens of their own; stop() takes all of it down.
export class Clients {
  #folder = mkdtempSync(join(tmpdir(), 'deskgate-clients-'));
  #running = [];

  get folder() {
    return this.#folder;
  }

  // One at work: {view, process, said(), stop()}. `port` is the gateway's, or that of what stands
  // before it; `security` says which kinds of RDP's it offers, `more` are further arguments, `env` further variables.
  async start(program, { port, ticket, account, name = 'office', way = 'websocket', security = ['/sec:tls'], more = [], env = {} }) {
    const view = await screen();
    const process = start(program.command, [`/v:${name}`, ...gatewayArguments(program, { port, ticket, account, way }),
      '/cert:ignore', '/u:demo', '/p:demo', ...security, '/size:1024x768', '/log-level:INFO', ...more],
    { env: { DISPLAY: view.display, HOME: this.#folder, ...env } });
    const client = {
      view,
      process,
      said: () => process.out + process.err,
      stop: async () => {
        await stop(process);
        await view.stop();
      },
    };
    this.#running.push(client);
    return client;
  }

  async stop() {
    for (const client of this.#running.splice(0).reverse()) await client.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function samePicture(client, desktop, { ms = 80_000 } = {}) {
  let seen;
  await until(() => `the same picture on both sides, differs by ${seen}\n${client.said()}`, () => {
    assert.ok(client.process.running(), `the client ended: ${client.said()}`);
    const there = screenshot(desktop.display);
    seen = difference(there, screenshot(client.view.display));
    return busyness(there) > 0.001 && seen < 0.002;
  }, { ms, every: 300 });
}

// Types a line into the desktop's terminal; it is there when this returns. On a busy machine a key is
// let go so late that X would repeat it, and a window that was just clicked at may not listen yet: a
// line that does not arrive whole is followed by another one.
export async function typesThere(client, desktop) {
  for (const display of [client.view.display, desktop.display]) run('xset', ['-display', display, 'r', 'off']);
  const lines = [];
  let typed = 0;
  const there = () => (existsSync(desktop.typed) ? readFileSync(desktop.typed, 'utf8') : '');
  await until(() => `"${lines.join('", "')}" arrives; there is "${there()}"`, async () => {
    if (Date.now() - typed > 10_000) {
      lines.push(`echo ${words(20)}`);
      xdotool(client.view.display, 'mousemove', 300, 150, 'click', 1);
      await sleep(500);
      xdotool(client.view.display, 'type', '--delay', 40, lines.at(-1));
      xdotool(client.view.display, 'key', 'Return');
      typed = Date.now();
    }
    return lines.some((line) => there().includes(`${line}\n`));
  }, { ms: 80_000 });
}

export const ends = (client, ms = 80_000) => until(() => `the client ends: ${client.said()}`, () => !client.process.running(), { ms });

// ---- clipboards of X displays ----

// xclip stays alive to serve what it was given; it ends with the selection.
export const copy = (display, text, ...options) => run('sh', ['-c', 'printf %s "$TEXT" | timeout 60 xclip -i -selection clipboard "$@" >/dev/null 2>&1 &', 'sh', ...options],
  { env: { DISPLAY: display, TEXT: text } });
export const paste = (display, ...options) => run('timeout', ['5', 'xclip', '-o', '-selection', 'clipboard', ...options],
  { env: { DISPLAY: display }, allow: true }).stdout;

// Copies at `from` until `to` has it: nobody tells when the clipboard's channel is there, and what
// was copied before it is not sent.
export async function copiesTo(from, to, text, client) {
  let copied = 0;
  await until(() => `"${text}" on ${to}; there is "${paste(to)}"\n${client.said()}`, () => {
    if (Date.now() - copied > 3000) {
      copy(from, text);
      copied = Date.now();
    }
    return paste(to) === text;
  }, { ms: 60_000, every: 300 });
}

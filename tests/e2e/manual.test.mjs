// Nothing that the program can do is missing where people look it up: the manual pages, the page of
// the configuration, the shell's completion.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { binary } from './lib/gateway.mjs';
import { root, run } from './lib/proc.mjs';

const made = join(root, 'build/scripts');
const written = join(root, 'scripts/man');
const state = mkdtempSync(join(tmpdir(), 'deskgate-manual-'));
after(() => rmSync(state, { recursive: true, force: true }));

const help = (...words) => run(binary, [...words, '--help']).stdout;

// The names in a help's list below `head`, and every option that stands at the beginning of a line.
function listed(text, head) {
  const [, part = ''] = text.split(`\n${head}:\n`);
  return part.split('\n\n')[0].split('\n').map((line) => /^ {2}([a-z-]+) /.exec(line)?.[1]).filter(Boolean);
}
const options = (text) => [...text.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm)].map((match) => match[1]);

const pages = new Map(['man1', 'man8'].flatMap((folder) =>
  readdirSync(join(made, folder)).map((file) => [file, readFileSync(join(made, folder, file), 'utf8')])));
const sectionOf = (verb) => help(verb).includes('[--state DIR]') ? 8 : 1;
const verbs = listed(help(), 'Verbs');

test('every verb has a page, with every sub-verb and option of its help', () => {
  assert.ok(verbs.length >= 18 && verbs.includes('user') && verbs.includes('connect'), `${verbs}`);
  for (const verb of verbs) {
    const file = `deskgate-${verb}.${sectionOf(verb)}`;
    const page = pages.get(file);
    assert.ok(page, `${file} is not there`);
    const subs = listed(help(verb), 'Sub-verbs');
    const parts = new Map(page.split('\n.Ss ').map((part) => [part.split('\n')[0], part]));
    for (const sub of subs.length ? subs : [undefined]) {
      const part = sub ? parts.get(`${verb} ${sub}`) : page;
      assert.ok(part, `${file} has no section '${verb} ${sub}'`);
      const names = options(help(verb, ...(sub ? [sub] : [])));
      assert.ok(names.includes('help'));
      for (const name of names) {
        assert.match(part, new RegExp(`^\\.It .*Fl \\\\-${name}( |$)`, 'm'), `${file}: ${sub ?? ''} --${name}`);
      }
    }
  }
  assert.equal(pages.size, verbs.length, `there are other pages, too: ${[...pages.keys()]}`);
});

test('deskgate(8) names every verb, its page, and every option before the verb', () => {
  const page = readFileSync(join(written, 'deskgate.8'), 'utf8');
  for (const verb of verbs) {
    assert.match(page, new RegExp(`^\\.It Cm (.*, )?${verb}( |$)`, 'm'), `deskgate.8 says nothing of ${verb}`);
    assert.match(page, new RegExp(`^\\.Xr deskgate-${verb} ${sectionOf(verb)}\\b`, 'm'), `deskgate.8 does not refer to ${verb}'s page`);
  }
  for (const name of options(help())) assert.match(page, new RegExp(`^\\.It Fl -${name}\\b`, 'm'));
});

test('every key of the configuration is in deskgate.conf(5), with its default, and no other', () => {
  run(binary, ['--state', state, 'init', '--name', 'localhost']);
  const settings = JSON.parse(run(binary, ['--state', state, 'settings', '--json']).stdout);
  const page = readFileSync(join(written, 'deskgate.conf.5'), 'utf8');
  const described = new Map();
  for (const part of page.split('\n.Ss Section ').slice(1)) {
    const section = part.split('\n')[0];
    for (const match of part.matchAll(/\bCm (\w+) No \(([^)]*)\)/g)) described.set(`${section}.${match[1]}`, match[2]);
  }
  const keys = new Map(settings.map(({ section, key, value }) => [`${section}.${key}`, value]));
  assert.deepEqual([...described.keys()].sort(), [...keys.keys()].sort());
  for (const [key, said] of described) {
    if (/^[\d.]+$/.test(said) || /^(yes|no|private|prefer|modern)$/.test(said)) assert.equal(said, keys.get(key), key);
  }
});

// ---- what people see ----

// All that the program can say: the texts of the pages, and the C sources' literals, joined as the
// compiler joins them.
function said() {
  const files = (folder, end) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(end)).map((entry) => readFileSync(join(entry.path ?? entry.parentPath, entry.name), 'utf8'));
  const pages = files('web/lang', '.js').map((text) => text.replaceAll("\\'", "'"));
  const sources = ['gate', 'client'].flatMap((room) => files(`server/${room}`, '.c'))
    .map((text) => text.replace(/"\s*\n\s*"/g, '').replaceAll('\\"', '"'));
  return [...pages, ...sources].join('\n');
}

// What stands in quotation marks there (.Dq, alone or behind .Pq, and headings), as it is shown.
function quoted(page) {
  const marks = { '\\(cq': '’', '\\(dq': '"', '\\(pc': '·', '\\[u2026]': '…', '\\&': '' };
  const shown = (text) => text.replace(/ [.,;:]$/, '').replace(/\\(?:\(..|\[u\w+\]|&)/g, (mark) => marks[mark] ?? mark).trim();
  return [...page.matchAll(/^\.(?:.*\b)?Dq (.+)$/gm), ...page.matchAll(/^\.Ss \\\(dq(.+)\\\(dq$/gm)].map((match) => shown(match[1]));
}

test('what the page of troubles quotes is what the program says', () => {
  const quotes = quoted(readFileSync(join(written, 'deskgate-troubleshooting.7'), 'utf8'));
  assert.ok(quotes.length > 50, `${quotes.length} quotes`);
  const all = said();
  const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  for (const quote of quotes) {
    const pattern = quote.split('...').map(escaped).join('[^\\n]{1,20}?');
    assert.ok(new RegExp(pattern).test(all), `nobody says “${quote}”`);
  }
});

// What the page of troubles lists below a heading, in the order of the alphabet.
function explained(heading) {
  const [, part] = readFileSync(join(written, 'deskgate-troubleshooting.7'), 'utf8').split(`\n${heading}\n`);
  assert.ok(part, `there is no '${heading}'`);
  const list = part.split(/\n\.S[sh] /)[0].split('\n.El')[0];
  return [...list.matchAll(/^\.It Li (.+)$/gm)].flatMap(([, words]) => words.split(' , ')).sort();
}

test('every word of the log for an end is on the page of troubles, and no other', () => {
  const names = [...readFileSync(join(root, 'server/ipc/ipc.c'), 'utf8').matchAll(/\[IPC_END_\w+\] = "([a-z-]+)"/g)].map((match) => match[1]);
  assert.deepEqual(explained('.Ss Of a connection that ended'), names.filter((name) => name !== 'none').sort());
});

test('every word of the log for a desktop that was to be opened is on the page of troubles, and no other', () => {
  const [, part] = readFileSync(join(root, 'server/keeper/opening.c'), 'utf8').split('outcome_of(enum ipc_status status)\n');
  const words = [...part.split('\n}')[0].matchAll(/return "([a-z-]+)"/g)].map((match) => match[1]);
  assert.ok(words.length >= 12, `${words}`);
  assert.deepEqual(explained('.Ss Of a desktop that was to be opened'), ['ok', ...words].sort());
});

test('every rule of the alerts is on the page of troubles, with what to do, and no other', () => {
  run(binary, ['--state', state, 'init', '--name', 'localhost']);
  const rules = JSON.parse(run(binary, ['--state', state, 'alert', 'rules', '--json']).stdout).map(({ rule }) => rule);
  assert.ok(rules.includes('gate_dropped'), `${rules}`);
  assert.deepEqual(explained('.Sh ALERTS'), rules.sort());
});

test('what the page of troubles says that check says is one of its items', () => {
  const page = readFileSync(join(written, 'deskgate-troubleshooting.7'), 'utf8');
  const folder = join(root, 'server/admin');
  const sources = readdirSync(folder).filter((name) => name.startsWith('checkup')).map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const items = [...page.matchAll(/its lines\n((?:\.Li .+\nand\n)*\.Li .+)$/gm)]
    .flatMap(([, lines]) => [...lines.matchAll(/^\.Li (.+?)(?: [.:,])?$/gm)].map((match) => match[1]));
  assert.ok(items.length >= 3, `${items}`);
  for (const item of items) assert.ok(new RegExp(`checkup_say\\(\\w+,[^;]*?"${item}"`).test(sources), `check has no line '${item}'`);
});

test('every code that ends a tunnel is in deskgate-operation(7), with its words, and no other', () => {
  const header = readFileSync(join(root, 'server/relay/relay.h'), 'utf8');
  const number = (name) => /^\d+$/.test(name) ? name : new RegExp(`^#define ${name} (\\d+)`, 'm').exec(header)[1];
  const [, table] = readFileSync(join(root, 'server/gate/tunnel.c'), 'utf8').split('closings[IPC_ENDS] = {');
  const closings = [...table.split('};')[0].matchAll(/\[IPC_END_\w+\] = \{(\w+), "([^"]+)"\}/g)]
    .map(([, code, words]) => [number(code), words]);
  assert.ok(closings.length >= 8, `${closings}`);
  const [, part] = readFileSync(join(written, 'deskgate-operation.7'), 'utf8').split('.Sh TUNNELS FOR PROGRAMS');
  const rows = [...part.split('.Sh ')[0].matchAll(/^\.It (\d+) Ta (.+) Ta .+$/gm)].map(([, code, words]) => [code, words]);
  assert.deepEqual(rows, closings.sort());
});

// The page of sizes goes by what was measured last, which stands in README.md.
test('the figures of deskgate-sizing(7) are those of the README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8').replace(/\s+/g, ' ');
  const page = readFileSync(join(written, 'deskgate-sizing.7'), 'utf8').split('.Ss Cores')[1].replace(/\s+/g, ' ');
  for (const figure of ['some 3,500', '9,800', '1 % of a core', '4.3 KB', '81 MB', '50 sign-ins a second|50 a second', 'tenth of a second']) {
    const [there, here = there] = figure.split('|');
    assert.ok(readme.includes(there), `README.md does not say '${there}' any more: correct deskgate-sizing.7 and this test`);
    assert.ok(page.includes(here), `deskgate-sizing.7: ${here}`);
  }
});

// ---- commands ----

const known = new Map();
function helpOf(...words) {
  const key = words.join(' ');
  if (!known.has(key)) known.set(key, run(binary, [...words, '--help'], { allow: true }));
  return known.get(key);
}

// A command as it is written down: its verb, sub-verb and options are there.
function check(command, where) {
  const words = command.split(/\s+/);
  while (words[0] === '--state') words.splice(0, 2);
  const [verb, sub] = words;
  if (!/^[a-z-]+$/.test(verb) || verb === '--version') return;
  assert.ok(verbs.includes(verb), `${where}: there is no verb '${verb}' (${command})`);
  const subs = listed(helpOf(verb).stdout, 'Sub-verbs');
  const named = subs.length && sub && /^[a-z]/.test(sub);
  if (named) assert.ok(subs.includes(sub), `${where}: there is no sub-verb '${verb} ${sub}'`);
  if (subs.length && !named) return;
  const there = options(helpOf(verb, ...(named ? [sub] : [])).stdout);
  for (const [, option] of command.split(' -- ')[0].matchAll(/(?:^|\s)--([a-z][a-z-]+)/g)) {
    assert.ok(there.includes(option), `${where}: '${verb} ${named ? sub : ''}' has no --${option}`);
  }
}

test('the commands in the README are there', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8').replace(/\\\n\s*/g, '');
  const lines = [...readme.matchAll(/^ {4}.*$/gm)].map((match) => match[0]);
  const commands = [...lines.flatMap((line) => line.split(/ {3,}|#|\||…/).slice(1)), ...[...readme.matchAll(/`([^`]+)`/g)].map((match) => match[1])]
    .map((text) => /^(?:sudo )?deskgate ([a-z].*)$/.exec(text.trim())?.[1]).filter(Boolean);
  assert.ok(commands.length > 30, `${commands.length} commands`);
  for (const command of commands) check(command.replace(/'[^']*'/g, 'X'), 'README.md');
});

test('the commands on the written pages are there', () => {
  for (const file of readdirSync(written)) {
    for (const [, rest] of readFileSync(join(written, file), 'utf8').matchAll(/^\.Ic deskgate (.*)$/gm)) {
      check(rest.replace(/ (?:Ar|Cm|Ns|No) /g, ' ').replace(/ Fl -/g, ' --').replace(/ [.,;:]$/, '').replaceAll('|', ' '), file);
    }
  }
});

test('the pages are well-formed', () => {
  const files = [...['man1', 'man8'].flatMap((folder) => readdirSync(join(made, folder)).map((file) => join(made, folder, file))),
    ...readdirSync(written).map((file) => join(written, file))];
  const said = run('mandoc', ['-T', 'lint', '-W', 'warning', ...files], { allow: true });
  assert.equal(said.stdout + said.stderr, '');
});

// ---- completion ----

// What the shell would offer for the last of these words.
function complete(...words) {
  const script = '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _deskgate; printf "%s\\n" "${COMPREPLY[@]}"';
  const out = run('bash', ['-c', script, 'bash', join(made, 'deskgate'), 'deskgate', ...words]).stdout;
  return out.split('\n').filter(Boolean);
}

test('the completion offers every verb, sub-verb and option', () => {
  assert.deepEqual(complete(''), [...verbs, 'state', 'version', 'help'].map((name, i) => i < verbs.length ? name : `--${name}`));
  for (const verb of verbs) {
    const subs = listed(help(verb), 'Sub-verbs');
    for (const sub of subs) {
      const wanted = options(help(verb, sub)).map((name) => `--${name}`);
      assert.deepEqual(complete(verb, sub, '--'), wanted);
    }
    if (subs.length) assert.deepEqual(complete(verb, ''), [...subs, '--help']);
    else assert.deepEqual(complete(verb, '--'), options(help(verb)).map((name) => `--${name}`));
  }
});

test('the completion knows beginnings, values and what stands before the verb', () => {
  assert.deepEqual(complete('--state', '/some/where', 'us'), ['user']);
  assert.deepEqual(complete('--state', '=', '/some/where', 'user', 'inv'), ['invite']);
  assert.deepEqual(complete('audit', 'export', '--format', ''), ['json', 'csv']);
  assert.deepEqual(complete('audit', 'export', '--format', '=', 'c'), ['csv']);
  assert.deepEqual(complete('user', 'add', 'list', '--pass'), ['--password-stdin']);
  assert.deepEqual(complete('user', 'limit', 'anna', '--from', ''), []);
  assert.deepEqual(complete('rdp-file', '-o', ''), []);
});

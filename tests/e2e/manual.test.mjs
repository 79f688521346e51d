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

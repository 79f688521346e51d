// Tests that need a network or mounts of their own: the file runs itself again inside. And another
// machine, at the other end of a wire.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { isRoot } from './gateway.mjs';
import { ready, start } from './proc.mjs';

// True within. Else it adds one test that runs `file` (a path) within, and answers false.
// `flags` are those of unshare(1).
export function within(file, flags, { name = 'in namespaces of its own' } = {}) {
  if (process.env.DESKGATE_WITHIN === '1') return true;
  test(name, { skip: isRoot ? false : 'only root can make them' }, (t) => {
    const env = { ...process.env, DESKGATE_WITHIN: '1' };
    delete env.NODE_TEST_CONTEXT;
    const loaded = process.execArgv.flatMap((word, i, all) => (word === '--require' ? [word, all[i + 1]] : [])); // before this file
    const done = spawnSync('unshare', [...flags, process.execPath, ...loaded, file], { encoding: 'utf8', env, timeout: 360_000 });
    assert.equal(done.status, 0, done.stdout + done.stderr);
    for (const line of done.stdout.match(/^# (pass \d+|.* ms at most)$/gm) ?? []) t.diagnostic(line);
  });
  return false;
}

export function sh(command) {
  const done = spawnSync('sh', ['-ec', command], { encoding: 'utf8' });
  assert.equal(done.status, 0, `${command}: ${done.stderr}`);
  return done.stdout;
}

// A machine with these addresses, across a wire from `here`, an address of this one's namespace; both
// of a network of 24 bits.
export class Machine {
  #holder = start('unshare', ['--net', 'sleep', '600']);

  #programs = [];

  static async start(here, addresses) {
    const machine = new Machine();
    const { pid } = machine.#holder.child;
    await ready(machine.#holder, 'another network', () => sh(`readlink /proc/self/ns/net /proc/${pid}/ns/net | uniq | wc -l`).trim() === '2');
    sh(`ip link set lo up && ip link add here type veth peer name there netns ${pid} && ip addr add ${here}/24 dev here && ip link set here up`);
    for (const address of addresses) machine.appear(address);
    machine.#sh('ip link set there up');
    return machine;
  }

  #sh(command) {
    sh(`nsenter -t ${this.#holder.child.pid} -n ${command}`);
  }

  appear(address) {
    this.#sh(`ip addr add ${address}/24 dev there`);
  }

  // Nobody answers at that address from now on, and nobody was told.
  vanish(address) {
    this.#sh(`ip addr del ${address}/24 dev there`);
  }

  // Runs a script of Node.js there; returns when it has said something.
  async run(script, ...args) {
    const program = start('nsenter', ['-t', String(this.#holder.child.pid), '-n', process.execPath, '-e', script, ...args.map(String)]);
    this.#programs.push(program);
    await ready(program, 'it speaks', () => program.out !== '');
  }

  stop() {
    for (const { child } of [...this.#programs, this.#holder]) child.kill('SIGKILL');
  }
}

// What another process has in its memory, read as root: for tests that look for secrets there.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { until } from './wait.mjs';

const PIECE = 1 << 20;

// Mappings that can be read and written: {from, size, name}. Device memory and the kernel's own
// pages have no secrets of ours.
function mappings(pid) {
  return readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').flatMap((line) => {
    const match = line.match(/^([0-9a-f]+)-([0-9a-f]+) rw\S+ \S+ \S+ \S+\s*(.*)$/);
    if (!match || /^\/dev\/|\[v(var|dso|syscall)/.test(match[3])) return [];
    const from = Number(`0x${match[1]}`);
    return [{ from, size: Number(`0x${match[2]}`) - from, name: match[3] || 'anonymous' }];
  });
}

// Offsets of pages that are there at all: most of what is mapped was never touched, and reading it
// would make it exist.
function* present(pagemap, { from, size }) {
  const entries = Buffer.alloc((size / 4096) * 8);
  const got = readSync(pagemap, entries, 0, entries.length, (from / 4096) * 8);
  let begun = -1;
  for (let page = 0; page <= got / 8; page++) {
    const there = page < got / 8 && entries[page * 8 + 7] & 0xc0; // in memory, or in swap
    if (there && begun < 0) begun = page;
    if (begun >= 0 && (!there || (page - begun) * 4096 >= PIECE)) {
      yield [begun * 4096, (page - begun) * 4096];
      begun = there ? page : -1;
    }
  }
}

// Where each of the needles ({name: Buffer}) is: ["password at 7f… (name of the mapping)"].
export function searchMemory(pid, needles) {
  const found = [];
  const longest = Math.max(...Object.values(needles).map((needle) => needle.length));
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    for (const mapping of mappings(pid)) {
      let kept = Buffer.alloc(0); // the end of the piece before: a needle may lie across
      let end = -1;
      for (const [offset, size] of present(pagemap, mapping)) {
        const piece = Buffer.alloc(size);
        let got;
        try {
          got = readSync(memory, piece, 0, size, mapping.from + offset);
        } catch {
          continue; // unmapped meanwhile
        }
        const before = end === offset ? kept : Buffer.alloc(0);
        const bytes = Buffer.concat([before, piece.subarray(0, got)]);
        for (const [name, needle] of Object.entries(needles)) {
          for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
            if (at + needle.length <= before.length) continue; // told already
            const where = mapping.from + offset - before.length + at;
            found.push(`${name} at ${where.toString(16)} (${mapping.name})`);
          }
        }
        kept = bytes.subarray(Math.max(0, bytes.length - longest + 1));
        end = offset + got;
      }
    }
  } finally {
    closeSync(memory);
    closeSync(pagemap);
  }
  return found;
}

// The forms in which a text may lie about.
export const typed = (name, text) => ({ [name]: Buffer.from(text), [`${name}, UTF-16`]: Buffer.from(text, 'utf16le') });

// The same of all processes of a gateway.
export function searchGateway(gateway, needles) {
  const parts = { supervisor: gateway.pid, gate: gateway.part('gate'), keeper: gateway.part('keeper') };
  return Object.entries(parts).flatMap(([part, pid]) => searchMemory(pid, needles).map((what) => `${part}: ${what}`));
}

// Throws while one of them is found. What is given back a moment later is not a finding.
export async function nowhereIn(gateway, needles) {
  let found;
  await until(() => `nowhere: ${found.join('\n')}`, () => (found = searchGateway(gateway, needles)).length === 0,
    { every: 100 });
}

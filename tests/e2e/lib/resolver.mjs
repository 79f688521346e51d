// A resolver at 127.0.0.1:53 of a network namespace, which answers as it likes (RFC 1035).
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { realpathSync, writeFileSync } from 'node:fs';
import { sh } from './namespace.mjs';

function ipv6(address) {
  const [head, tail] = address.split('::').map((part) => (part ? part.split(':').map((word) => parseInt(word, 16)) : []));
  const words = tail ? [...head, ...Array(8 - head.length - tail.length).fill(0), ...tail] : head;
  return Buffer.concat(words.map((word) => Buffer.from([word >> 8, word & 255])));
}

const bytesOf = (address) => (address.includes(':') ? ipv6(address) : Buffer.from(address.split('.').map(Number)));

function questionOf(query) {
  const labels = [];
  let at = 12;
  for (; query[at]; at += query[at] + 1) labels.push(query.toString('ascii', at + 1, at + 1 + query[at]));
  return { name: labels.join('.'), end: at + 5, type: query.readUInt16BE(at + 1) };
}

// An answer to a query with that code (0: no error, 2: SERVFAIL, 3: NXDOMAIN …) and these records,
// each {type, data} of the name that was asked for.
export function answerTo(query, code, records = []) {
  const { end } = questionOf(query);
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  const wire = records.map(({ type, data }) => {
    const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, data.length >> 8, data.length & 255]);
    return Buffer.concat([head, data]);
  });
  return Buffer.concat([header, query.subarray(12, end), ...wire]);
}

export class Resolver {
  // name: a function of (v6, query) that answers with addresses, 'none' (NXDOMAIN), 'silence', or the
  // bytes of an answer; or with a promise of them.
  zone = {};

  #socket;

  // Needs a network and mounts of its own. `folder` may hold its resolv.conf.
  static async start(folder, options = 'timeout:1 attempts:1') {
    const resolver = new Resolver();
    writeFileSync(`${folder}/resolv.conf`, `nameserver 127.0.0.1\noptions ${options}\n`, { mode: 0o644 });
    sh(`mount --make-rprivate / && mount --bind ${folder}/resolv.conf ${realpathSync('/etc/resolv.conf')}`);
    await resolver.listen();
    return resolver;
  }

  // Again, after close().
  async listen() {
    const socket = createSocket('udp4', async (query, from) => {
      const answer = await this.#reply(query);
      if (answer && this.#socket === socket) socket.send(answer, from.port, from.address); // else it is closed
    });
    this.#socket = socket;
    socket.bind(53, '127.0.0.1');
    await once(socket, 'listening');
  }

  async #reply(query) {
    const { name, type } = questionOf(query);
    const told = await (this.zone[name]?.(type === 28, query) ?? 'none');
    if (told === 'silence') return null;
    if (told === 'none') return answerTo(query, 3);
    if (Buffer.isBuffer(told)) return told;
    const records = told.filter((one) => one.includes(':') === (type === 28)).map((one) => ({ type, data: bytesOf(one) }));
    return answerTo(query, 0, records);
  }

  close() {
    this.#socket?.close();
    this.#socket = undefined;
  }
}

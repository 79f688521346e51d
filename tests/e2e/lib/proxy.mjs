// PROXY protocol headers, made from the specification; independent of the gateway's codec. And a
// haproxy of the test's own.
import { writeFileSync } from 'node:fs';
import { connect as tcpConnect, isIPv4 } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { ready, start } from './proc.mjs';
import { Wire } from './wire.mjs';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

export function ipBytes(text) {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  const [head, tail] = text.split('::').map((part) => (part ? part.split(':') : []));
  const groups = tail === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

// A header of version 2 for a client at `source`; `more` are TLVs; `length` lies about the rest.
export function header({ source, command = 1, family, body, more = Buffer.alloc(0), length } = {}) {
  const v4 = source && isIPv4(source);
  const addresses = body ?? (source
    ? Buffer.concat([ipBytes(source), ipBytes(v4 ? '192.0.2.1' : '2001:db8::1'), Buffer.from('d43101bb', 'hex')])
    : Buffer.alloc(0));
  const head = Buffer.alloc(4);
  head[0] = 0x20 | command;
  head[1] = family ?? (source ? (v4 ? 0x11 : 0x21) : 0);
  head.writeUInt16BE(length ?? addresses.length + more.length, 2);
  return Buffer.concat([SIGNATURE, head, addresses, more]);
}

// A TCP connection from `from`, of which `first` are the first bytes.
export async function tcpFrom(port, from, first) {
  const socket = tcpConnect({ port, host: '127.0.0.1', localAddress: from });
  const wire = new Wire(socket);
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {}); // in wire.error
  if (first) wire.send(first);
  return wire;
}

// TLS over such a connection; throws when there is none to be had.
export async function tlsFrom(gateway, from, first, port = gateway.port) {
  const below = await tcpFrom(port, from);
  const { socket } = below;
  socket.removeAllListeners('data'); // TLS reads it from here on
  if (first) socket.write(first);
  const secure = tlsConnect({ socket, ...gateway.tlsOptions() });
  const wire = new Wire(secure);
  await Promise.race([once(secure, 'secureConnect'), once(secure, 'close').catch(() => {})]);
  if (!secure.authorized) throw wire.error ?? new Error('closed without TLS');
  return wire;
}

// Runs haproxy with these sections in its configuration, until it listens on `ports`.
export async function haproxy(folder, sections, ports) {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, 'global\n  nbthread 1\ndefaults\n  timeout connect 5s\n  timeout client 60s\n' +
    `  timeout server 60s\n  timeout tunnel 60s\n${sections}`);
  const process = start('haproxy', ['-db', '-f', file]);
  for (const port of ports) {
    await ready(process, 'haproxy listens', async () => {
      const wire = await tcpFrom(port, '127.0.0.1');
      wire.end();
      return !wire.error;
    });
  }
  return process;
}

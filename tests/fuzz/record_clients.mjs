// Records what real RDP clients say to the gateway, as seeds for fuzz_gate (which see for their
// form): FreeRDP through each of its ways, with a ticket and with a gateway password. It stands
// between the client and the gateway and opens TLS.
//
//     unshare --uts sh -c 'hostname laptop && node tests/fuzz/record_clients.mjs FOLDER'
//
// In a UTS namespace, as clients say the machine's name.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { Clients, freerdp, freerdp3, rdpFile } from '../e2e/lib/clients.mjs';
import { shadowDesktop } from '../e2e/lib/desktop.mjs';
import { Gateway } from '../e2e/lib/gateway.mjs';
import { sleep, until } from '../e2e/lib/wait.mjs';

const MOST = 3000; // bytes of a seed: what comes later is the desktop's TLS
const PASSWORDS = 4; // the first byte's bit
const folder = process.argv[2];

// Listens on a port of its own; .pieces are [connection, bytes], in the order that they came.
async function listener(gateway) {
  const pieces = [];
  let count = 0;
  const pem = (name) => readFileSync(join(gateway.state, 'tls', name)); // clients bind themselves to it
  const server = createServer({ cert: pem('cert.pem'), key: pem('key.pem') }, (client) => {
    const number = count;
    count += 1;
    const onward = connect({ port: gateway.port, host: '127.0.0.1', rejectUnauthorized: false });
    client.on('data', (data) => {
      pieces.push([number, data]);
      onward.write(data);
    });
    onward.on('data', (data) => client.write(data));
    for (const [from, to] of [[client, onward], [onward, client]]) {
      from.on('error', () => to.destroy());
      from.on('end', () => to.end());
      from.on('close', () => to.destroy());
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { port: server.address().port, pieces, close: () => server.close() };
}

function seed(flags, pieces) {
  const parts = [Buffer.from([flags])];
  let room = MOST;
  for (const [number, data] of pieces) {
    const bytes = data.subarray(0, room);
    if (number > 1 || !bytes.length) continue;
    room -= bytes.length;
    const head = Buffer.from([number, 0, 0]);
    head.writeUInt16LE(bytes.length, 1);
    parts.push(head, bytes);
  }
  return Buffer.concat(parts);
}

const clients = new Clients();
const gateway = await Gateway.make({ conf: { rdg: { passwords: 'yes' } } });
const user = gateway.addUser('anna');
const token = await user.token();
const desktop = await shadowDesktop();
gateway.addDesktop('office', desktop.port);
gateway.grant(user, 'office');
mkdirSync(folder, { recursive: true });

async function record(name, program, options) {
  const between = await listener(gateway);
  const client = await clients.start(program, { port: between.port, ...options });
  await until(`${name} is through`, () => gateway.json('tunnel', 'list').some((row) => row.way === 'rdg'), { ms: 30_000 })
    .catch((error) => console.log(`${error.message}\n${client.said()}`));
  await sleep(500);
  await client.stop();
  between.close();
  writeFileSync(join(folder, name), seed(options.account ? PASSWORDS : 0, between.pieces));
  console.log(`${name}: ${between.pieces.length} pieces`);
  await until('the tunnel has ended', () => gateway.json('tunnel', 'list').length === 0);
}

async function account() {
  const { json } = await gateway.http('POST', '/api/desktops/office/password',
    { token, body: '{}', headers: { 'Content-Type': 'application/json' } });
  return json;
}

const newer = freerdp3();
for (const program of [freerdp, newer].filter((one) => one.command)) {
  for (const way of ['websocket', 'legacy']) {
    const name = `freerdp${program.version}-${way}`;
    await record(name, program, { way, ticket: (await rdpFile(gateway, token)).ticket });
    await record(`${name}-password`, program, { way, account: await account() });
  }
}
await clients.stop();
await desktop.stop();
await gateway.remove();

// Half an hour of nothing: real clients show a desktop on which nothing happens, and then what is
// typed still arrives, through the same connection. By hand, since it takes the time that it takes.
//
//     node tests/bench/idle.mjs [MINUTES] [websocket|legacy]…
//
// Each way (both when none is named) with each FreeRDP that can be had, all at once; the exit code
// is 0 when all of them survived. Prints the longest silence of the gateway on the wire, too: what
// stands between (NAT, proxies) forgets a connection on which nothing moves, often after a minute.
import { Clients, freerdp, freerdp3, rdpFile, samePicture, typesThere } from '../e2e/lib/clients.mjs';
import { shadowDesktop } from '../e2e/lib/desktop.mjs';
import { Gateway } from '../e2e/lib/gateway.mjs';
import { Line } from '../e2e/lib/line.mjs';
import { sleep } from '../e2e/lib/wait.mjs';

const minutes = Number(process.argv[2] ?? 31);
const ways = process.argv.length > 3 ? process.argv.slice(3) : ['websocket', 'legacy'];

const clients = new Clients();
const gateway = await Gateway.make();
const started = []; // to be stopped
const user = gateway.addUser('anna');
const token = await user.token();

const tunnelTo = (name) => gateway.json('tunnel', 'list').find((row) => row.desktop === name);

async function begin(program, way) {
  const name = `${way}-${program.version}`;
  const desktop = await shadowDesktop();
  started.push(desktop);
  gateway.addDesktop(name, desktop.port);
  gateway.grant(user, name);
  const line = await Line.to(gateway.port);
  started.push({ stop: () => line.close() });
  const { ticket } = await rdpFile(gateway, token, name);
  const client = await clients.start(program, { port: line.port, ticket, name, way, more: ['-auto-reconnect'] });
  await samePicture(client, desktop);
  await typesThere(client, desktop);
  line.silence = 0;
  return { name, desktop, line, client, tunnel: tunnelTo(name), begun: Date.now() };
}

// What became of it, in words; what failed begins with "FAILED".
async function finish({ name, desktop, line, client, tunnel, begun }) {
  const after = `${((Date.now() - begun) / 60_000).toFixed(1)} minutes`;
  try {
    if (!client.process.running()) throw new Error(`the client ended: ${client.said()}`);
    if (tunnelTo(name)?.id !== tunnel.id) throw new Error('it is another tunnel now');
    await typesThere(client, desktop);
    await samePicture(client, desktop);
    return `ok      ${name}: typed after ${after}; ${line.made} connections in all, the gateway's longest silence ${(line.silence / 1000).toFixed(1)} s`;
  } catch (error) {
    return `FAILED  ${name}: after ${after}: ${error.message}`;
  }
}

try {
  const programs = [freerdp];
  const newer = freerdp3();
  if (newer.missing) console.log(`without FreeRDP 3: ${newer.missing}`);
  else if (newer.version !== freerdp.version) programs.push(newer);
  const all = [];
  for (const way of ways) for (const program of programs) all.push(await begin(program, way));
  console.log(`${all.map(({ name }) => name).join(', ')}: idle for ${minutes} minutes from ${new Date().toISOString()}`);
  await sleep(minutes * 60_000);
  for (const one of all) {
    const result = await finish(one);
    if (result.startsWith('FAILED')) process.exitCode = 1;
    console.log(result);
  }
} finally {
  await clients.stop();
  for (const thing of started.reverse()) await thing.stop();
  await gateway.remove();
}

// What a byte costs by each way in: a raw tunnel, the RD Gateway protocol over WebSocket, and over
// the legacy pair, one after the other in each round, so that all of them have the same weather.
// Prints medians: wall time, the CPU time of all of the gateway's processes, and both beside the raw
// tunnel's of the same round. Nothing here passes or fails.
//
//     node tests/bench/rdg-bulk.mjs [ROUNDS] [MEGABYTES]
//
// One connection, loopback, messages of 16 KiB up. The client and the desktop are threads of this
// process and take cores, too: on a small machine they are what limits the wall time.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { rdpFile } from '../e2e/lib/clients.mjs';
import { Gateway } from '../e2e/lib/gateway.mjs';
import { childrenOf, run } from '../e2e/lib/proc.mjs';
import { LegacyRdg, WebSocketRdg, data } from '../e2e/lib/rdg.mjs';
import { sleep, until } from '../e2e/lib/wait.mjs';
import { frame } from '../e2e/lib/wire.mjs';

const MESSAGE = 16 * 1024;
const PIECE = 16; // messages of one write

// As the socket takes it; the last piece is whole, too.
async function pour(socket, piece, pieces) {
  for (let i = 0; i < pieces; i++) {
    if (!socket.write(piece)) await once(socket, 'drain');
  }
}

// ---- the desktop, a thread of its own: it takes `total` bytes, or gives them after the first ----

function desktop({ gives, total }) {
  const server = createServer({ noDelay: true }, (socket) => {
    let got = 0;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      got += bytes.length;
      if (gives && got === bytes.length) pour(socket, Buffer.alloc(MESSAGE * PIECE, 'x'), total / MESSAGE / PIECE);
      if (!gives && got === total) parentPort.postMessage('taken');
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
}

// ---- the ways in: a client's sockets (what it reads from, what it writes to) and its framing ----

const WAYS = {
  raw: {
    open: async (gateway, token, name) => {
      const { ws } = await gateway.tunnel(name, token);
      return { from: ws.wire, to: ws.wire };
    },
    wrap: (bytes) => frame({ payload: bytes }),
  },
  'RDG WebSocket': {
    open: async (gateway, token, name) => {
      const rdg = await opened(WebSocketRdg, gateway, token, name);
      return { from: rdg.wire, to: rdg.wire };
    },
    wrap: (bytes) => frame({ payload: data(bytes) }),
  },
  'RDG legacy': {
    open: async (gateway, token, name) => {
      const rdg = await opened(LegacyRdg, gateway, token, name);
      return { from: rdg.wire, to: rdg.in };
    },
    wrap: (bytes) => LegacyRdg.chunk(data(bytes)),
  },
};

async function opened(Way, gateway, token, name) {
  const { ticket } = await rdpFile(gateway, token, name);
  const rdg = await Way.connect(gateway);
  const { status, at } = await rdg.open(ticket, [name]);
  if (status !== 0) throw new Error(`${Way.kind}: 0x${status.toString(16)} at ${at}`);
  return rdg;
}

// ---- one run ----

const TICKS = Number(run('getconf', ['CLK_TCK']).stdout);

// Seconds of CPU time of a process and its children so far.
function cpu(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number);
  return childrenOf(pid).reduce((sum, child) => sum + cpu(child), (user + system) / TICKS);
}

async function measure(bench, way, direction) {
  const { from, to } = await WAYS[way].open(bench.gateway, bench.token, direction);
  const one = WAYS[way].wrap(Buffer.alloc(MESSAGE, 'x'));
  let got = 0;
  let done;
  if (direction === 'up') {
    done = once(bench.desktops.up, 'message');
  } else { // headers included: ends a little early, by a tenth of a percent at most
    from.socket.removeAllListeners('data');
    done = new Promise((fulfil) => {
      from.socket.on('data', (bytes) => {
        got += bytes.length;
        if (got >= bench.total) fulfil();
      });
    });
  }
  await sleep(200);
  const before = cpu(bench.gateway.pid);
  const begun = performance.now();
  if (direction === 'up') await pour(to.socket, Buffer.concat(Array(PIECE).fill(one)), bench.total / MESSAGE / PIECE);
  else to.send(WAYS[way].wrap(Buffer.from('x')));
  await done;
  const wall = (performance.now() - begun) / 1000;
  const used = cpu(bench.gateway.pid) - before;
  from.end();
  to.end();
  await until('the tunnel is gone', () => bench.gateway.json('tunnel', 'list').length === 0);
  return { wall, cpu: used };
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

function print(results, direction, total) {
  const gigabytes = total / 1e9;
  console.log(`\n${direction.padEnd(16)}     MB/s   CPU s/GB   wall : raw   CPU : raw`);
  for (const [way, rounds] of Object.entries(results)) {
    const of = (key) => median(rounds.map((one) => one[key]));
    const ratio = (key) => median(rounds.map((one, i) => one[key] / results.raw[i][key])).toFixed(2);
    console.log(`${way.padEnd(16)} ${(total / 1e6 / of('wall')).toFixed(0).padStart(8)} ${(of('cpu') / gigabytes).toFixed(3).padStart(10)} ` +
      `${ratio('wall').padStart(12)} ${ratio('cpu').padStart(11)}`);
  }
}

async function main() {
  const rounds = Number(process.argv[2] ?? 5);
  const total = Math.ceil(Number(process.argv[3] ?? 1000) * 1e6 / MESSAGE / PIECE) * MESSAGE * PIECE;
  const gateway = await Gateway.make();
  const bench = { gateway, total, desktops: {} };
  try {
    const user = gateway.addUser('anna');
    for (const direction of ['up', 'down']) {
      const thread = new Worker(new URL(import.meta.url), { workerData: { gives: direction === 'down', total } });
      const [port] = await once(thread, 'message');
      bench.desktops[direction] = thread;
      gateway.addDesktop(direction, port);
      gateway.grant(user, direction);
    }
    bench.token = await user.token();
    console.log(`medians of ${rounds} rounds of ${(total / 1e6).toFixed(0)} MB`);
    for (const direction of ['up', 'down']) {
      const results = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
      for (let round = 0; round < rounds; round++) {
        for (const way of Object.keys(WAYS)) results[way].push(await measure(bench, way, direction));
      }
      print(results, direction, total);
    }
  } finally {
    for (const thread of Object.values(bench.desktops)) await thread.terminate();
    await gateway.remove();
  }
}

if (isMainThread) await main();
else desktop(workerData);

// Many connections from our side through one device: prints one JSON object with what became of them.
//
//   node many.mjs get HOST PORT PATH SEQUENTIAL PARALLEL [tap]    downloads, each on a connection of its own
//   node many.mjs silence HOST PORT                         connects, waits for a line on stdin, sends into the silence

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { HttpClientStream } from '../../dist/http/index.js';
import { openTun } from '../../dist/link/tun.js';
import { createHost } from '../../dist/run/index.js';

const [mode, address, port, path, sequential, parallel, kind = 'tun'] = process.argv.slice(2);
const { host, runtime } = createHost({
  name: 'many',
  profile: { timeWait: 100, ...(mode === 'silence' ? { dataRetries: 3, rtoMin: 100 } : {}) },
});
const link = openTun({ name: 'synfin0', mode: kind, kernelAddresses: ['10.77.0.1/24'] });
runtime.attach(link, { addresses: ['10.77.0.2/24'] });

function get() {
  return new Promise((resolve) => {
    runtime.tick();
    const http = new HttpClientStream(host.connect({ address, port: Number(port) }));
    const hash = createHash('sha256');
    const headers = { Host: `${address}:${port}`, Connection: 'close' };
    http.request(
      { target: path, headers },
      {
        onResponse: () => {},
        onData: (bytes, from, to) => hash.update(bytes.subarray(from, to)),
        onEnd: () => resolve(hash.digest('hex')),
        onError: (error) => resolve(error.code ?? error.message),
      },
    );
  });
}

function tally(results) {
  const counts = {};
  for (const result of results) counts[result] = (counts[result] ?? 0) + 1;
  return counts;
}

async function downloads() {
  const one = [];
  for (let n = 0; n < Number(sequential); n++) one.push(await get());
  const all = await Promise.all(Array.from({ length: Number(parallel) }, get));
  for (let tries = 0; host.connectionCount > 0 && tries < 200; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { sequential: tally(one), parallel: tally(all), left: host.connections().map((c) => c.state) };
}

async function silence() {
  runtime.tick();
  const connection = host.connect({ address, port: Number(port) });
  const opened = new Promise((resolve) => {
    connection.handler = { onOpen: resolve, onClose: (_, error) => resolve(error) };
  });
  const failure = await opened;
  if (failure instanceof Error) return { code: failure.code };
  process.stdout.write('connected\n');
  await once(process.stdin, 'data');
  runtime.tick();
  const start = runtime.now();
  connection.send(new Uint8Array(1000), 0, 1000);
  const error = await new Promise((resolve) => {
    connection.handler = { onClose: (_, why) => resolve(why) };
  });
  return { code: error?.code ?? null, ms: runtime.now() - start, left: host.connectionCount };
}

const result = await (mode === 'get' ? downloads() : silence());
runtime.close();
process.stdin.destroy();
process.stdout.write(`${JSON.stringify(result)}\n`);

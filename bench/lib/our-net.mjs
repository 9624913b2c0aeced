// synfin/net at both ends, default settings: one host that speaks to itself over its own loopback, as the peer does over
// the kernel's; or two hosts over a memory link of MTU 1500.
//
// The hosts live as long as the process, as in a program: every `createNet` makes classes of its own, and code that has
// met five of them is slower than code that knows one, Node's own streams included.

import { createHost } from 'synfin';
import { createPipe } from 'synfin/link/pipe';
import { createNet } from 'synfin/net';
import { megabytes } from './measure.mjs';
import { bulk } from './node-net.mjs';
import { timeOf } from './where.mjs';

let one = null;
let two = null;

/** Calls `work` with the modules of both ends, as `node-net.mjs` takes them, and returns what it returns. */
export function within(work) {
  if (one === null) {
    const net = createNet(createHost());
    one = { client: net, server: net, address: '127.0.0.1' };
  }
  return work(one);
}

/** The same with two hosts and a link between them, which sums every segment twice. */
function between(work) {
  if (two === null) {
    // The event loop gets its chance after every batch, as it does with a real link.
    const pipe = createPipe({ schedule: (deliver) => setImmediate(deliver) });
    const hosts = [createHost({ name: 'client' }), createHost({ name: 'server' })];
    hosts[0].runtime.attach(pipe.a, { addresses: ['10.0.0.1/24'] });
    hosts[1].runtime.attach(pipe.b, { addresses: ['10.0.0.2/24'] });
    two = { client: createNet(hosts[0]), server: createNet(hosts[1]), address: '10.0.0.2' };
  }
  return work(two);
}

/** The figure of two hosts over a link, and where the time goes within one; `work` is called as `within` does. */
export async function notesOf(work, figure, unit) {
  await between(work);
  const { value, cpu } = figure(await between(work));
  const lines = await within((ends) => timeOf(() => work(ends)));
  return [`two hosts, MTU 1500: ${value.toFixed(0)} ${unit}, by processor time ${cpu.toFixed(0)}`, ...lines];
}

/** What the metrics of bulk measure, ours and Node's own: `octets` in writes of `write`; every octet is compared. */
export function bulkMetric(octets, write) {
  const work = (ends) => bulk(octets, write, ends);
  const figure = (times) => megabytes(octets, times);
  return {
    run: async () => figure(await within(work)),
    nodes: async () => figure(await work()),
    notes: () => notesOf(work, figure, 'MB/s'),
  };
}

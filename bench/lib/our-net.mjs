// synfin/net at both ends: two hosts in this process over a memory link, default settings.

import { createHost } from 'synfin';
import { createPipe } from 'synfin/link/pipe';
import { createNet } from 'synfin/net';
import { keepFirst } from './measure.mjs';
import { timeOf } from './where.mjs';

/** Calls `work` with the modules of both ends, as `node-net.mjs` takes them, and returns what it returns. */
export async function between(work) {
  // The event loop gets its chance after every batch, as it does with a real link.
  const pipe = createPipe({ schedule: (deliver) => setImmediate(deliver) });
  const hosts = [createHost({ name: 'client' }), createHost({ name: 'server' })];
  hosts[0].runtime.attach(pipe.a, { addresses: ['10.0.0.1/24'] });
  hosts[1].runtime.attach(pipe.b, { addresses: ['10.0.0.2/24'] });
  keepFirst('net', hosts);
  try {
    return await work({ client: createNet(hosts[0]), server: createNet(hosts[1]), address: '10.0.0.2' });
  } finally {
    for (const host of hosts) host.runtime.close();
  }
}

/** Where the time of `work` goes, called as `between` does. */
export const timeBetween = (work) => between((ends) => timeOf(() => work(ends)));

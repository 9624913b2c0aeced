// The page: a visitor on a host of its own, and a bad link to the application, here or (with `?worker`) in a worker.

import './shims/globals.js';
import { createHost } from 'synfin';
import { impairLink } from 'synfin/link/impaired';
import { createHttp } from 'synfin/node-http';
import { createWeb } from 'synfin/web';
import { portLink } from './port.js';
import { visit } from './visit.js';

async function linkToServer() {
  if (location.search !== '?worker') return (await import('./tab.js')).start();
  return portLink(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
}

async function run() {
  const visitor = createHost({ name: 'visitor' });
  // 10 ms there and back, and two packets of a hundred lost.
  const link = impairLink(await linkToServer(), { impairments: { delay: 10, loss: 0.02 }, seed: 7 });
  visitor.runtime.attach(link, { addresses: ['10.0.0.1/24'] });
  const seen = await visit(createWeb(visitor.host).fetch, createHttp(visitor), 'http://10.0.0.2');
  const { retransmitted } = visitor.host.counters.tcp;
  document.body.textContent = `${JSON.stringify(seen, null, 2)}\nretransmitted here: ${retransmitted}`;
  return { seen, retransmitted };
}

globalThis.outcome = run();

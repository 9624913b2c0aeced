// Runs the programs of `test/node/same.ts` inside a network namespace: the kernel's sockets against ours over TUN, both ways.
//
// Arguments: the built package, the programs as JavaScript, a name for the device. Prints one JSON object.

import * as kernel from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, programs, device] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(path).href);
const { createHost } = await load(join(dist, 'index.js'));
const { createNet } = await load(join(dist, 'node/net.js'));
const { openTun } = await load(join(dist, 'link/tun.js'));
const { PROGRAMS } = await load(programs);

const real = createHost({ name: 'ours' });
real.runtime.attach(openTun({ name: device, kernelAddresses: ['10.78.0.1/24'] }), { addresses: ['10.78.0.2/24'] });
const ours = createNet(real);

const worlds = {
  kernel: { client: kernel, server: kernel, address: '127.0.0.1' },
  'our client': { client: ours, server: kernel, address: '10.78.0.1' },
  'our server': { client: kernel, server: ours, address: '10.78.0.2' },
};
const told = {};
for (const [name, world] of Object.entries(worlds)) {
  told[name] = {};
  for (const [title, program] of Object.entries(PROGRAMS)) told[name][title] = await program(world);
}
process.stdout.write(JSON.stringify(told), () => process.exit(0));

// A server over a TUN device that is given super-segments of more than 64 KiB. Prints the SHA-256 of what it serves.
//
//   node large.mjs OCTETS

import { createHash } from 'node:crypto';
import { openTun } from '../../dist/link/tun.js';
import { createHost } from '../../dist/run/index.js';
import { createWeb } from '../../dist/web/index.js';

const body = Uint8Array.from({ length: Number(process.argv[2]) }, (_, i) => i * 31 + (i >> 11));
const { host, runtime } = createHost();
const link = openTun({ name: 'synfin0', kernelAddresses: ['10.77.0.1/24'], superSegment: 262_144 });
runtime.attach(link, { addresses: ['10.77.0.2/24'] });
createWeb(host).serve({ port: 80, fetch: () => new Response(body) });
console.log(`serving ${createHash('sha256').update(body).digest('hex')}`);

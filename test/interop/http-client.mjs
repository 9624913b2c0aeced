// Our `fetch` over TUN against a real server: prints one line of JSON for each request.
//
//   node http-client.mjs JSON...     each {"url", "method"?, "headers"?, "octets"?: of content to send, "stream"?}

import { createHash } from 'node:crypto';
import { openTun } from '../../dist/link/tun.js';
import { createHost } from '../../dist/run/index.js';
import { createWeb } from '../../dist/web/index.js';

const { host, runtime } = createHost({ name: 'client' });
const link = openTun({ name: 'synfin0', kernelAddresses: ['10.77.0.1/24'] });
runtime.attach(link, { addresses: ['10.77.0.2/24'] });
const web = createWeb(host);

const pieces = (octets) => {
  let left = octets;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(Math.min(left, 60_000)).fill(7));
      left -= 60_000;
      if (left <= 0) controller.close();
    },
  });
};

for (const text of process.argv.slice(2)) {
  const { url, method, headers, octets, stream } = JSON.parse(text);
  const body = octets === undefined ? undefined : stream ? pieces(octets) : new Uint8Array(octets).fill(7);
  const init = { headers, ...(method && { method }), ...(body && { body, duplex: 'half' }) };
  try {
    const response = await web.fetch(url, init);
    const content = new Uint8Array(await response.arrayBuffer());
    const sha256 = createHash('sha256').update(content).digest('hex');
    const { status, redirected } = response;
    const fields = Object.fromEntries(response.headers);
    const start = new TextDecoder().decode(content.subarray(0, 200));
    console.log(JSON.stringify({ status, redirected, fields, octets: content.length, sha256, start }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.cause?.code ?? error.message }));
  }
}
console.log(JSON.stringify({ connections: host.connections().length }));
web.close();
runtime.close();

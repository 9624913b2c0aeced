// The server of http.tun: 'hello' to whoever asks, on a TUN device by synfin's `serve`, or on the kernel by Node's http.
//
//   node bench/lib/http-server.mjs tun|kernel ADDRESS PORT

const [what, address, portText] = process.argv.slice(2);
const port = Number(portText);

if (what === 'tun') {
  const { createHost } = await import('synfin');
  const { openTun } = await import('synfin/link/tun');
  const { createWeb } = await import('synfin/web');
  const { host, runtime } = createHost();
  const kernel = address.replace(/\d+$/, '1');
  runtime.attach(openTun({ name: 'bench0', kernelAddresses: [`${kernel}/24`] }), { addresses: [`${address}/24`] });
  createWeb(host).serve({ port, fetch: () => new Response('hello') });
} else {
  const http = await import('node:http');
  const server = http.createServer((_, response) => response.end('hello'));
  await new Promise((listening) => server.listen(port, address, listening));
}
console.log('ready');

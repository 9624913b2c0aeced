// The server of http.tun: 'hello' to whoever asks, on a TUN device by synfin's `serve` (its handler answers by the `Response`
// of synfin/web, or by the platform's), or on the kernel by Node's http.
//
//   node bench/lib/http-server.mjs tun|tun-platform|kernel ADDRESS PORT

const [what, address, portText] = process.argv.slice(2);
const port = Number(portText);

if (what !== 'kernel') {
  const { createHost } = await import('synfin');
  const { openTun } = await import('synfin/link/tun');
  const { createWeb, Response: Quick } = await import('synfin/web');
  const { host, runtime } = createHost();
  const kernel = address.replace(/\d+$/, '1');
  runtime.attach(openTun({ name: 'bench0', kernelAddresses: [`${kernel}/24`] }), { addresses: [`${address}/24`] });
  const Answer = what === 'tun' ? Quick : Response;
  createWeb(host).serve({ port, fetch: () => new Answer('hello') });
} else {
  const http = await import('node:http');
  const server = http.createServer((_, response) => response.end('hello'));
  await new Promise((listening) => server.listen(port, address, listening));
}
console.log('ready');

// A program on `serve` over TUN for real clients: uploads, trailers, hints, coded content, events, WebSockets, a large file,
// and a page that uses them. What the page reports is printed.
//
//   node http-server.mjs

import { createHash } from 'node:crypto';
import { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { WebSocketServer } from 'ws';
import { openTun } from '../../dist/link/tun.js';
import { createHost } from '../../dist/run/index.js';
import { createWeb } from '../../dist/web/index.js';

const BIG = 200_000_000;
const PIECE = new Uint8Array(1 << 20).fill(0x78);
const chat = new WebSocketServer({ noServer: true });
chat.on('connection', (ws) => ws.on('message', (data) => ws.send(`you said ${data}`)));

/** Content of many pieces, made as it is read. */
function big() {
  let left = BIG;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(PIECE.subarray(0, Math.min(left, PIECE.length)));
      left -= PIECE.length;
      if (left <= 0) controller.close();
    },
  });
}

function events() {
  let n = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.enqueue(new TextEncoder().encode(`id: ${n}\ndata: event ${n}\n\n`));
      if (++n === 5) controller.close();
    },
  });
}

const PAGE = `<!doctype html><title>page</title>
${Array.from({ length: 100 }, (_, i) => `<img src="/asset/${i}.svg">`).join('\n')}
<script type="module">
const said = (socket) => new Promise((done) => {
  socket.onopen = () => socket.send('hello');
  socket.onmessage = (event) => done(event.data);
});
const heard = (source) => new Promise((done) => {
  const all = [];
  source.onmessage = (event) => {
    all.push(event.data);
    if (all.length === 5) { source.close(); done(all); }
  };
});
await new Promise((done) => addEventListener('load', done));
const images = [...document.images].filter((image) => image.naturalWidth === 10).length;
const upload = await (await fetch('/upload', { method: 'PUT', body: new Uint8Array(3_000_000).fill(7) })).json();
const events = await heard(new EventSource('/events'));
const socket = await said(new WebSocket('ws://' + location.host + '/ws'));
let octets = 0;
for await (const piece of (await fetch('/big')).body) octets += piece.length;
await fetch('/report', { method: 'POST', body: JSON.stringify({ images, upload, events, socket, octets }) });
</script>`;

async function sum(stream) {
  const hash = createHash('sha256');
  let octets = 0;
  for await (const piece of stream ?? []) {
    hash.update(piece);
    octets += piece.length;
  }
  return { octets, sha256: hash.digest('hex') };
}

const routes = {
  '/': () => new Response(PAGE, { headers: { 'Content-Type': 'text/html' } }),
  '/big': () => new Response(big(), { headers: { 'Content-Length': String(BIG) } }),
  '/events': () => new Response(events(), { headers: { 'Content-Type': 'text/event-stream' } }),
  '/upload': async (request) => Response.json(await sum(request.body)),
  '/hints': (_request, info) => {
    info.earlyHints({ Link: '</style.css>; rel=preload' });
    return new Response('hinted\n');
  },
  '/gzip': (request) =>
    request.headers.get('accept-encoding')?.includes('gzip')
      ? new Response(gzipSync('plain text\n'.repeat(1000)), { headers: { 'Content-Encoding': 'gzip' } })
      : new Response('plain text\n'.repeat(1000)),
  '/trailers': async (request, info) => {
    const body = await sum(request.body);
    info.sendTrailers({ 'X-Sum': body.sha256 });
    return new Response(`${body.octets} octets, trailers: ${JSON.stringify([...(await info.trailers)])}\n`);
  },
  '/report': async (request) => {
    console.log(`report ${await request.text()}`);
    return new Response(null, { status: 204 });
  },
  '/ws': (request, info) => {
    const { socket, response } = info.detach();
    const asked = { method: request.method, url: '/ws', headers: Object.fromEntries(request.headers) };
    chat.handleUpgrade(asked, Duplex.fromWeb(socket), Buffer.alloc(0), (ws) => chat.emit('connection', ws));
    return response;
  },
};

const { host, runtime } = createHost({ name: 'server' });
const link = openTun({ name: 'synfin0', kernelAddresses: ['10.77.0.1/24'] });
runtime.attach(link, { addresses: ['10.77.0.2/24'] });
createWeb(host).serve({
  port: 80,
  fetch(request, info) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/asset/')) {
      const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>';
      return new Response(svg, { headers: { 'Content-Type': 'image/svg+xml' } });
    }
    return routes[pathname]?.(request, info) ?? new Response('nothing here\n', { status: 404 });
  },
});
console.log('serving');
process.on('SIGINT', () => {
  runtime.close();
  process.exit(0);
});

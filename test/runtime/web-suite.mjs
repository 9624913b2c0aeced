// What `synfin/web` promises, as one suite for every engine: no runner, no types, nothing but the built package.

import { afterIo, createHost } from '../../dist/index.js';
import { createPipe } from '../../dist/link/pipe.js';
import { createWeb, udp } from '../../dist/web/index.js';

function assert(condition, what) {
  if (!condition) throw new Error(what);
}

function same(got, expected, what = 'value') {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  assert(a === b, `${what}: ${a} is not ${b}`);
}

/** What a promise is rejected with. */
async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was not rejected');
}

const pattern = (n) => Uint8Array.from({ length: n }, (_, i) => (i * 7 + (i >> 8)) & 255);

async function octets(readable) {
  return new Uint8Array(await new Response(readable).arrayBuffer());
}

function equal(a, b) {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

/** Some rounds of the event loop. */
async function rounds(n) {
  for (let i = 0; i < n; i++) await new Promise((resolve) => afterIo(resolve));
}

/** Two hosts joined by a pipe; `end` closes both. */
function two() {
  const pipe = createPipe({ schedule: afterIo });
  const near = createHost({ name: 'near' });
  const far = createHost({ name: 'far' });
  near.runtime.attach(pipe.a, { addresses: ['10.0.0.1/24', 'fd00::1/64'] });
  far.runtime.attach(pipe.b, { addresses: ['10.0.0.2/24', 'fd00::2/64'] });
  const lookup = () => '10.0.0.2';
  return {
    near: createWeb(near.host, { lookup }),
    far: createWeb(far.host),
    nearHost: near.host,
    farHost: far.host,
    end() {
      near.runtime.close();
      far.runtime.close();
    },
  };
}

async function connected({ near, far }, options = {}) {
  const listener = far.listen({ port: 7, ...options });
  const client = near.connect({ hostname: '10.0.0.2', port: 7 }, options);
  const { value: server } = await listener.next();
  await client.opened;
  listener.close();
  return { client, server };
}

const CASES = {
  async 'sockets: 1 MB goes through an echo octet by octet, and both ends close'(net) {
    const { client, server } = await connected(net);
    const echo = server.readable.pipeTo(server.writable);
    const sent = pattern(1_000_000);
    const writer = client.writable.getWriter();
    const writing = writer.write(sent).then(() => writer.close());
    assert(equal(await octets(client.readable), sent), 'other octets');
    await Promise.all([writing, echo, client.closed, server.closed]);
  },
  async 'sockets: opened tells both addresses, over IPv6 too'(net) {
    const listener = net.far.listen({ port: 7 });
    const client = net.near.connect('[fd00::2]:7');
    const { remoteAddress, localAddress, alpn } = await client.opened;
    same([remoteAddress, localAddress.startsWith('[fd00::1]:'), alpn], ['[fd00::2]:7', true, null]);
    const { value: server } = await listener.next();
    same((await server.opened).remoteAddress, localAddress);
    listener.close();
  },
  async 'sockets: a reader may bring its buffer'(net) {
    const { client, server } = await connected(net);
    const writer = client.writable.getWriter();
    await writer.write(pattern(100));
    const reader = server.readable.getReader({ mode: 'byob' });
    const first = await reader.read(new Uint8Array(30));
    assert(equal(first.value, pattern(100).subarray(0, 30)), 'the first 30');
    const second = await reader.read(new Uint8Array(200));
    assert(equal(second.value, pattern(100).subarray(30)), 'the rest');
    void writer.close();
    same((await reader.read(new Uint8Array(4))).done, true);
  },
  async 'sockets: nobody reads, so the writer waits'(net) {
    const { client, server } = await connected(net);
    const writer = client.writable.getWriter();
    let written = 0;
    const writing = (async () => {
      for (let i = 0; i < 300; i++) {
        await writer.write(new Uint8Array(100_000));
        written += 100_000;
      }
      await writer.close();
    })();
    await rounds(300);
    assert(written < 20_000_000, `${written} octets were taken`);
    const stopped = written;
    await rounds(50);
    same(written, stopped, 'written while nobody reads');
    same((await octets(server.readable)).length, 30_000_000);
    await writing;
  },
  async 'sockets: half-open for as long as they like'(net) {
    const { client, server } = await connected(net, { allowHalfOpen: true });
    await client.writable.close();
    same((await octets(server.readable)).length, 0);
    const writer = server.writable.getWriter();
    await writer.write(pattern(50_000));
    await writer.close();
    assert(equal(await octets(client.readable), pattern(50_000)), 'last words');
    await Promise.all([client.closed, server.closed]);
  },
  async 'sockets: failures carry the codes that Node gives'({ near }) {
    same((await rejection(near.connect('10.0.0.2:9').opened)).code, 'ECONNREFUSED');
    same((await rejection(near.connect('192.0.2.1:9').opened)).code, 'ENETUNREACH');
    assert((await rejection(createWeb({}).connect('name:9').opened)) instanceof TypeError, 'a name without lookup');
  },
  async 'sockets: an aborted signal resets, and everything that waits is rejected with its reason'(net) {
    const listener = net.far.listen({ port: 7 });
    const controller = new AbortController();
    const client = net.near.connect('10.0.0.2:7', { signal: controller.signal });
    const { value: server } = await listener.next();
    await client.opened;
    const read = rejection(client.readable.getReader().read());
    const other = rejection(server.readable.getReader().read());
    controller.abort(new RangeError('enough'));
    same([(await read).message, (await rejection(client.closed)).message], ['enough', 'enough']);
    same((await other).code, 'ECONNRESET');
    listener.close();
  },
  async 'sockets: close settles what waits; at the end of a block too'(net) {
    const { client, server } = await connected(net);
    const read = client.readable.getReader().read();
    await client.close();
    same((await read).done, true);
    same((await octets(server.readable)).length, 0);
    await server[Symbol.asyncDispose]();
    await server.closed;
  },
  async 'listen: iterates, ends when closed, and refuses a port that is taken'({ near, far }) {
    const listener = far.listen({ port: 7 });
    let seen = 0;
    const loop = (async () => {
      for await (const socket of listener) {
        seen++;
        void socket.close();
      }
    })();
    await Promise.all([1, 2, 3].map(() => near.connect('10.0.0.2:7').opened));
    let code = '';
    try {
      far.listen({ port: 7 });
    } catch (error) {
      code = error.code;
    }
    same(code, 'EADDRINUSE');
    await rounds(20);
    listener.close();
    await loop;
    same(seen, 3);
  },
  async 'udp: datagrams are echoed whole, and too large ones refused'({ nearHost, farHost }) {
    const echo = udp(farHost, { port: 7 });
    void (async () => {
      for await (const { data, hostname, port } of echo) await echo.send(data, { hostname, port });
    })();
    const socket = udp(nearHost);
    const target = { hostname: '10.0.0.2', port: 7 };
    for (const size of [0, 1, 1472]) {
      await socket.send(pattern(size), target);
      const { value } = await socket.next();
      assert(equal(value.data, pattern(size)), `${size} octets`);
    }
    same((await rejection(socket.send(new Uint8Array(1473), target))).code, 'EMSGSIZE');
    socket.close();
    echo.close();
    same((await socket.next()).done, true);
  },
  async 'fetch and serve: method, fields, status and content go both ways'({ near, far }) {
    const server = far.serve({
      port: 80,
      fetch: async (request) =>
        Response.json(
          {
            method: request.method,
            path: new URL(request.url).pathname,
            x: request.headers.get('x-y'),
            text: await request.text(),
          },
          { status: 201, headers: { 'x-z': 'ü'.charCodeAt(0).toString() } },
        ),
    });
    const response = await near.fetch('http://far/a%20b?c', { method: 'PUT', body: 'words', headers: { 'x-y': '1' } });
    same([response.status, response.headers.get('x-z')], [201, '252']);
    same(await response.json(), { method: 'PUT', path: '/a%20b', x: '1', text: 'words' });
    near.close();
    await server.close();
  },
  async 'fetch and serve: 1 MB up and down'({ near, far }) {
    const server = far.serve({ port: 80, fetch: (request) => new Response(request.body) });
    const sent = pattern(1_000_000);
    const response = await near.fetch('http://far/', { method: 'POST', body: sent });
    assert(equal(new Uint8Array(await response.arrayBuffer()), sent), 'other octets');
    near.close();
    await server.close();
  },
  async 'serve: content goes out as it is made, and stops when nobody reads'({ near, far }) {
    let made = 0;
    const server = far.serve({
      port: 80,
      fetch: () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              made++;
              controller.enqueue(new Uint8Array(100_000));
              if (made === 400) controller.close();
            },
          }),
        ),
    });
    const response = await near.fetch('http://far/');
    await rounds(200);
    assert(made > 0 && made < 300, `${made} pieces were made`);
    same((await response.arrayBuffer()).byteLength, 40_000_000);
    near.close();
    await server.close();
  },
  async 'fetch: redirects are followed, gzip is undone'({ near, far }) {
    const zipped = await octets(new Blob(['a page '.repeat(1000)]).stream().pipeThrough(new CompressionStream('gzip')));
    const server = far.serve({
      port: 80,
      fetch: (request) =>
        request.url.endsWith('/old')
          ? new Response(null, { status: 302, headers: { location: '/new' } })
          : new Response(zipped, { headers: { 'content-encoding': 'gzip' } }),
    });
    const response = await near.fetch('http://far/old');
    same([response.url, response.redirected], ['http://far/new', true]);
    same(await response.text(), 'a page '.repeat(1000));
    near.close();
    await server.close();
  },
  async 'fetch: an aborted one is rejected, and its server hears of it'({ near, far }) {
    let aborted;
    const heard = new Promise((resolve) => {
      aborted = resolve;
    });
    const server = far.serve({
      port: 80,
      fetch: (request) => {
        request.signal.addEventListener('abort', aborted);
        return new Promise(() => {});
      },
    });
    const controller = new AbortController();
    const failing = rejection(near.fetch('http://far/', { signal: controller.signal }));
    await rounds(20);
    controller.abort();
    same((await failing).name, 'AbortError');
    await heard;
    near.close();
    await server.close({ force: true });
  },
  async 'fetch: fifty at once share a few connections'({ near, far, farHost }) {
    const server = far.serve({ port: 80, fetch: (request) => new Response(new URL(request.url).search) });
    const texts = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => (await near.fetch(`http://far/?${i}`)).text()),
    );
    same(
      texts,
      Array.from({ length: 50 }, (_, i) => `?${i}`),
    );
    assert(farHost.connectionCount <= 32, `${farHost.connectionCount} connections`);
    near.close();
    await server.close();
  },
  async 'serve: a handler that throws costs its client a 500, and nobody else anything'({ near, far }) {
    const errors = [];
    const server = far.serve({
      port: 80,
      onError: (error) => errors.push(error.message),
      fetch: (request) => {
        if (request.url.endsWith('/bad')) throw new Error('no good');
        return new Response('good');
      },
    });
    const [bad, good] = await Promise.all([near.fetch('http://far/bad'), near.fetch('http://far/good')]);
    same([bad.status, await good.text(), errors], [500, 'good', ['no good']]);
    await bad.body?.cancel();
    near.close();
    await server.close();
  },
  async 'fetch: what cannot be reached is a TypeError with the reason'({ near }) {
    const error = await rejection(near.fetch('http://10.0.0.2:9/'));
    same([error instanceof TypeError, error.cause.code], [true, 'ECONNREFUSED']);
  },
  async 'TLS: the platform has it, or the call says that it has none'(net) {
    const certificate = globalThis.process?.env?.SYNFIN_CERTIFICATE;
    if (globalThis.process?.getBuiltinModule === undefined) {
      let message = '';
      try {
        net.near.connect('10.0.0.2:443', { secureTransport: 'on' });
      } catch (error) {
        message = error.message;
      }
      assert(message.startsWith('this platform has no TLS'), message || 'nothing was thrown');
      return;
    }
    if (certificate === undefined) return;
    const tls = JSON.parse(certificate);
    const { client, server } = await connected(net, { secureTransport: 'on', tls });
    await server.opened;
    // Without half-close: the TLS of Bun and of Deno ends both directions at once.
    void server.readable.pipeTo(server.writable).catch(() => undefined);
    const sent = pattern(300_000);
    const writing = client.writable.getWriter().write(sent);
    const reader = client.readable.getReader();
    const got = [];
    while (got.length < sent.length) got.push(...(await reader.read()).value);
    assert(equal(got, sent), 'other octets');
    await writing;
    await client.close();
    const wrong = net.far.listen({ port: 8, secureTransport: 'on', tls });
    const stranger = net.near.connect({ hostname: 'other.test', port: 8 }, { secureTransport: 'on', tls });
    await rejection(stranger.opened);
    wrong.close();
  },
};

/** Longest time one case may take, ms. */
const PATIENCE = 20_000;

/** Runs every case; tells of each `'ok'` or what was wrong. */
export async function run() {
  const results = {};
  for (const [name, test] of Object.entries(CASES)) {
    const net = two();
    let timer;
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not done after ${PATIENCE} ms`)), PATIENCE);
    });
    try {
      await Promise.race([test(net), late]);
      results[name] = 'ok';
    } catch (error) {
      results[name] = `${error.name}: ${error.message}`;
    }
    clearTimeout(timer);
    net.end();
  }
  return results;
}

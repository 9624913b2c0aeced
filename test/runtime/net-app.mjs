// An application of `synfin/net`: two hosts, servers and clients between them, for Node and, bundled, for a page.

import { afterIo, createHost } from 'synfin';
import { createPipe } from 'synfin/link/pipe';
import { createNet } from 'synfin/net';

const pipe = createPipe({ schedule: afterIo });
const hosts = ['near', 'far'].map((name) => createHost({ name }));
hosts[0].runtime.attach(pipe.a, { addresses: ['10.0.0.1/24', 'fd00::1/64'] });
hosts[1].runtime.attach(pipe.b, { addresses: ['10.0.0.2/24', 'fd00::2/64'] });
const lookup = (_name, _options, callback) => setTimeout(() => callback(null, '10.0.0.2', 4), 1);
const near = createNet(hosts[0], { lookup });
const nameless = createNet(hosts[0]);
const far = createNet(hosts[1]);

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));

async function listening(server, ...where) {
  server.listen(...where);
  await once(server, 'listening');
  return server.address().port;
}

/** Closes a server and waits for the ends of its connections. */
async function closing(server) {
  server.close();
  await once(server, 'close');
}

/** The events of a socket, in their order. */
function events(socket) {
  const seen = [];
  for (const name of ['lookup', 'connect', 'ready', 'end', 'finish', 'error', 'close']) {
    socket.on(name, () => seen.push(name));
  }
  return seen;
}

/** 300,000 octets there and back, the writer held back; events in Node's order. */
async function echo() {
  const server = far.createServer((socket) => socket.pipe(socket));
  const port = await listening(server, 0, '10.0.0.2');
  const socket = near.connect({ port, host: 'far.example', autoSelectFamily: false });
  const seen = events(socket);
  const octets = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
  let received = 0;
  let wrong = 0;
  socket.on('data', (chunk) => {
    for (const octet of chunk) if (octet !== octets[received++]) wrong++;
  });
  let heldBack = 0;
  for (let at = 0; at < octets.length; at += 10_000) {
    if (socket.write(octets.subarray(at, at + 10_000))) continue;
    heldBack++;
    await once(socket, 'drain');
  }
  const peer = `${socket.remoteFamily} ${socket.remoteAddress}`;
  socket.end();
  await once(socket, 'close');
  const { bytesRead, bytesWritten } = socket;
  await closing(server);
  return { received, wrong, heldBack: heldBack > 0, peer, bytesRead, bytesWritten, seen };
}

/** Text both ways, in several encodings, over IPv6. */
async function text() {
  const server = far.createServer({ allowHalfOpen: true }, (socket) => {
    const parts = [];
    socket.setEncoding('utf8').on('data', (part) => parts.push(part));
    socket.on('end', () => socket.end(`[${parts.join('')}]`));
  });
  const port = await listening(server, { port: 0, host: 'fd00::2' });
  const socket = new near.Socket();
  socket.connect(port, 'fd00::2').setEncoding('utf8');
  socket.write('wörld ');
  socket.write('c3a9', 'hex');
  socket.end('IQ==', 'base64');
  let answer = '';
  socket.on('data', (part) => {
    answer += part;
  });
  await once(socket, 'close');
  await closing(server);
  return answer;
}

async function failures() {
  const refused = near.connect(9, '10.0.0.2');
  const seen = events(refused);
  const [{ code, errno, syscall, message }] = await Promise.all([once(refused, 'error'), once(refused, 'close')]);
  const unknown = await once(nameless.connect(9, 'nowhere.example'), 'error');
  const first = far.createServer();
  const port = await listening(first, 0, '10.0.0.2');
  const second = far.createServer();
  second.listen(port, '10.0.0.2');
  const taken = await once(second, 'error');
  first.close();
  return { code, errno, syscall, message, seen, unknown: unknown.message, taken: taken.message.replace(port, 'PORT') };
}

async function reset() {
  const server = far.createServer((socket) => socket.resetAndDestroy());
  const port = await listening(server, 0);
  const error = await once(near.connect(port, '10.0.0.2').resume(), 'error');
  await closing(server);
  return error.message;
}

async function timeout() {
  const server = far.createServer((socket) => socket.resume());
  const port = await listening(server, 0);
  const socket = near.connect(port, '10.0.0.2');
  socket.setTimeout(20);
  await once(socket, 'timeout');
  socket.destroy();
  await closing(server);
  return socket.destroyed;
}

function shape() {
  const kinds = ['10.0.0.1', 'fe80::1%eth0', 'x', '1.2.3'].map((address) => near.isIP(address));
  const list = new near.BlockList();
  list.addSubnet('10.0.0.0', 8);
  const blocked = [list.check('10.0.0.2'), list.check(new near.SocketAddress({ address: '11.0.0.2' }))];
  return { kinds, blocked, called: near.Socket() instanceof near.Socket, server: near.Server() instanceof near.Server };
}

async function run() {
  const found = { echo: await echo(), text: await text(), failures: await failures(), reset: await reset() };
  const rest = { timeout: await timeout(), shape: shape() };
  for (const { runtime } of hosts) runtime.close();
  return { ...found, ...rest };
}

globalThis.outcome = run();

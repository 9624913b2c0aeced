// `synfin/node-http`: Node's own HTTP over a host, and nothing of Node changed.

import { once } from 'node:events';
import nodeHttp from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHttp, type Http } from '../../src/node/http.ts';
import { answerOf, serving as servingAt } from './http-ends.ts';
import { type NetPair, netPair } from './pair.ts';

let pair: NetPair;
let client: Http;
let server: InstanceType<Http['Server']>;

const serving = (handle: nodeHttp.RequestListener): Promise<string> => servingAt(pair, server, handle);

beforeEach(() => {
  pair = netPair();
  client = createHttp(pair.hosts[0], { net: pair.client });
  server = createHttp(pair.hosts[1], { net: pair.server }).createServer();
});
afterEach(async () => {
  client.globalAgent.destroy();
  server.closeAllConnections();
  if (server.listening) await promisify(server.close.bind(server))();
  pair.close();
});

it('serves a request of the other host, with what each end says of itself', async () => {
  const url = await serving((request, response) => {
    response.setHeader('x-peer', request.socket.remoteAddress ?? '');
    request.pipe(response);
  });
  const request = client.request(url, { method: 'POST', agent: false });
  request.end('a body');
  const response = await answerOf(request);
  expect([response.statusCode, response.headers['x-peer'], await text(response)]).toEqual([
    200,
    '::ffff:10.0.0.1',
    'a body',
  ]);
});

it('the global agent of a host keeps a connection for the next request', async () => {
  const url = await serving((request, response) => void response.end(`${request.socket.remotePort}`));
  const first = await text(await answerOf(client.get(url)));
  const second = await text(await answerOf(client.get(new URL(url), { headers: { 'x-a': 'b' } })));
  expect(second).toBe(first);
});

it('an agent of its own has as many sockets as it may', async () => {
  const url = await serving((_, response) => void setImmediate(() => response.end('x')));
  const agent = new client.Agent({ keepAlive: true, maxSockets: 1 });
  const answers = [1, 2, 3].map(async () => text(await answerOf(client.get(url, { agent }))));
  expect(await Promise.all(answers)).toEqual(['x', 'x', 'x']);
  expect(Object.values(agent.freeSockets).flat().length).toBe(1);
  agent.destroy();
});

it('a refused request fails with the error of its socket', async () => {
  await expect(answerOf(client.get({ host: pair.address, port: 9 }))).rejects.toMatchObject({
    code: 'ECONNREFUSED',
    port: 9,
  });
});

it('an upgrade hands the socket over, both ways', async () => {
  const url = await serving(() => undefined);
  server.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  const request = client.get(url, { headers: { connection: 'upgrade', upgrade: 'echo' } });
  const [, socket] = await once(request, 'upgrade');
  socket.end('there and back');
  expect(await text(socket)).toBe('there and back');
});

it("closing a server ends its idle connections, as Node's does", async () => {
  const url = await serving((_, response) => void response.end('x'));
  await text(await answerOf(client.get(url)));
  expect(server.listening).toBe(true);
  await promisify(server.close.bind(server))();
  expect([server.listening, server.address()]).toEqual([false, null]);
});

it('classes are Node’s, callable without new, and Node’s own module stays as it is', async () => {
  const { Server } = client as unknown as { Server: (handle?: nodeHttp.RequestListener) => nodeHttp.Server };
  const made = Server();
  expect(made).toBeInstanceOf(nodeHttp.Server);
  expect(made.listen).not.toBe(nodeHttp.Server.prototype.listen);
  const agent = new client.Agent();
  expect(agent).toBeInstanceOf(nodeHttp.Agent);
  const plain = nodeHttp.createServer((_, response) => void response.end('the kernel')).listen(0, '127.0.0.1');
  await once(plain, 'listening');
  const { port } = plain.address() as AddressInfo;
  const answer = await answerOf(nodeHttp.get({ port, host: '127.0.0.1', agent: false }));
  expect(await text(answer)).toBe('the kernel');
  await expect(answerOf(client.get({ port, host: '127.0.0.1' }))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  plain.close();
});

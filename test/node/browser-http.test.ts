// The HTTP that pages get, beside Node's own over the same sockets: one body of tests, the same outcome.

import { once } from 'node:events';
import type nodeHttp from 'node:http';
import realHttp from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp as createOwn } from '../../src/node/browser-http.ts';
import { createHttp as createNodes } from '../../src/node/http.ts';
import { answerOf, serving as servingAt } from './http-ends.ts';
import { type NetPair, netPair } from './pair.ts';

let pair: NetPair;
let client: typeof nodeHttp;
let far: typeof nodeHttp;
let server: nodeHttp.Server;

const serving = (handle: nodeHttp.RequestListener): Promise<string> => servingAt(pair, server, handle);

/** Status and content of a request that ends with `body`. */
async function asked(url: string, options: nodeHttp.RequestOptions = {}, body?: string): Promise<[number, string]> {
  const request = client.request(url, options);
  request.end(body);
  const response = await answerOf(request);
  return [response.statusCode!, await text(response)];
}

/** What a raw client reads until the server ends. */
async function raw(url: string, request: string): Promise<string> {
  const socket = pair.client.connect(Number(new URL(url).port), pair.address);
  socket.write(request);
  return await text(socket);
}

/** Where `run` throws: the code. */
function code(run: () => unknown): string {
  try {
    run();
    return '';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe.each([
  ["Node's own http", createNodes],
  ['the http of pages', createOwn],
])('%s', (name, createHttp) => {
  beforeEach(() => {
    pair = netPair();
    client = createHttp(pair.hosts[0], { net: pair.client });
    far = createHttp(pair.hosts[1], { net: pair.server });
    server = far.createServer();
  });
  afterEach(async () => {
    client.globalAgent.destroy();
    server.closeAllConnections();
    if (server.listening) await promisify(server.close.bind(server))();
    pair.close();
  });

  it('carries a request there and its answer back', async () => {
    const url = await serving(async (request, response) => {
      const got = await text(request);
      response.setHeader('X-Got', [request.method!, request.url!, String(request.headers['x-a'])]);
      response.statusCode = 201;
      response.end(`${got}!`);
    });
    const request = client.request(`${url}path?q=1`, { method: 'POST', headers: { 'X-A': 'b' } });
    request.write('he');
    request.end('llo');
    const response = await answerOf(request);
    expect([response.statusCode, response.statusMessage, response.httpVersion]).toEqual([201, 'Created', '1.1']);
    expect([response.headers['x-got'], await text(response), response.complete]).toEqual([
      'POST, /path?q=1, b',
      'hello!',
      true,
    ]);
  });

  it('frames: a length when all is known, chunks otherwise, nothing for HEAD and 204', async () => {
    const url = await serving((request, response) => {
      if (request.url === '/known') response.end('four');
      else if (request.url === '/empty') response.writeHead(204).end();
      else {
        response.write('a');
        setTimeout(() => response.end('b'), 5);
      }
    });
    const shown = async (path: string, method = 'GET'): Promise<unknown[]> => {
      const request = client.request(`${url}${path}`, { method });
      request.end();
      const response = await answerOf(request);
      const { 'content-length': length, 'transfer-encoding': coding } = response.headers;
      return [length, coding, await text(response)];
    };
    expect(await shown('known')).toEqual(['4', undefined, 'four']);
    expect(await shown('parts')).toEqual([undefined, 'chunked', 'ab']);
    expect(await shown('empty')).toEqual([undefined, undefined, '']);
    expect((await shown('known', 'HEAD'))[2]).toBe('');
  });

  it('holds a writer back, and loses nothing of a megabyte either way', async () => {
    const url = await serving((request, response) => void request.pipe(response));
    const request = client.request(url, { method: 'PUT' });
    const mega = 'x'.repeat(1_000_000);
    expect(request.write(mega)).toBe(false);
    request.end();
    const response = await answerOf(request);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await text(response)) === mega).toBe(true);
  });

  it('reads an answer to its end that the server has closed behind, however late it is taken', async () => {
    const url = await serving((request, response) => {
      response.setHeader('Connection', 'close');
      response.end('y'.repeat(Number(request.headers['x-size'])));
    });
    for (const size of [300_000, 17_000, 33_000, 66_000, 70_000, 100_000, 132_000]) {
      const response = await answerOf(client.get(url, { headers: { 'X-Size': size } }));
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect((await text(response)).length).toBe(size);
    }
  });

  it('takes no more of either side than has room while nobody reads', async () => {
    const piece = new Uint8Array(100_000);
    /** Writes as long as there is room; how much there was. */
    const fill = async (into: NodeJS.WritableStream): Promise<number> => {
      let written = 0;
      let going = true;
      while (going && written < 60_000_000) {
        written += piece.length;
        if (!into.write(piece)) {
          const drained = new Promise((resolve) => into.once('drain', () => resolve(true)));
          going = Boolean(
            await Promise.race([drained, new Promise((resolve) => setTimeout(() => resolve(false), 300))]),
          );
        }
      }
      return written;
    };
    let filled: Promise<number> | null = null;
    const url = await serving((request, response) => {
      if (request.method === 'GET') filled = fill(response);
    });
    const request = client.request(url, { method: 'PUT', agent: false });
    request.on('error', () => undefined);
    expect(await fill(request)).toBeLessThan(20_000_000);
    request.destroy();
    const response = await answerOf(client.get(url, { agent: false }));
    response.on('error', () => undefined);
    expect(await filled).toBeLessThan(20_000_000);
    response.destroy();
  });

  it('keeps connections between requests, and queues what an agent has no socket for', async () => {
    const ports = new Set<number>();
    const url = await serving((request, response) => {
      ports.add(request.socket.remotePort!);
      setImmediate(() => response.end('x'));
    });
    const agent = new client.Agent({ keepAlive: true, maxSockets: 1 });
    const all = await Promise.all([1, 2, 3].map(() => asked(url, { agent })));
    expect([all, ports.size]).toEqual([Array(3).fill([200, 'x']), 1]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(Object.values(agent.freeSockets).flat().length).toBe(1);
    const again = client.get(url, { agent });
    expect(await text(await answerOf(again))).toBe('x');
    expect([again.reusedSocket, ports.size]).toEqual([true, 1]);
    agent.destroy();
  });

  it('answers what is pipelined in order', async () => {
    const url = await serving((request, response) => {
      setTimeout(() => response.end(request.url), request.url === '/slow' ? 20 : 0);
    });
    const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
    const got = await raw(url, get('/slow') + get('/quick', 'Connection: close\r\n'));
    expect(got.indexOf('/slow')).toBeGreaterThan(0);
    expect(got.indexOf('/quick')).toBeGreaterThan(got.indexOf('/slow'));
  });

  it('tells a handler when its client goes away', async () => {
    const seen: string[] = [];
    let gone: () => void;
    const closed = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const url = await serving((incoming, response) => {
      incoming.on('aborted', () => seen.push('aborted'));
      incoming.on('error', (error: NodeJS.ErrnoException) => seen.push(`${error.message} ${error.code}`));
      response.on('close', () => {
        seen.push(`close ${response.writableFinished}`);
        gone();
      });
      request.destroy();
    });
    const request = client.request(url, { method: 'POST', headers: { 'Content-Length': 10 } });
    request.on('error', () => undefined);
    request.write('half');
    await closed;
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.sort()).toEqual(['aborted', 'aborted ECONNRESET', 'close false']);
  });

  it('tells a client what broke: before an answer, and in the middle of one', async () => {
    const url = await serving((request, response) => {
      if (request.url === '/early') request.socket.destroy();
      else {
        response.setHeader('Content-Length', 100);
        response.write('half');
        setTimeout(() => response.destroy(), 10);
      }
    });
    await expect(answerOf(client.get(`${url}early`, { agent: false }))).rejects.toMatchObject({
      ...{ code: 'ECONNRESET', message: 'socket hang up' },
    });
    await expect(text(await answerOf(client.get(url)))).rejects.toMatchObject({
      ...{ code: 'ECONNRESET', message: 'aborted' },
    });
    await expect(answerOf(client.get({ host: pair.address, port: 9 }))).rejects.toMatchObject({
      ...{ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 10.0.0.2:9' },
    });
  });

  it('aborts by a signal and by destroy, once and with one error', async () => {
    const url = await serving(() => undefined);
    const controller = new AbortController();
    const request = client.get(url, { signal: controller.signal });
    setTimeout(() => controller.abort(), 10);
    await expect(answerOf(request)).rejects.toMatchObject({ code: 'ABORT_ERR', name: 'AbortError' });
    const other = client.get(url, { agent: false });
    const seen: unknown[] = [];
    other.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code)).on('close', () => seen.push('close'));
    setTimeout(() => other.destroy(), 10);
    await new Promise((resolve) => other.on('close', resolve));
    expect([seen, other.destroyed]).toEqual([['ECONNRESET', 'close'], true]);
  });

  it('ends in order: finish, response, end, close', async () => {
    const url = await serving((_, response) => void response.end('x'));
    const seen: string[] = [];
    const request = client.get(url, { agent: false });
    for (const event of ['socket', 'finish', 'close']) request.on(event, () => seen.push(event));
    const response = await answerOf(request);
    for (const event of ['end', 'close']) response.on(event, () => seen.push(`response ${event}`));
    response.resume();
    await Promise.all([once(response, 'close'), request.closed ? null : once(request, 'close')]);
    expect(seen.filter((event) => !event.startsWith('response'))).toEqual(['socket', 'finish', 'close']);
    expect(seen.filter((event) => event.startsWith('response'))).toEqual(['response end', 'response close']);
  });

  it('continues when asked, and lets a program decide', async () => {
    server.on('checkContinue', (request, response) => {
      if (request.url === '/no') {
        response.writeHead(413, { Connection: 'close' }).end();
        return;
      }
      response.writeContinue();
      server.emit('request', request, response);
    });
    const url = await serving(async (request, response) => void response.end(await text(request)));
    const expecting = (path: string): nodeHttp.ClientRequest =>
      client.request(`${url}${path}`, { method: 'POST', headers: { Expect: '100-continue', 'Content-Length': 4 } });
    const yes = expecting('yes');
    yes.flushHeaders();
    await once(yes, 'continue');
    yes.end('body');
    expect(await text(await answerOf(yes))).toBe('body');
    const no = expecting('no');
    let continued = false;
    no.on('continue', () => {
      continued = true;
    });
    no.flushHeaders();
    expect([(await answerOf(no)).statusCode, continued]).toEqual([413, false]);
    no.on('error', () => undefined).destroy();
  });

  it('sends and reads trailers and early hints', async () => {
    const url = await serving(async (request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.setHeader('Trailer', 'X-Sum');
      response.write('text');
      const got = await text(request);
      response.addTrailers({ 'X-Sum': `${got} ${request.trailers['x-from']}` });
      response.end();
    });
    const request = client.request(url, { method: 'POST', headers: { Trailer: 'X-From' } });
    request.write('abc');
    request.addTrailers({ 'X-From': 'here' });
    request.end();
    const hints: unknown[] = [];
    request.on('information', ({ statusCode, headers }) => hints.push([statusCode, headers['link']]));
    const response = await answerOf(request);
    expect(await text(response)).toBe('text');
    expect([response.trailers['x-sum'], hints]).toEqual(['abc here', [[103, '</a.css>; rel=preload']]]);
  });

  it('hands an upgraded connection over with what came behind it, both ways', async () => {
    server.on('upgrade', (request, socket, head) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n`);
      socket.write(`${request.headers['upgrade']} ${head} `);
      socket.pipe(socket);
    });
    const url = await serving(() => undefined);
    const socket = pair.client.connect(Number(new URL(url).port), pair.address);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nfirst');
    socket.end('second');
    expect((await text(socket)).split('\r\n\r\n')[1]?.replace(/\s/g, '')).toBe('echofirstsecond');
    const request = client.get(url, { headers: { connection: 'upgrade', upgrade: 'echo' } });
    const [response, upgraded] = (await once(request, 'upgrade')) as [nodeHttp.IncomingMessage, Socket];
    upgraded.end('there and back');
    expect([response.statusCode, (await text(upgraded)).endsWith('there and back')]).toEqual([101, true]);
  });

  it('opens tunnels', async () => {
    server.on('connect', (request, socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.end(`to ${request.url}`);
    });
    const url = await serving(() => undefined);
    const request = client.request(url, { method: 'CONNECT', path: 'example.org:443' });
    request.end();
    const [response, socket, head] = (await once(request, 'connect')) as [nodeHttp.IncomingMessage, Socket, Buffer];
    expect([response.statusCode, `${head}${await text(socket)}`]).toEqual([200, 'to example.org:443']);
  });

  it('answers what is no HTTP with 400, or leaves the answer to a listener of clientError', async () => {
    const url = await serving((_, response) => void response.end('x'));
    expect(await raw(url, 'GET / HTTP/1.1\r\nHost : a\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    const codes: unknown[] = [];
    let closed: Promise<unknown> = Promise.resolve();
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      codes.push(error.code);
      closed = once(socket, 'close');
      socket.end('HTTP/1.1 418 Teapot\r\n\r\n');
    });
    const more = 'and more of the same';
    expect(await raw(url, `GET / HTTP/1.1\r\nHost : a\r\n\r\n${more}`)).toBe('HTTP/1.1 418 Teapot\r\n\r\n');
    await closed;
    expect(codes).toEqual(['HPE_INVALID_HEADER_TOKEN']);
  });

  it('limits the time for a head', async () => {
    Object.assign(server, { headersTimeout: 30 });
    if (name.startsWith('Node')) Object.assign(server, { connectionsCheckingInterval: 10 });
    const url = await serving(() => undefined);
    const socket = pair.client.connect(Number(new URL(url).port), pair.address);
    socket.write('GET / HTTP/1.1\r\n');
    // Node looks every 30 s only, unless its server was made otherwise.
    if (name.startsWith('Node')) socket.destroy();
    else expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('emits timeout of a silent connection, and of a request', async () => {
    const url = await serving(() => undefined);
    const request = client.get(url, { timeout: 20 });
    request.on('error', () => undefined);
    await once(request, 'timeout');
    request.destroy();
    server.setTimeout(20);
    const silent = client.get(url, { agent: false });
    await expect(answerOf(silent)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('closes: idle connections at once, the others once they are answered', async () => {
    const url = await serving((request, response) => {
      if (request.url === '/late') setTimeout(() => response.end('late'), 20);
      else response.end('soon');
    });
    const agent = new client.Agent({ keepAlive: true });
    expect(await asked(url, { agent })).toEqual([200, 'soon']);
    const late = asked(`${url}late`, { agent: false });
    await once(server, 'request');
    const closed = once(server, 'close');
    server.close();
    expect(await late).toEqual([200, 'late']);
    await closed;
    agent.destroy();
  });

  it('takes and gives fields as Node does', async () => {
    const { ServerResponse, IncomingMessage } = far;
    const message = new ServerResponse(new IncomingMessage(null as unknown as Socket));
    message.setHeader('X-One', 1).setHeader('Set-Cookie', ['a', 'b']);
    message.appendHeader('x-one', 'two');
    expect(message.getHeaders()).toEqual({
      'x-one': [1, 'two'],
      'set-cookie': ['a', 'b'],
    });
    expect([message.getHeaderNames(), message.hasHeader('SET-COOKIE')]).toEqual([['x-one', 'set-cookie'], true]);
    message.removeHeader('x-one');
    expect(message.getHeader('x-one')).toBe(undefined);
    const wrong = [
      code(() => message.setHeader('a b', '1')),
      code(() => message.setHeader('a', undefined as never)),
      code(() => message.setHeader('a', 'b\nc')),
      code(() => message.writeHead(99)),
      code(() => client.request({ path: '/a b' })),
      code(() => client.request({ method: 'A B' })),
      code(() => client.request('ftp://a/')),
      code(() => client.request({ agent: 7 as never })),
    ];
    expect(wrong).toEqual([
      'ERR_INVALID_HTTP_TOKEN',
      'ERR_HTTP_INVALID_HEADER_VALUE',
      'ERR_INVALID_CHAR',
      'ERR_HTTP_INVALID_STATUS_CODE',
      'ERR_UNESCAPED_CHARACTERS',
      'ERR_INVALID_HTTP_TOKEN',
      'ERR_INVALID_PROTOCOL',
      'ERR_INVALID_ARG_TYPE',
    ]);
    message.writeHead(200, { 'X-Two': 'b' });
    expect([message.headersSent, code(() => message.setHeader('a', 'b')), code(() => message.writeHead(200))]).toEqual([
      ...[true, 'ERR_HTTP_HEADERS_SENT', 'ERR_HTTP_HEADERS_SENT'],
    ]);
  });

  it('joins fields that come more than once', async () => {
    const seen: unknown[] = [];
    const url = await serving((request, response) => {
      seen.push(request.headers, request.headersDistinct['x-a'], request.rawHeaders.slice(0, 4));
      response.end();
    });
    const lines = 'Host: a\r\nX-A: 1\r\nx-a: 2\r\nCookie: c\r\nCookie: d\r\nReferer: e\r\nReferer: f\r\nconstructor: g';
    await raw(url, `GET / HTTP/1.1\r\n${lines}\r\nConnection: close\r\n\r\n`);
    const headers = { host: 'a', 'x-a': '1, 2', cookie: 'c; d', referer: 'e', connection: 'close' };
    expect(seen).toEqual([{ ...headers, constructor: 'g' }, ['1', '2'], ['Host', 'a', 'X-A', '1']]);
  });

  it('is called without new, inherited the old way, and pipes', async () => {
    const { Server, ServerResponse, IncomingMessage, Agent } = far as unknown as Record<
      string,
      (...a: never[]) => unknown
    >;
    function Old(this: object, request: object): void {
      Reflect.apply(ServerResponse!, this, [request] as never[]);
    }
    Object.setPrototypeOf(Old.prototype, ServerResponse!.prototype as object);
    const old: nodeHttp.ServerResponse = Reflect.construct(Old, [Reflect.construct(IncomingMessage!, [])]);
    expect([old.statusCode, old instanceof (far.ServerResponse as never), old.getHeaders()]).toEqual([200, true, {}]);
    const plain = Server as () => nodeHttp.Server;
    expect([plain() instanceof far.Server, (Agent as () => unknown)() instanceof far.Agent]).toEqual([true, true]);
    const url = await serving((_, response) => void Readable.from(['a', 'b']).pipe(response));
    expect(await asked(url)).toEqual([200, 'ab']);
  });

  it('has the words of Node', () => {
    expect(far.METHODS.filter((method) => method !== 'QUERY')).toEqual(
      realHttp.METHODS.filter((method) => method !== 'QUERY'),
    );
    for (const [status, phrase] of Object.entries(far.STATUS_CODES)) {
      expect([status, phrase]).toEqual([status, realHttp.STATUS_CODES[status]]);
    }
    expect(Object.keys(far.STATUS_CODES)).toEqual(Object.keys(realHttp.STATUS_CODES));
    const missing = Object.keys(realHttp).filter((key) => !(key in far));
    expect(missing).toEqual(name.startsWith('Node') ? [] : MISSING);
  });
});

/** What is about Node's process, or of its parser's. */
const MISSING = ['_connectionListener'];

// Requests over connections that stay open: what http.memory measures, ours and Node's.

import http from 'node:http';
import net from 'node:net';
import { createRuntime, Host } from 'synfin';
import { createPipe } from 'synfin/link/pipe';
import { createWeb, Response as QuickResponse } from 'synfin/web';
import { keepFirst, rate, timed } from './measure.mjs';

const CONNECTIONS = 50;
const REQUEST = Buffer.from('GET /hello HTTP/1.1\r\nHost: bench.example\r\n\r\n', 'latin1');
const END = Buffer.from('\r\n\r\nhello', 'latin1');

const [TWO, ZERO] = [0x32, 0x30];

/** Whether `text` ends with the octets of `END`; few are compared sooner one by one than by a call into the engine. */
function isWhole(text) {
  const from = text.length - END.length;
  if (from < 0) return false;
  for (let i = 0; i < END.length; i++) if (text[from + i] !== END[i]) return false;
  return true;
}

/** Counts answers in what a connection brings; an answer ends with its body, and one only is out at a time. */
class Answers {
  #tail = Buffer.alloc(0);

  /** True when the answer is complete; throws for anything else than a 200 with the right body. */
  take(bytes) {
    const text = this.#tail.length === 0 ? bytes : Buffer.concat([this.#tail, bytes]);
    if (!isWhole(text)) {
      this.#tail = Buffer.from(text);
      return false;
    }
    if (text[9] !== TWO || text[10] !== ZERO || text[11] !== ZERO) throw new Error(`answered ${Buffer.from(text)}`);
    if (this.#tail.length > 0) this.#tail = Buffer.alloc(0);
    return true;
  }
}

/**
 * Requests a second through `serve`, 50 connections, both hosts in this process. `Response` is what the handler answers
 * with: the one of `synfin/web`, or the platform's.
 */
export async function ours(requests, Response = QuickResponse) {
  const pipe = createPipe({ schedule: (deliver) => setImmediate(deliver) });
  const runtimes = [];
  const [client, server] = [pipe.a, pipe.b].map((link, i) => {
    const host = new Host({ key: new Uint8Array(16).fill(i + 1) });
    const runtime = createRuntime({ host });
    runtime.attach(link, { addresses: [`10.0.0.${i + 1}/24`] });
    runtimes.push(runtime);
    return host;
  });
  createWeb(server).serve({ port: 80, fetch: () => new Response('hello') });
  let left = requests;
  let open = 0;
  let fail = () => undefined;
  const times = await timed(
    () =>
      new Promise((resolve, reject) => {
        fail = reject;
        for (let n = 0; n < CONNECTIONS; n++) {
          const connection = client.connect({ address: '10.0.0.2', port: 80 });
          const answers = new Answers();
          const ask = () => connection.send(REQUEST, 0, REQUEST.length);
          connection.handler = {
            onOpen: () => {
              open++;
              ask();
            },
            onReadable: () => {
              while (connection.readable > 0) {
                const span = connection.peek();
                const done = answers.take(span);
                connection.consume(span.length);
                if (!done) continue;
                if (--left === 0) resolve();
                else if (left >= CONNECTIONS - 1) ask();
              }
            },
            onClose: (_, error) => fail(error ?? new Error('closed')),
          };
        }
      }),
  );
  if (open !== CONNECTIONS) throw new Error(`${open} connections opened`);
  fail = () => undefined;
  for (const runtime of runtimes) runtime.close();
  keepFirst('keep-alive', runtimes);
  return rate(requests, times);
}

/** The same by Node's http over the kernel's loopback, raw sockets as clients. */
export async function nodes(requests) {
  const server = http.createServer((_, response) => response.end('hello'));
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address();
  const sockets = [];
  let left = requests;
  const times = await timed(
    () =>
      new Promise((resolve, reject) => {
        for (let n = 0; n < CONNECTIONS; n++) {
          const socket = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(REQUEST));
          const answers = new Answers();
          sockets.push(socket);
          socket.on('error', reject).on('data', (bytes) => {
            if (!answers.take(bytes)) return;
            if (--left === 0) resolve();
            else if (left >= CONNECTIONS - 1) socket.write(REQUEST);
          });
        }
      }),
  );
  for (const socket of sockets) socket.destroy();
  server.close();
  return rate(requests, times);
}

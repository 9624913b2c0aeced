// The agent's server: scripts come over a UNIX stream socket, one connection and one fresh host each.

import { unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { readRequest, requestLength } from './frames.ts';
import { Session } from './session.ts';

/**
 * Serves scripts on a UNIX socket until the server is closed. A file that is in the way of the socket is replaced.
 *
 * @param path where the socket is to be
 * @param ready called once scripts can come
 * @param report told of what ends a script before its time
 */
export function serveAgent(path: string, ready: () => void, report: (error: unknown) => void): Server {
  const server = createServer((socket) => serveScript(socket, report));
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return server.listen(path, ready);
}

function serveScript(socket: Socket, report: (error: unknown) => void): void {
  const session = new Session();
  let pending: Uint8Array = new Uint8Array(0);
  socket.on('data', (data: Uint8Array) => {
    pending = joined(pending, data);
    let at = 0;
    try {
      for (;;) {
        const length = requestLength(pending, at, pending.length);
        if (length === 0 || at + length > pending.length) break;
        // Of its own: what a request brings may be kept.
        const frame = new Uint8Array(pending.subarray(at, at + length));
        for (const reply of session.request(readRequest(frame, 0, length))) socket.write(reply);
        at += length;
      }
    } catch (error) {
      report(error);
      socket.destroy();
    }
    pending = pending.subarray(at);
  });
  socket.on('error', () => socket.destroy());
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

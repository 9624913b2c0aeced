// Ports of this machine that lead through a simulated network to real servers: for programs that know nothing of it.

import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { Host } from '../host/host.ts';
import type { Connection } from '../sim/index.ts';

/** Where a tunnel leads, and what happens in it. */
export interface TunnelOptions {
  /** The real server's port. */
  readonly port: number;
  /** The real server; `127.0.0.1` by default. */
  readonly host?: string;
  /** Resets a connection once its client has got so many octets of what the server says. */
  readonly resetAfter?: ResetAfter;
}

/** When a connection is reset. */
export interface ResetAfter {
  readonly octets: number;
  /** Counts from behind the first occurrence of this text; `'\r\n\r\n'` counts the body of an HTTP/1.1 message. */
  readonly from?: string;
}

/** A way through the network. */
export interface Tunnel {
  /** On 127.0.0.1, for real clients. */
  readonly port: number;
  /** Resets what is open now. */
  reset(): void;
  /** Ends it, and what is open. */
  close(): Promise<void>;
}

/** Ports of the far host that tunnels use. */
const FIRST_PORT = 20_000;

/** Opens a tunnel: a real client, the near host, the link between, the far host, the real server. */
export async function openTunnel(near: Host, far: Host, farAddress: string, options: TunnelOptions): Promise<Tunnel> {
  const open: Set<() => void> = new Set();
  const join = (connection: Connection, socket: Socket, cut: Cut | null): void => {
    const end = joined(connection, socket, cut, () => open.delete(end));
    open.add(end);
  };
  const { host = '127.0.0.1', port, resetAfter } = options;
  const listener = far.listen({ port: freePort(far) }, (connection) => {
    const socket = net.connect({ host, port, allowHalfOpen: true });
    join(connection as Connection, socket, resetAfter === undefined ? null : new Cut(resetAfter));
  });
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    join(near.connect({ address: farAddress, port: listener.port }), socket, null);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const reset = (): void => {
    for (const end of [...open]) end();
  };
  return {
    port: (server.address() as AddressInfo).port,
    reset,
    close: async () => {
      listener.close();
      const closed = once(server, 'close');
      server.close();
      reset();
      await closed;
    },
  };
}

/** The lowest port from `FIRST_PORT` on that nobody listens on. */
function freePort(host: Host): number {
  for (let port = FIRST_PORT; ; port++) {
    try {
      host.listen({ port }, () => undefined).close();
      return port;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EADDRINUSE') throw error;
    }
  }
}

/** Counts what goes to a client, and says when it has had enough. */
export class Cut {
  #left: number;
  readonly #mark: Buffer | null;
  /** The end of what was seen before the mark, in case the mark is torn apart. */
  #tail: Buffer = Buffer.alloc(0);
  #counting: boolean;

  constructor(when: ResetAfter) {
    this.#left = when.octets;
    this.#mark = when.from === undefined ? null : Buffer.from(when.from);
    this.#counting = this.#mark === null;
  }

  /** How many octets of `chunk` may still go; fewer than it has means that the cut is due behind them. */
  take(chunk: Buffer): number {
    let from = 0;
    if (!this.#counting) {
      const text = Buffer.concat([this.#tail, chunk]);
      const at = text.indexOf(this.#mark!);
      this.#tail = text.subarray(Math.max(0, text.length - this.#mark!.length + 1));
      if (at < 0) return chunk.length;
      this.#counting = true;
      from = at + this.#mark!.length - (text.length - chunk.length);
    }
    const part = Math.min(chunk.length - from, this.#left);
    this.#left -= part;
    return from + part;
  }

  /** Whether nothing more may go. */
  get due(): boolean {
    return this.#counting && this.#left === 0;
  }
}

/** Copies both ways, with the back-pressure, the half-closes and the resets of either end; returns what breaks both. */
export function joined(connection: Connection, socket: Socket, cut: Cut | null, done: () => void): () => void {
  /** Read from the socket, counted, and not yet taken by the connection. */
  let rest: Buffer | null = null;
  const breakBoth = (): void => {
    connection.abort();
    socket.resetAndDestroy();
    done();
  };
  // A reset overtakes nothing: it goes once the peer has acknowledged what came before.
  const cutWhenThere = (): void => {
    if (connection.queued === 0 || connection.state === 'CLOSED') breakBoth();
    else setTimeout(cutWhenThere, 1);
  };
  const toNetwork = (): void => {
    for (;;) {
      if (rest === null) {
        if (cut?.due === true) {
          cutWhenThere();
          return;
        }
        const chunk = socket.read() as Buffer | null;
        if (chunk === null) break;
        rest = cut === null ? chunk : chunk.subarray(0, cut.take(chunk));
      }
      const sent = connection.send(rest, 0, rest.length);
      if (sent < rest.length) {
        rest = rest.subarray(sent);
        return;
      }
      rest = null;
    }
    if (socket.readableEnded) connection.shutdown();
  };
  const toSocket = (): void => {
    while (connection.readable > 0 && !socket.writableNeedDrain) {
      const bytes = connection.peek();
      socket.write(Buffer.from(bytes));
      connection.consume(bytes.length);
    }
    if (connection.ended && !socket.writableEnded) socket.end();
  };
  connection.handler = {
    onOpen: toNetwork,
    onReadable: toSocket,
    onWritable: toNetwork,
    onClose: (_stream, error) => {
      if (error !== null) socket.resetAndDestroy();
      done();
    },
  };
  socket
    .on('readable', toNetwork)
    .on('drain', toSocket)
    .on('end', toNetwork)
    .on('error', () => connection.abort());
  toSocket();
  return breakBoth;
}

// Two hosts in memory, joined by streams: a `WebHost` without a network, run by the platform's event loop.

import { NetError } from '../../src/base/errors.ts';
import type { WebHost, WebListener, WebStream } from '../../src/web/index.ts';
import { MemoryPair, type MemoryPairOptions, type MemoryStream } from '../http/memory-stream.ts';

/** A host in memory; `connect` finds the listeners of any host in the same `MemoryNet`. */
export class MemoryNet {
  readonly options: MemoryPairOptions;
  readonly listeners: Map<string, (stream: WebStream) => void> = new Map();
  readonly pairs: MemoryPair[] = [];
  readonly #busy: Set<MemoryPair> = new Set();
  #scheduled = false;
  #port = 50_000;

  constructor(options: MemoryPairOptions = {}) {
    this.options = options;
  }

  /** A host with this address. */
  host(address: string): WebHost {
    return {
      connect: ({ address: to, port }) => this.#connect(address, to, port),
      listen: (options, accept) => this.#listen(address, options.port, accept),
    };
  }

  #listen(address: string, wanted: number, accept: (stream: WebStream) => void): WebListener {
    const port = wanted === 0 ? this.#port++ : wanted;
    const key = `${address} ${port}`;
    if (this.listeners.has(key)) throw new NetError('EADDRINUSE', 'listen', address, port);
    this.listeners.set(key, accept);
    return { port, close: () => void this.listeners.delete(key) };
  }

  #connect(from: string, to: string, port: number): WebStream {
    if (to === '0.0.0.0') throw new NetError('ENETUNREACH', 'connect', to, port);
    const pair = new MemoryPair(this.options);
    this.pairs.push(pair);
    const localPort = this.#port++;
    Object.assign(pair.a, { localAddress: from, localPort, remoteAddress: to, remotePort: port });
    Object.assign(pair.b, { localAddress: to, localPort: port, remoteAddress: from, remotePort: localPort });
    const work = (): void => this.#work(pair);
    pair.a.onWork = work;
    pair.b.onWork = work;
    // A black hole answers nothing, ever.
    if (to === '192.0.2.1') return pair.a;
    const accept = this.listeners.get(`${to} ${port}`);
    setImmediate(() => {
      if (pair.a.closed) return;
      if (accept === undefined || !this.listeners.has(`${to} ${port}`)) {
        pair.a.fail(new NetError('ECONNREFUSED', 'connect', to, port));
        return;
      }
      pair.a.tellOpen = true;
      accept(pair.b);
      work();
    });
    return pair.a;
  }

  #work(pair: MemoryPair): void {
    // Nothing crosses a pair before it was accepted.
    this.#busy.add(pair);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const busy = [...this.#busy];
      this.#busy.clear();
      for (const each of busy) if (each.turn()) this.#work(each);
    });
  }

  /** The streams of the last connection: the opener's end and the listener's. */
  get last(): { a: MemoryStream; b: MemoryStream } {
    return this.pairs.at(-1)!;
  }
}

/** Lets the event loop turn until `done`, at most some thousand times. */
export async function until(done: () => boolean, turns = 5000): Promise<void> {
  for (let i = 0; !done(); i++) {
    if (i === turns) throw new Error('it did not happen');
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Lets the event loop turn `n` times. */
export async function turns(n: number): Promise<void> {
  let i = 0;
  await until(() => i++ === n, n + 1);
}

/** How a promise stands: settled values and reasons are told apart from waiting. */
export async function settled(promise: Promise<unknown>): Promise<string> {
  let state = 'pending';
  promise.then(
    () => {
      state = 'fulfilled';
    },
    (error: unknown) => {
      state = `rejected ${(error as { code?: string }).code ?? (error as Error).name}`;
    },
  );
  await turns(20);
  return state;
}

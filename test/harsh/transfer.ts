// Two programs that send each other a stream at once over a simulated path, and what must be true of the end.

import type { NetError } from '../../src/base/errors.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Profile } from '../../src/base/profile.ts';
import type { Tracer } from '../../src/base/trace.ts';
import {
  type Connection,
  type Impairments,
  InvariantChecker,
  type Pair,
  type PairOptions,
  pair,
  type TwoWays,
} from '../../src/sim/index.ts';

/** Who says goodbye first: one waits for the other's end before its own, or both end when they are done. */
export type CloseOrder = 'client' | 'server' | 'both';

export interface TransferOptions {
  readonly seed: number;
  /** Octets each way. */
  readonly size: number;
  readonly close: CloseOrder;
  readonly impairments: Partial<Impairments> | TwoWays;
  readonly profile?: Partial<Profile>;
  readonly medium?: PairOptions['medium'];
  readonly ipv6?: boolean;
  readonly mtu?: number;
  /** Most octets given to one `send`; small ones make small segments. */
  readonly writeSize?: number;
  /** Fraction of readable events after which the program lets octets lie for up to 200 ms. */
  readonly laziness?: number;
  /** Called before anything happens: to install rules and captures. */
  readonly prepare?: (p: Pair) => void;
  readonly trace?: Tracer;
}

/**
 * Limits that an honest bad path must not meet: 20 % loss each way makes six SYN retries fail now and then,
 * and a FIN may need many tries while the other end waits in TIME-WAIT.
 */
const PATIENT: Partial<Profile> = {
  synRetries: 100,
  synAckRetries: 100,
  dataRetries: 100,
  probeRetries: 100,
  arpTries: 100,
  timeWait: 10_000_000,
};

/** One end's program: writes its stream, checks the other's, ends in its turn. */
class Program {
  readonly name: string;
  readonly stream: Connection;
  closed = 0;
  error: NetError | null = null;
  received = 0;
  #sent = 0;
  #waiting = false;
  readonly #out: Uint8Array;
  readonly #expected: Uint8Array;
  readonly #endsFirst: boolean;
  readonly #options: TransferOptions;
  readonly #pair: Pair;
  readonly #prng: Prng;

  constructor(name: string, stream: Connection, seed: number, endsFirst: boolean, options: TransferOptions, p: Pair) {
    this.name = name;
    this.stream = stream;
    this.#endsFirst = endsFirst;
    this.#options = options;
    this.#pair = p;
    this.#prng = new Prng(seed).fork(name === 'client' ? 1 : 2);
    this.#out = content(name, options.size);
    this.#expected = content(name === 'client' ? 'server' : 'client', options.size);
    stream.handler = {
      onOpen: () => this.write(),
      onWritable: () => this.write(),
      onReadable: () => this.read(),
      onClose: (_stream, error) => {
        this.closed++;
        this.error = error;
      },
    };
  }

  write(): void {
    const out = this.#out;
    const most = this.#options.writeSize ?? 65_536;
    while (this.#sent < out.length) {
      const offered = Math.min(out.length, this.#sent + 1 + this.#prng.below(most));
      const taken = this.stream.send(out, this.#sent, offered);
      this.#sent += taken;
      if (this.#sent < offered) return;
    }
    this.#endInTurn();
  }

  read(): void {
    if (this.#waiting) return;
    if (this.#prng.nextFloat() < (this.#options.laziness ?? 0)) {
      this.#waiting = true;
      this.#pair.network.after(this.#prng.nextFloat() * 200, () => {
        this.#waiting = false;
        this.#take();
      });
      return;
    }
    this.#take();
  }

  #take(): void {
    for (let span = this.stream.peek(); span.length > 0; span = this.stream.peek()) {
      this.#compare(span);
      this.received += span.length;
      this.stream.consume(span.length);
    }
    this.#endInTurn();
  }

  #compare(span: Uint8Array): void {
    const at = this.received;
    const expected = this.#expected;
    for (let i = 0; i < span.length; i++) {
      if (span[i] !== expected[at + i]) throw new Error(`${this.name}: octet ${at + i} is not what was sent`);
    }
  }

  #endInTurn(): void {
    if (this.#sent < this.#out.length) return;
    if (this.#endsFirst || this.stream.ended) this.stream.shutdown();
  }

  /** Throws unless the stream came whole and ended in good order. */
  check(): void {
    const { stream } = this;
    const told = `${this.name}: state ${stream.state}, sent ${this.#sent}, received ${this.received}, error ${this.error}`;
    if (this.received !== this.#expected.length || !stream.ended) throw new Error(`${told}: the stream is not whole`);
    if (stream.state !== 'CLOSED') throw new Error(`${told}: did not reach CLOSED`);
    if (this.error !== null || this.closed !== 1) throw new Error(`${told}: no clean end (${this.closed} closes)`);
  }
}

const contents = new Map<string, Uint8Array>();

/** The stream a side sends: fixed by its name, so that runs of all seeds share it. */
function content(name: string, size: number): Uint8Array {
  const key = `${name} ${size}`;
  let bytes = contents.get(key);
  if (bytes === undefined) {
    bytes = new Uint8Array(size);
    new Prng(name === 'client' ? 1 : 2).fill(bytes);
    contents.set(key, bytes);
  }
  return bytes;
}

export interface TransferResult {
  readonly pair: Pair;
  readonly digest: string;
  /** Virtual time at the end, ms. */
  readonly now: number;
  readonly events: number;
  /** Packets sent from client to server, and from server to client. */
  readonly toServer: number;
  readonly toClient: number;
  /** How often a connection was checked against the invariants. */
  readonly checks: number;
  readonly retransmissions: number;
}

/**
 * Runs a whole connection, first SYN to last timer, with the invariants checked after every event. Throws
 * when an octet is wrong, an end is not clean, or anything of the connection is left over.
 */
export function transfer(options: TransferOptions): TransferResult {
  const p = pair({
    seed: options.seed,
    impairments: options.impairments,
    profile: { ...PATIENT, ...options.profile },
    medium: options.medium ?? 'ip',
    mtu: options.mtu ?? 1500,
    ipv6: options.ipv6 ?? false,
    trace: options.trace ?? null,
  });
  const checker = new InvariantChecker([p.client, p.server]);
  checker.attach(p.network);
  options.prepare?.(p);
  let server: Program | null = null;
  const listener = p.server.listen({ port: 80 }, (stream) => {
    server = new Program('server', stream, options.seed, options.close !== 'client', options, p);
    server.write();
    server.read();
  });
  const stream = p.client.connect({ address: p.serverAddress, port: 80 });
  const client = new Program('client', stream, options.seed, options.close !== 'server', options, p);
  p.network.run({ idle: true, maxEvents: 3_000_000 });
  client.check();
  if (server === null) throw new Error('the server never accepted');
  (server as Program).check();
  listener.close();
  p.network.run({ idle: true, maxEvents: 1000 });
  checker.released(p.network);
  return {
    pair: p,
    digest: p.network.digest,
    now: p.network.now,
    events: p.network.events,
    toServer: p.link.aToB.counters.sent,
    toClient: p.link.bToA.counters.sent,
    checks: checker.checks,
    retransmissions: stream.retransmissions + (server as Program).stream.retransmissions,
  };
}

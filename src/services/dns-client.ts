// A stub resolver (RFC 1034 §5.3.1): asks the servers it is given, over UDP, and over TCP what did not fit.
//
// Nobody may answer in a server's name: each attempt has a port and an id of its own, both left to chance, and an answer counts
// only from the address that was asked, with that id and that question (RFC 5452 §9). What does not fit is dropped as if it had
// never come, and the time goes on.

import { NetError } from '../base/errors.ts';
import type { ByteStream } from '../base/stream.ts';
import {
  DNS_TYPES,
  type DnsFault,
  type DnsMessage,
  type DnsRecord,
  type DnsType,
  parseDns,
  writeDnsQuery,
} from '../wire/dns.ts';

/** A bound datagram socket. */
export interface DnsSocket {
  send(bytes: Uint8Array, address: string, port: number): void;
  close(): void;
}

/** What a resolver needs of the world. Times are ms. */
export interface DnsNetwork {
  /** A datagram socket on `port`, 0 for any; `null` when it is taken. */
  bind(port: number, onMessage: (bytes: Uint8Array, address: string, port: number) => void): DnsSocket | null;
  /** Opens a stream. May throw `NetError`. */
  connect(address: string, port: number): ByteStream;
  /** 32 bits that nobody can guess. */
  random(): number;
  /** Calls `fire` after a delay, unless the function it returns is called first. */
  after(delay: number, fire: () => void): () => void;
}

/** A name server. */
export interface DnsServer {
  readonly address: string;
  readonly port: number;
}

/** Why there is no answer. */
export type DnsFailure = 'bad-name' | 'not-found' | 'no-data' | 'server-failed' | 'refused' | 'timeout';

/** Parts of a resolver that can be set. */
export interface DnsOptions {
  /** How long a server has for its first chance, ms; twice as long for each round after it. 1000 by default. */
  readonly timeout?: number;
  /** How often each server is asked; 3 by default. */
  readonly rounds?: number;
}

/** Who is told of a resolution: records of the type asked for, under the name that the aliases led to. */
export type DnsCallback = (failure: DnsFailure | null, records: readonly DnsRecord[]) => void;

/** Aliases that are followed, inside of one answer and by new questions. */
const ALIASES_MAX = 16;
const QUESTIONS_MAX = 8;
/** How long a server may take to end a stream that was answered, ms. */
const LINGER = 2000;
/** Ports that are nobody's by right; as many are tried before the host chooses. */
const FIRST_PORT = 1024;
const PORT_TRIES = 8;

/** Asks name servers. */
export class DnsClient {
  readonly #network: DnsNetwork;
  readonly #servers: readonly DnsServer[];
  readonly #timeout: number;
  readonly #rounds: number;

  /** @throws RangeError without a server to ask */
  constructor(network: DnsNetwork, servers: readonly DnsServer[], options: DnsOptions = {}) {
    if (servers.length === 0) throw new RangeError('a resolver needs a server to ask');
    this.#network = network;
    this.#servers = servers;
    this.#timeout = options.timeout ?? 1000;
    this.#rounds = options.rounds ?? 3;
  }

  /** Asks for the records of a name. `done` is called once, never before this returns. */
  resolve(name: string, type: DnsType, done: DnsCallback): void {
    this.#ask(name.replace(/\.$/, '').toLowerCase(), type, done, QUESTIONS_MAX);
  }

  #ask(name: string, type: DnsType, done: DnsCallback, left: number): void {
    const network = this.#network;
    if (writeDnsQuery(0, name, type) === null) {
      network.after(0, () => done('bad-name', []));
      return;
    }
    let attempt = -1;
    let last: DnsFailure = 'timeout';
    const next = (): void => {
      attempt++;
      const round = Math.floor(attempt / this.#servers.length);
      if (round >= this.#rounds) {
        network.after(0, () => done(last, []));
        return;
      }
      const server = this.#servers[attempt % this.#servers.length]!;
      new Attempt(network, server, name, type, this.#timeout * (1 << round), (message) => {
        if (message === null) next();
        else if (message.rcode === 3) done('not-found', []);
        else if (message.rcode !== 0) {
          last = message.rcode === 5 ? 'refused' : 'server-failed';
          next();
        } else this.#answer(message, name, type, done, left);
      }).start();
    };
    next();
  }

  #answer(message: DnsMessage, name: string, type: DnsType, done: DnsCallback, left: number): void {
    let current = name;
    for (let i = 0; i < ALIASES_MAX && type !== 'CNAME'; i++) {
      const alias = message.answers.find((record) => record.type === 'CNAME' && record.name === current);
      if (alias === undefined) break;
      current = alias.data;
    }
    const found = message.answers.filter((record) => record.type === type && record.name === current);
    if (found.length > 0) done(null, found);
    else if (current !== name && left > 0) this.#ask(current, type, done, left - 1);
    else done('no-data', []);
  }
}

/** One question to one server. */
class Attempt {
  readonly #network: DnsNetwork;
  readonly #server: DnsServer;
  readonly #name: string;
  readonly #type: DnsType;
  readonly #time: number;
  readonly #done: (message: DnsMessage | null) => void;
  readonly #id: number;
  #socket: DnsSocket | null = null;
  #stream: ByteStream | null = null;
  #cancel: () => void = () => undefined;
  #over = false;

  constructor(
    network: DnsNetwork,
    server: DnsServer,
    name: string,
    type: DnsType,
    time: number,
    done: (message: DnsMessage | null) => void,
  ) {
    this.#network = network;
    this.#server = server;
    this.#name = name;
    this.#type = type;
    this.#time = time;
    this.#done = done;
    this.#id = network.random() & 0xffff;
  }

  start(): void {
    const { address, port } = this.#server;
    this.#cancel = this.#network.after(this.#time, () => this.#end(null));
    const hear = (bytes: Uint8Array, from: string, fromPort: number): void => {
      if (from === address && fromPort === port) this.#heard(parseDns(bytes));
    };
    for (let i = 0; i < PORT_TRIES && this.#socket === null; i++) {
      const own = FIRST_PORT + ((this.#network.random() >>> 0) % (65_536 - FIRST_PORT));
      this.#socket = this.#network.bind(own, hear);
    }
    this.#socket ??= this.#network.bind(0, hear);
    this.#socket?.send(this.#query(), address, port);
  }

  #query(): Uint8Array {
    return writeDnsQuery(this.#id, this.#name, this.#type) ?? new Uint8Array(0);
  }

  /** Whether a message is the answer to what was asked. */
  #fits(message: DnsMessage | DnsFault): message is DnsMessage {
    if (typeof message === 'string' || !message.isResponse || message.id !== this.#id) return false;
    return message.question === this.#name && message.questionType === DNS_TYPES[this.#type];
  }

  #heard(message: DnsMessage | DnsFault): void {
    if (this.#over || this.#stream !== null || !this.#fits(message)) return;
    if (message.truncated) this.#overTcp();
    else this.#end(message);
  }

  /** The same question over TCP, with its length before it (RFC 7766 §5, §8). */
  #overTcp(): void {
    const query = this.#query();
    const framed = new Uint8Array(query.length + 2);
    framed[0] = query.length >> 8;
    framed[1] = query.length;
    framed.set(query, 2);
    let got: Uint8Array = new Uint8Array(0);
    let sent = 0;
    const send = (stream: ByteStream): void => {
      if (!this.#over) sent += stream.send(framed, sent, framed.length);
    };
    try {
      const stream = this.#network.connect(this.#server.address, this.#server.port);
      this.#stream = stream;
      stream.handler = {
        onOpen: send,
        onWritable: send,
        onReadable: () => {
          const more = new Uint8Array(got.length + stream.readable);
          more.set(got);
          stream.read(more, got.length, more.length);
          got = more;
          const length = got.length < 2 ? Number.POSITIVE_INFINITY : ((got[0]! << 8) | got[1]!) + 2;
          if (got.length >= length) {
            const message = parseDns(got.subarray(2, length));
            this.#end(this.#fits(message) ? message : null);
          } else if (stream.ended) this.#end(null);
        },
        onClose: () => this.#end(null),
      };
    } catch (error) {
      // No way there: the next server may have one.
      if (!(error instanceof NetError)) throw error;
      this.#end(null);
    }
  }

  #end(message: DnsMessage | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancel();
    this.#socket?.close();
    if (message === null) this.#stream?.abort();
    else if (this.#stream !== null) this.#part(this.#stream);
    this.#done(message);
  }

  /** Ends a stream that did what it should, without a reset; a server that does not end it has its time. */
  #part(stream: ByteStream): void {
    const cancel = this.#network.after(LINGER, () => stream.abort());
    stream.handler = {
      onReadable: () => {
        while (stream.readable > 0) stream.consume(stream.peek().length);
      },
      onClose: cancel,
    };
    stream.shutdown();
  }
}

// A scripted peer: it plays the other end of a host by hand, and asserts silence as well as speech.
//
// Everything is relative: the peer's ISS is 0 on the page (PEER_ISS on the wire), the host's ISS is 0 on the page
// whatever it drew. A segment is written `FLAGS seq[:len] [ack=N] [win=N] [mss=N] [ws=N] [urg=N] [ecn=N] [fo=HEX]`, flags as
// tcpdump has them: `S` SYN, `F` FIN, `R` RST, `P` PSH, `.` ACK, `U` URG, `E` ECE, and `W` CWR. `out()` returns what the host sent
// since last asked; an empty list is silence.

import { RxMeta, TxMeta } from '../../src/base/packet.ts';
import type { Profile } from '../../src/base/profile.ts';
import type { TraceEvent } from '../../src/base/trace.ts';
import { fastOpen } from '../../src/host/fast-open.ts';
import { Host } from '../../src/host/host.ts';
import type { Interface } from '../../src/host/interface.ts';
import type { Listener } from '../../src/host/listener.ts';
import { newReno } from '../../src/tcp/congestion/newreno.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { superSegments } from '../../src/tcp/trains.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { Ipv4Header, parseIpv4, pseudoSum4, writeIpv4 } from '../../src/wire/ipv4.ts';
import {
  finishTcp,
  parseTcp,
  putFastOpen,
  putMss,
  putNop,
  putSackBlocks,
  putSackPermitted,
  putTimestamps,
  putWscale,
  Segment,
  verifyTcp,
  writeTcp,
} from '../../src/wire/tcp.ts';

const PEER_ISS = 5000;
const HOST = parseAddress('10.0.0.1')!.w3;
const PEER = parseAddress('10.0.0.2')!.w3;
const LETTERS: readonly [string, number][] = [
  ['S', 2],
  ['F', 1],
  ['R', 4],
  ['P', 8],
  ['.', 16],
  ['U', 32],
  ['E', 64],
  ['W', 128],
];

export interface PeerOptions {
  readonly profile?: Partial<Profile>;
  /** The host's key: another one gives another ISS. */
  readonly key?: number;
  /** The host's clock when the script begins, ms; 1000 by default. The ISS moves with it. */
  readonly now?: number;
  /** The peer's ISS on the wire; `PEER_ISS` by default. */
  readonly peerIss?: number;
  readonly mtu?: number;
}

/** A host at 10.0.0.1, and the script that plays 10.0.0.2. */
export class Peer {
  readonly host: Host;
  readonly iface: Interface;
  readonly trace: TraceEvent[] = [];
  /** Whole packets the host sent, in order, as they were on the wire. */
  readonly packets: Uint8Array[] = [];
  readonly peerIss: number;
  now = 1000;
  /** Port numbers of the connection that is played. */
  hostPort = 80;
  peerPort = 4000;
  hostIss = 0;
  #issKnown = false;
  #queue: string[] = [];
  /** Payload octets received in sequence positions, by relative sequence number. */
  readonly payload: Map<number, number> = new Map();
  readonly #out: Uint8Array = new Uint8Array(70_000);

  constructor(options: PeerOptions = {}) {
    this.now = options.now ?? 1000;
    this.peerIss = (options.peerIss ?? PEER_ISS) | 0;
    this.host = new Host({
      name: 'host',
      key: new Uint8Array(16).fill(options.key ?? 7),
      fastOpen,
      superSegments,
      // Reno's arithmetic is what most scripts count with; those about another algorithm name it.
      // Buffers do not grow, unless a script says so: windows are then what the script expects.
      profile: { congestionControl: newReno, receiveBufferMax: 0, sendBufferMax: 0, ...options.profile },
      trace: (e) => this.trace.push(e),
    });
    this.iface = this.host.addInterface({ medium: 'ip', mtu: options.mtu ?? 1500, addresses: ['10.0.0.1/24'] });
    this.host.tick(this.now);
  }

  /** The peer sends one segment. `data` fills the payload; by default octet k of the stream is `k & 0xff`. */
  send(text: string, data?: Uint8Array): void {
    const [letters, range, ...rest] = text.split(' ');
    const [seqText, lenText] = (range ?? '0').split(':');
    const seq = Number(seqText);
    const len = data?.length ?? Number(lenText ?? 0);
    const field = (name: string): number => {
      const found = rest.find((r) => r.startsWith(`${name}=`));
      return found === undefined ? -1 : Number(found.slice(name.length + 1));
    };
    let flags = 0;
    for (const [letter, bit] of LETTERS) if (letters!.includes(letter)) flags |= bit;
    const at = 20;
    let optionsEnd = at + 20;
    const b = this.#out;
    if (field('mss') >= 0) optionsEnd = putMss(b, optionsEnd, field('mss'));
    if (field('ws') >= 0) {
      optionsEnd = putNop(b, optionsEnd);
      optionsEnd = putWscale(b, optionsEnd, field('ws'));
    }
    if (rest.includes('sackOK')) optionsEnd = putSackPermitted(b, putNop(b, putNop(b, optionsEnd)));
    const ts = rest.find((r) => r.startsWith('ts='));
    if (ts !== undefined) {
      const [value, echo] = ts.slice(3).split(':').map(Number);
      const echoed = echo === 0 ? 0 : (echo! + this.hostTsOffset) | 0;
      optionsEnd = putTimestamps(b, putNop(b, putNop(b, optionsEnd)), value! | 0, echoed);
    }
    const cookie = rest.find((r) => r.startsWith('fo='));
    if (cookie !== undefined) {
      optionsEnd = putFastOpen(
        b,
        optionsEnd,
        Uint8Array.from(cookie.slice(3).match(/../g) ?? [], (h) => Number.parseInt(h, 16)),
      );
      while (((optionsEnd - at) & 3) !== 0) optionsEnd = putNop(b, optionsEnd);
    }
    const sack = rest.find((r) => r.startsWith('sack='));
    if (sack !== undefined) {
      const edges = sack
        .slice(5)
        .split(',')
        .map((r) => r.split('-').map((n) => (this.hostIss + Number(n)) | 0));
      const left = Int32Array.from(edges, (e) => e[0]!);
      const right = Int32Array.from(edges, (e) => e[1]!);
      optionsEnd = putSackBlocks(b, putNop(b, putNop(b, optionsEnd)), left, right, edges.length);
    }
    const acks = rest.find((r) => r.startsWith('ack='));
    const ack =
      acks === undefined ? ((flags & 16) === 0 ? 0 : this.hostIss) : (this.hostIss + Number(acks.slice(4))) | 0;
    const wnd = field('win') < 0 ? 65_535 : field('win');
    const wireSeq = (this.peerIss + seq) | 0;
    writeTcp(
      b,
      at,
      this.peerPort,
      this.hostPort,
      wireSeq,
      ack,
      flags,
      wnd,
      Math.max(0, field('urg')),
      optionsEnd - at - 20,
    );
    for (let k = 0; k < len; k++) b[optionsEnd + k] = data === undefined ? (seq + k) & 0xff : data[k]!;
    const length = optionsEnd + len - at;
    finishTcp(b, at, length, pseudoSum4(PEER, HOST, 6, length));
    writeIpv4(b, 0, length, 1, 64, 6, Math.max(0, field('ecn')), PEER, HOST, true);
    this.inject(b, 20 + length);
  }

  /** The peer's link brings these octets, whatever they are. */
  inject(bytes: Uint8Array, length: number): void {
    this.host.receive(this.iface, bytes, 0, length, new RxMeta(), this.now);
    this.#turn();
  }

  /** What the host has sent since last asked. */
  out(): string[] {
    this.#turn();
    const queue = this.#queue;
    this.#queue = [];
    return queue;
  }

  /** Time passes, timers fire exactly when they are due. Lines that are sent meanwhile carry `@ms` after `from`. */
  advance(ms: number): string[] {
    const start = this.now;
    const end = start + ms;
    const lines: string[] = this.out();
    for (let n = 0; n < 100_000; n++) {
      const t = this.host.nextDeadline();
      if (t > end) break;
      this.now = Math.max(this.now, t);
      this.host.timersFire(this.now);
      for (const line of this.out()) lines.push(`@${Math.round(this.now - start)} ${line}`);
    }
    this.now = end;
    this.host.tick(end);
    return lines;
  }

  #turn(): void {
    while (this.host.deliver());
    const ip = new Ipv4Header();
    const seg = new Segment();
    const out = new Uint8Array(10_000);
    const meta = new TxMeta();
    for (let n = 0; n < 10_000; n++) {
      const length = this.host.transmit(this.iface, out, 0, meta, this.now);
      if (length === 0) return;
      this.packets.push(out.slice(0, length));
      if (parseIpv4(out, 0, length, ip) !== null) throw new Error('the host sent a bad IP packet');
      if (ip.protocol !== 6) {
        this.#queue.push(`ip-protocol ${ip.protocol}`);
        continue;
      }
      const sum = pseudoSum4(ip.src, ip.dst, 6, ip.payloadTo - ip.payloadFrom);
      if (!verifyTcp(out, ip.payloadFrom, ip.payloadTo, sum)) throw new Error('the host sent a bad checksum');
      if (parseTcp(out, ip.payloadFrom, ip.payloadTo, seg) !== null) throw new Error('the host sent a bad segment');
      this.#queue.push(this.#describe(seg) + (ip.ecn === 0 ? '' : ` ecn=${ip.ecn}`));
    }
    throw new Error('the host does not stop sending');
  }

  #describe(seg: Segment): string {
    if ((seg.flags & 2) !== 0 && !this.#issKnown) {
      this.#issKnown = true;
      this.hostIss = seg.seq;
      this.hostTsOffset = (seg.tsVal - Math.floor(this.now)) | 0;
    }
    let flags = '';
    for (const [letter, bit] of LETTERS) if ((seg.flags & bit) !== 0) flags += letter;
    const seq = (seg.seq - this.hostIss) | 0;
    for (let k = 0; k < seg.len; k++) this.payload.set(seq + k, seg.bytes[seg.at + k]!);
    const ack = (seg.flags & 16) !== 0 ? ` ack=${(seg.ack - this.peerIss) | 0}` : '';
    let blocks = '';
    for (let i = 0; i < seg.sackCount; i++) {
      blocks += `${i === 0 ? ' sack=' : ','}${(seg.sackLeft[i]! - this.peerIss) | 0}-${(seg.sackRight[i]! - this.peerIss) | 0}`;
    }
    const stamps = seg.hasTs ? ` ts=${(seg.tsVal - this.hostTsOffset) | 0}:${seg.tsEcr}` : '';
    const shown = this.showOptions ? `${seg.sackPermitted ? ' sackOK' : ''}${stamps}${blocks}` : '';
    const options = `${seg.mss >= 0 ? ` mss=${seg.mss}` : ''}${seg.wscale >= 0 ? ` ws=${seg.wscale}` : ''}`;
    const cookie = [...seg.bytes.subarray(seg.cookieAt, seg.cookieAt + Math.max(seg.cookieLength, 0))];
    const hex = cookie.map((octet) => octet.toString(16).padStart(2, '0')).join('');
    const fastOpen = seg.cookieLength >= 0 ? ` fo=${hex}` : '';
    return `${flags} ${seq}${seg.len > 0 ? `:${seg.len}` : ''}${ack}${this.showWindow ? ` win=${seg.wnd}` : ''}${options}${fastOpen}${shown}`;
  }

  /** The host's next SYN begins the numbering anew. */
  forgetIss(): void {
    this.#issKnown = false;
  }

  /** Lines carry SACK and timestamps: `sackOK`, `ts=OURS:THEIRS` (ours as milliseconds of the host), `sack=A-B`. */
  showOptions = false;
  /** What the host adds to its clock for its timestamps; learned from its SYN. */
  hostTsOffset = 0;

  /** Lines carry the window field. */
  showWindow = false;

  /** How often a reason was counted. */
  drops(reason: keyof Host['counters']['drops']): number {
    return this.host.counters.drops[reason] ?? 0;
  }
}

/** What the program at the host's end saw, in order. */
export interface App {
  readonly log: string[];
  connection: Connection | null;
  listener: Listener | null;
  read: number[];
}

/** Records what the program is told, reads everything at once unless told not to. */
export function app(options: { reads?: boolean; shutsDownAtEnd?: boolean } = {}): App & {
  attach(c: Connection): void;
} {
  const a = {
    log: [] as string[],
    connection: null as Connection | null,
    listener: null as Listener | null,
    read: [] as number[],
    attach(c: Connection): void {
      a.connection = c;
      c.handler = {
        onOpen: () => a.log.push('open'),
        onWritable: () => a.log.push('writable'),
        onReadable: () => {
          while (options.reads !== false && c.readable > 0) {
            const span = c.peek();
            a.read.push(...span);
            c.consume(span.length);
          }
          if (c.ended) {
            a.log.push('ended');
            if (options.shutsDownAtEnd === true) c.shutdown();
          }
        },
        onClose: (_s, error) => a.log.push(error === null ? 'closed' : `closed ${error.code}`),
      };
    },
  };
  return a;
}

/** The host listens on port 80 and hands what comes to the returned program. */
export function listening(p: Peer, options: { reads?: boolean; shutsDownAtEnd?: boolean } = {}): App {
  const a = app(options);
  a.listener = p.host.listen({ port: 80 }, (c) => {
    a.log.push('accept');
    a.attach(c);
  });
  return a;
}

/** A passive connection in ESTABLISHED: the peer has sent SYN and ACK, its next octet is 1, ours is 1. */
export function established(
  p: Peer,
  options: { reads?: boolean; shutsDownAtEnd?: boolean; mss?: number; ws?: number; syn?: string; ack?: string } = {},
): App {
  const a = listening(p, options);
  p.send(`S 0 win=65535 mss=${options.mss ?? 1000} ws=${options.ws ?? -1} ${options.syn ?? ''}`);
  p.out();
  p.send(`. 1 ack=1 ${options.ack ?? ''}`);
  p.out();
  if (a.connection?.state !== 'ESTABLISHED') throw new Error(`not ESTABLISHED but ${a.connection?.state}`);
  return a;
}

/** An active open to the peer's port 4000; the SYN is out. */
export function synSent(p: Peer): App & { connection: Connection } {
  const a = app();
  const c = p.host.connect({ address: '10.0.0.2', port: 4000 });
  a.attach(c);
  p.hostPort = c.localPort;
  p.out();
  return a as App & { connection: Connection };
}

/** Octet k of the stream, as `send` fills it. */
export function octets(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, k) => (from + k) & 0xff);
}

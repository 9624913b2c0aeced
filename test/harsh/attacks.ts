// Attacks on one host, with figures: what it kept, what it answered, and whether those who meant well were served.
//
// Cost is counted, not timed: packets sent, records and ranges kept, calls of the structures that are searched.

import { RxMeta, TxMeta } from '../../src/base/packet.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Profile } from '../../src/base/profile.ts';
import { ReceiveBuffer } from '../../src/base/receive-buffer.ts';
import { halfSip13, SipKey } from '../../src/base/siphash.ts';
import { Host } from '../../src/host/host.ts';
import type { Interface } from '../../src/host/interface.ts';
import type { Listener } from '../../src/host/listener.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { Scoreboard } from '../../src/tcp/scoreboard.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { Ipv4Header, parseIpv4, pseudoSum4, writeIpv4 } from '../../src/wire/ipv4.ts';
import {
  ACK,
  FIN,
  finishTcp,
  PSH,
  parseTcp,
  putMss,
  putNop,
  putSackBlocks,
  putSackPermitted,
  putWscale,
  RST,
  Segment,
  SYN,
  TCP_HEADER,
  writeTcp,
} from '../../src/wire/tcp.ts';

const HOST = parseAddress('10.0.0.1')!.w3;
const PEER = parseAddress('10.0.0.2')!.w3;
const PORT = 80;
const IP = 20;

/** Figures of an attack, as they are printed. */
export type Figures = Readonly<Record<string, number>>;

/** One segment of a peer. Sequence numbers are as on the wire. */
interface Sent {
  readonly from?: number;
  readonly port?: number;
  readonly seq: number;
  readonly ack?: number;
  readonly flags: number;
  readonly wnd?: number;
  readonly text?: Uint8Array;
  readonly mss?: number;
  readonly sackOk?: boolean;
  readonly wscale?: number;
  readonly sack?: readonly (readonly [number, number])[];
}

/** What the host answered to one segment. */
interface Answer {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly len: number;
  readonly port: number;
}

/** A host under attack, and the hand that writes the segments. */
class Range {
  readonly host: Host;
  readonly listener: Listener;
  readonly accepted: Connection[] = [];
  readonly #iface: Interface;
  readonly #in: RxMeta = new RxMeta();
  readonly #out: TxMeta = new TxMeta();
  readonly #packet: Uint8Array = new Uint8Array(2048);
  readonly #answer: Uint8Array = new Uint8Array(2048);
  readonly #ip: Ipv4Header = new Ipv4Header();
  readonly #seg: Segment = new Segment();
  now = 1000;
  /** Packets the host has sent. */
  answers = 0;

  constructor(profile: Partial<Profile> = {}) {
    this.host = new Host({ key: new Uint8Array(16).fill(42), profile });
    this.#iface = this.host.addInterface({ medium: 'ip', mtu: 1500, addresses: ['10.0.0.1/8'] });
    this.host.tick(this.now);
    this.listener = this.host.listen({ port: PORT }, (c) => this.accepted.push(c));
  }

  /** A segment arrives; nothing else happens. */
  send(s: Sent): void {
    const b = this.#packet;
    let end = IP + TCP_HEADER;
    if (s.mss !== undefined) end = putMss(b, end, s.mss);
    if (s.wscale !== undefined) end = putWscale(b, putNop(b, end), s.wscale);
    if (s.sackOk === true) end = putSackPermitted(b, putNop(b, putNop(b, end)));
    if (s.sack !== undefined) {
      const left = Int32Array.from(s.sack, (r) => r[0]);
      const right = Int32Array.from(s.sack, (r) => r[1]);
      end = putSackBlocks(b, putNop(b, putNop(b, end)), left, right, s.sack.length);
    }
    const options = end - IP - TCP_HEADER;
    const from = s.from ?? PEER;
    writeTcp(b, IP, s.port ?? 4000, PORT, s.seq, s.ack ?? 0, s.flags, s.wnd ?? 65_535, 0, options);
    if (s.text !== undefined) b.set(s.text, end);
    const length = end - IP + (s.text?.length ?? 0);
    finishTcp(b, IP, length, pseudoSum4(from, HOST, 6, length));
    writeIpv4(b, 0, length, 1, 64, 6, 0, from, HOST, true);
    this.#in.reset();
    this.host.receive(this.#iface, b, 0, IP + length, this.#in, this.now);
  }

  /** The host's turn; what it says, as far as `hear` wants it. */
  turn(hear: ((answer: Answer) => void) | null = null): void {
    const { host } = this;
    while (host.deliver());
    for (;;) {
      const length = host.transmit(this.#iface, this.#answer, 0, this.#out, this.now);
      if (length === 0) return;
      this.answers++;
      if (hear === null || parseIpv4(this.#answer, 0, length, this.#ip) !== null) continue;
      if (parseTcp(this.#answer, this.#ip.payloadFrom, this.#ip.payloadTo, this.#seg) !== null) continue;
      const { flags, seq, ack, len, dstPort } = this.#seg;
      hear({ flags, seq, ack, len, port: dstPort });
    }
  }

  /** Time passes; timers fire when they are due. */
  advance(ms: number, hear: ((answer: Answer) => void) | null = null): void {
    const until = this.now + ms;
    for (let n = 0; n < 1e6; n++) {
      const at = this.host.nextDeadline();
      if (at > until) break;
      this.now = Math.max(this.now, at);
      this.host.timersFire(this.now);
      this.turn(hear);
    }
    this.now = until;
    this.host.tick(until);
  }

  /** Sends a segment and returns the first answer to that port. */
  ask(s: Sent): Answer | null {
    let first: Answer | null = null;
    this.send(s);
    this.turn((answer) => {
      if (answer.port === (s.port ?? 4000)) first ??= answer;
    });
    return first;
  }

  /** An open connection of the peer's `port`, IRS 0; its ISS. */
  open(port = 4000, sackOk = false, wscale = -1): { c: Connection; iss: number } {
    const syn = this.ask({ port, seq: 0, flags: SYN, mss: 1460, sackOk, ...(wscale < 0 ? {} : { wscale }) });
    if (syn === null || (syn.flags & SYN) === 0) throw new Error('no SYN,ACK');
    const iss = syn.seq;
    this.send({ port, seq: 1, ack: (iss + 1) | 0, flags: ACK });
    this.turn();
    const c = this.accepted.at(-1);
    if (c === undefined || c.remotePort !== port) throw new Error('the genuine client was not served');
    return { c, iss };
  }
}

/** Counts calls of a method while `work` runs. */
function counting<T>(target: object, method: string, work: () => T): { calls: number; result: T } {
  const holder = target as Record<string, (...args: unknown[]) => unknown>;
  const original = holder[method]!;
  let calls = 0;
  holder[method] = function (this: unknown, ...args: unknown[]) {
    calls++;
    return original.apply(this, args);
  };
  try {
    const result = work();
    return { calls, result };
  } finally {
    holder[method] = original;
  }
}

/** SYNs from false addresses, in batches of 64 between which a client opens a connection and is answered. */
export function synFlood(count: number): Figures {
  const r = new Range();
  const prng = new Prng(1);
  const every = Math.max(Math.floor(count / 64 / 16), 1);
  let batch = 0;
  let genuine = 0;
  let mostHalfOpen = 0;
  const heap = process.memoryUsage().heapUsed;
  for (let n = 0; n < count; n++) {
    r.send({
      from: 0x0b000000 | (prng.nextInt32() & 0xffffff),
      port: 1024 + prng.below(60_000),
      seq: prng.nextInt32(),
      flags: SYN,
      mss: 1460,
    });
    mostHalfOpen = Math.max(mostHalfOpen, r.listener.pending);
    if (n % 64 !== 63) continue;
    r.turn();
    r.now += 1;
    batch++;
    if (batch % every !== 0) continue;
    r.open(5000 + genuine);
    genuine++;
  }
  const { tcp } = r.host.counters;
  const grown = process.memoryUsage().heapUsed - heap;
  return {
    segments: count,
    mostHalfOpen,
    connections: r.host.connectionCount,
    cookiesSent: tcp.cookiesSent,
    cookiesTaken: tcp.cookiesTaken,
    genuine,
    heapMB: Math.round(grown / 1e6),
  };
}

/** Single octets with gaps between them (SegmentSmack, CVE-2018-5390). */
export function oneByteGaps(count: number): Figures {
  const r = new Range();
  const { c, iss } = r.open(4000, true);
  const ack = (iss + 1) | 0;
  const answersBefore = r.answers;
  let mostRanges = 0;
  let mostMemory = 0;
  const { calls } = counting(ReceiveBuffer.prototype, 'rangeFrom', () => {
    for (let n = 0; n < count; n++) {
      r.send({ seq: 2 + 2 * (n % 200_000), ack, flags: ACK, text: Uint8Array.of(n) });
      r.turn();
      mostRanges = Math.max(mostRanges, c.receiveBuffer!.ranges);
      mostMemory = Math.max(mostMemory, c.receiveBuffer!.memory);
    }
  });
  const answers = r.answers - answersBefore;
  // The genuine octets come: everything is read.
  const text = Uint8Array.from({ length: 1400 }, (_, i) => i & 0xff);
  for (let n = 0; n < 20; n++) r.send({ seq: 1 + 1400 * n, ack, flags: ACK | PSH, text });
  r.turn();
  const read = c.read(new Uint8Array(100_000), 0, 100_000);
  return { segments: count, mostRanges, mostMemory, rangesLooked: Math.ceil(calls / count), answers, read };
}

/** SACK blocks of every second segment, other ones each time (CVE-2019-11478). */
export function alternatingSacks(count: number): Figures {
  const r = new Range({ initialWindow: 300, sendBuffer: 1 << 20 });
  const { c, iss } = r.open(4000, true, 7);
  c.send(new Uint8Array(400_000), 0, 400_000);
  r.turn();
  const flight = c.flightSize;
  let mostRecords = 0;
  const board = (work: () => void): number => counting(Scoreboard.prototype, 'flags', work).calls;
  const looked = board(() => {
    for (let n = 0; n < count; n++) {
      const at = (k: number): number => (iss + 1 + (((n * 4 + k) * 2920) % flight)) | 0;
      const sack = [1, 2, 3, 4].map((k) => [at(k), (at(k) + 1460) | 0] as const);
      r.send({ seq: 1, ack: (iss + 1) | 0, flags: ACK, sack });
      r.turn();
      mostRecords = Math.max(mostRecords, c.board?.count ?? 0);
    }
  });
  const sentAgain = c.retransmissions;
  // And the peer acknowledges everything after all.
  for (let n = 0; n < 5000 && c.queued > 0; n++) {
    r.send({ seq: 1, ack: c.snd.nxt, flags: ACK });
    r.turn();
    r.advance(10);
  }
  return { segments: count, mostRecords, recordsLooked: Math.ceil(looked / count), sentAgain, left: c.queued };
}

/** Every ACK is answered by one that is not acceptable (Joncheray's storm), for a minute. */
export function ackStorm(ms: number): Figures {
  const r = new Range();
  const { c, iss } = r.open();
  let sent = 0;
  let heard = 0;
  const bad = (): void => {
    sent++;
    r.send({ seq: 0x40000000, ack: (iss + 1) | 0, flags: ACK });
  };
  for (let t = 0; t < ms; t += 5) {
    // What the host says is answered at once, as its mirror would, and there is one more to keep it going.
    bad();
    for (let echo = 1; echo > 0; ) {
      echo = 0;
      r.turn(() => {
        heard++;
        echo++;
      });
      for (let k = 0; k < echo; k++) bad();
    }
    r.advance(5);
  }
  return {
    segments: sent,
    answers: heard,
    answersPerSecond: heard / (ms / 1000),
    lives: c.state === 'ESTABLISHED' ? 1 : 0,
  };
}

/** Segments with everything right but the numbers: RST, SYN, text and FIN. */
export function blindInjection(count: number): Figures {
  const r = new Range();
  const { c, iss } = r.open();
  const prng = new Prng(7);
  const before = r.answers;
  const text = new Uint8Array(100).fill(0x58);
  const kinds = [RST, RST | ACK, SYN, SYN | ACK, ACK | PSH, FIN | ACK];
  let exact = 0;
  for (let n = 0; n < count; n++) {
    const flags = kinds[n % kinds.length]!;
    let seq = prng.nextInt32();
    const ack = prng.nextInt32();
    // The one number in 2^32 that is believed is left out.
    if (seq === c.rcv.nxt) {
      exact++;
      seq++;
    }
    r.send({ seq, ack, flags, ...((flags & (SYN | RST)) === 0 ? { text } : {}) });
    if (n % 100 === 99) r.advance(1);
  }
  const answers = r.answers - before;
  const stolen = c.readable;
  // The genuine peer goes on.
  r.send({ seq: 1, ack: (iss + 1) | 0, flags: ACK | PSH, text });
  r.turn();
  const read = c.read(new Uint8Array(1000), 0, 1000);
  return { segments: count, exact, answers, seconds: Math.round((r.now - 1000) / 1000), delivered: stolen, read };
}

/** A peer whose window is never wider than a few octets. */
export function tinyWindows(octets: number): Figures {
  const r = new Range();
  const { c, iss } = r.open();
  const total = 2000;
  let taken = 0;
  let segments = 0;
  let mostText = 0;
  c.send(new Uint8Array(total), 0, total);
  r.send({ seq: 1, ack: (iss + 1) | 0, flags: ACK, wnd: octets });
  const hear = (a: Answer): void => {
    segments++;
    mostText = Math.max(mostText, a.len);
    if (((a.seq - iss - 1) | 0) === taken) taken += a.len;
  };
  for (let n = 0; n < 20_000 && taken < total; n++) {
    r.turn(hear);
    r.send({ seq: 1, ack: (iss + 1 + taken) | 0, flags: ACK, wnd: octets });
    r.advance(250, hear);
  }
  return { window: octets, taken, segments, mostText, lives: c.state === 'ESTABLISHED' ? 1 : 0 };
}

/** Four-tuples that an unkeyed sum or XOR of their words would put into one place. */
export function collidingTuples(count: number): Figures {
  const key = new SipKey(new Uint8Array(16).fill(42));
  let size = 16;
  while (size < 2 * count) size *= 2;
  const slots = new Uint8Array(size);
  let steps = 0;
  let longest = 0;
  for (let n = 0; n < count; n++) {
    // Address and ports change so that their XOR does not.
    const remote = PEER ^ (n << 4);
    const ports = ((PORT << 16) | 4000) ^ (n << 4);
    let i = halfSip13(key, 0 ^ HOST, 0, 0xffff, remote, ports) & (size - 1);
    let run = 1;
    for (; slots[i] === 1; i = (i + 1) & (size - 1)) run++;
    slots[i] = 1;
    steps += run;
    longest = Math.max(longest, run);
  }
  return { tuples: count, stepsEach: Math.round((100 * steps) / count) / 100, longest };
}

/** Many peers send what nobody reads, with gaps, to a host with `memory` octets for them; one program reads. */
export function unreadData(peers: number, memory: number): Figures {
  const r = new Range({ receiveMemory: memory });
  const text = Uint8Array.from({ length: 1400 }, (_, i) => i & 0xff);
  const { chunks, counters } = r.host;
  let most = 0;
  const reader = r.open(3000, true);
  let read = 0;
  for (let n = 0; n < peers; n++) {
    const port = 4000 + n;
    const { c, iss } = r.open(port, true);
    const ack = (iss + 1) | 0;
    for (let k = 0; k < 40 && ((c.rcv.adv - c.rcv.nxt) | 0) > 1400; k++) {
      // Every fourth segment leaves a gap behind it, which the next fills.
      const at = k % 4 === 3 ? c.rcv.nxt + 1400 : c.rcv.nxt;
      r.send({ port, seq: at | 0, ack, flags: ACK, text });
      r.turn();
      most = Math.max(most, chunks.octets);
    }
    r.send({ port: 3000, seq: reader.c.rcv.nxt, ack: (reader.iss + 1) | 0, flags: ACK | PSH, text });
    r.turn();
    read += reader.c.read(new Uint8Array(2000), 0, 2000);
  }
  const refused = counters.drops['memory-budget'] ?? 0;
  // Once the others are gone, there is room again.
  for (const c of r.accepted) if (c !== reader.c) c.abort();
  r.turn();
  return { peers, memory, most, refused, read, pruned: counters.tcp.prunes, left: chunks.octets };
}

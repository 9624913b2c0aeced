// Hand-made traces: segments and edges of two hosts written down as a list, in any order of time.

import type { Cause, State } from '../../src/base/state.ts';
import type { PathEvent, TraceEvent } from '../../src/base/trace.ts';

/** What a hand-made segment is; times in ms. */
export interface Sent {
  at: number;
  from: 'client' | 'server';
  flags: number;
  seq: number;
  ack?: number;
  len?: number;
  state: State;
  again?: boolean;
  probe?: boolean;
  /** When and in which state it arrives; absent when it is lost. */
  comes?: [number, State];
  /** Further arrivals of the same packet. */
  comesAgain?: [number, State];
  path?: PathEvent['verdict'];
}

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
const ACK = 16;

/** Initial numbers of the model story. */
export const X = 2851193370 | 0;
const Y = 917240112 | 0;

/** Collects events; `events` sorts them by time, ties in the order of writing. */
export class Script {
  #all: TraceEvent[] = [];
  #packet = 0;
  x: number = X;
  y: number = Y;

  get events(): TraceEvent[] {
    return [...this.#all].sort((a, b) => a.at - b.at);
  }

  state(host: 'client' | 'server', at: number, from: State, to: State, cause: Cause): this {
    this.#all.push({ type: 'state', at, host, conn: to === 'LISTEN' ? 0 : 1, from, to, cause });
    return this;
  }

  add(event: TraceEvent): this {
    this.#all.push(event);
    return this;
  }

  /** `seq` and `ack` are offsets from x and y. */
  send(s: Sent): this {
    const packet = ++this.#packet;
    const mine = s.from === 'client';
    const client = { src: '10.0.0.1', srcPort: 49152, dst: '10.0.0.2', dstPort: 80 };
    const server = { src: '10.0.0.2', srcPort: 80, dst: '10.0.0.1', dstPort: 49152 };
    const base = {
      type: 'segment' as const,
      packet,
      conn: 1,
      ...(mine ? client : server),
      seq: ((mine ? this.x : this.y) + s.seq) | 0,
      ack: s.ack === undefined ? 0 : ((mine ? this.y : this.x) + s.ack) | 0,
      flags: s.flags | (s.ack === undefined ? 0 : ACK),
      len: s.len ?? 0,
      wnd: 65535,
      again: s.again ?? false,
      probe: s.probe ?? false,
    };
    this.#all.push({ ...base, at: s.at, host: s.from, dir: 'out', state: s.state });
    const path = s.path ?? (s.comes === undefined ? 'lost' : null);
    if (path !== null) this.#all.push({ type: 'path', at: s.at, link: 'path', packet, verdict: path });
    for (const c of [s.comes, s.comesAgain]) {
      if (c === undefined) continue;
      this.#all.push({ ...base, at: c[0], host: mine ? 'server' : 'client', dir: 'in', state: c[1], again: false });
    }
    return this;
  }
}

/** CLOSED to ESTABLISHED on both sides, 20 ms each way. */
export function handshake(s: Script = new Script()): Script {
  return s
    .state('server', 0, 'CLOSED', 'LISTEN', 'passive open')
    .state('client', 0, 'CLOSED', 'SYN-SENT', 'active open')
    .send({ at: 0, from: 'client', flags: SYN, seq: 0, state: 'SYN-SENT', comes: [20, 'SYN-RECEIVED'] })
    .state('server', 20, 'LISTEN', 'SYN-RECEIVED', 'rcv SYN')
    .send({ at: 20, from: 'server', flags: SYN, seq: 0, ack: 1, state: 'SYN-RECEIVED', comes: [40, 'ESTABLISHED'] })
    .state('client', 40, 'SYN-SENT', 'ESTABLISHED', 'rcv SYN,ACK')
    .send({ at: 40, from: 'client', flags: 0, seq: 1, ack: 1, state: 'ESTABLISHED', comes: [60, 'ESTABLISHED'] })
    .state('server', 60, 'SYN-RECEIVED', 'ESTABLISHED', 'rcv ACK of SYN');
}

/** The request, and a page of ten segments of which the third is lost once. */
export function exchange(s: Script): Script {
  const est = 'ESTABLISHED';
  s.send({ at: 40, from: 'client', flags: 8, seq: 1, ack: 1, len: 78, state: est, comes: [60, est] });
  for (let i = 0; i < 10; i++) {
    const seq = 1 + 1460 * i;
    const lost = i === 2;
    s.send({
      at: 60,
      from: 'server',
      flags: 0,
      seq,
      ack: 79,
      len: 1460,
      state: est,
      ...(lost ? {} : { comes: [80, est] as [number, State] }),
    });
    const ack = i < 2 ? seq + 1460 : 2921;
    if (!lost) s.send({ at: 80, from: 'client', flags: 0, seq: 79, ack, state: est, comes: [100, est] });
  }
  s.add({
    type: 'congestion',
    at: 100,
    host: 'server',
    conn: 1,
    why: 'fast-retransmit',
    cwnd: 1,
    ssthresh: 1,
    flightSize: 1,
    srtt: 40,
    rto: 200,
  });
  s.send({
    at: 100,
    from: 'server',
    flags: 0,
    seq: 2921,
    ack: 79,
    len: 1460,
    state: est,
    again: true,
    comes: [120, est],
  });
  return s.send({ at: 120, from: 'client', flags: 0, seq: 79, ack: 14601, state: est, comes: [140, est] });
}

/** Four waves with last words, the fourth one lost once; 2MSL of 60 s. */
export function close(s: Script): Script {
  const f2 = 'FIN-WAIT-2';
  return s
    .state('client', 340, 'ESTABLISHED', 'FIN-WAIT-1', 'CLOSE')
    .send({ at: 340, from: 'client', flags: FIN, seq: 79, ack: 14601, state: 'FIN-WAIT-1', comes: [360, 'CLOSE-WAIT'] })
    .state('server', 360, 'ESTABLISHED', 'CLOSE-WAIT', 'rcv FIN')
    .send({ at: 360, from: 'server', flags: 0, seq: 14601, ack: 80, state: 'CLOSE-WAIT', comes: [380, f2] })
    .state('client', 380, 'FIN-WAIT-1', f2, 'rcv ACK of FIN')
    .send({ at: 390, from: 'server', flags: 8, seq: 14601, ack: 80, len: 204, state: 'CLOSE-WAIT', comes: [410, f2] })
    .send({ at: 410, from: 'client', flags: 0, seq: 80, ack: 14805, state: f2, comes: [430, 'CLOSE-WAIT'] })
    .state('server', 440, 'CLOSE-WAIT', 'LAST-ACK', 'CLOSE')
    .send({ at: 440, from: 'server', flags: FIN, seq: 14805, ack: 80, state: 'LAST-ACK', comes: [460, 'TIME-WAIT'] })
    .state('client', 460, f2, 'TIME-WAIT', 'rcv FIN')
    .add({ type: 'time-wait', at: 460, host: 'client', conn: 1, until: 60460, again: false })
    .send({ at: 460, from: 'client', flags: 0, seq: 80, ack: 14806, state: 'TIME-WAIT' })
    .add({ type: 'timer', at: 680, host: 'server', conn: 1, timer: 'retransmit', count: 1 })
    .send({
      at: 680,
      from: 'server',
      flags: FIN,
      seq: 14805,
      ack: 80,
      state: 'LAST-ACK',
      again: true,
      comes: [700, 'TIME-WAIT'],
    })
    .add({ type: 'time-wait', at: 700, host: 'client', conn: 1, until: 60700, again: true })
    .send({ at: 700, from: 'client', flags: 0, seq: 80, ack: 14806, state: 'TIME-WAIT', comes: [720, 'CLOSED'] })
    .state('server', 720, 'LAST-ACK', 'CLOSED', 'rcv ACK of FIN')
    .state('client', 60700, 'TIME-WAIT', 'CLOSED', '2MSL timeout');
}

/** The whole model story. */
export function modelStory(): TraceEvent[] {
  return close(exchange(handshake())).events;
}

/** Names of HTTP messages in the model story. */
export function describeModel(c: { from: string; len: number; seq: number }): string {
  if (c.from === 'left' && c.len > 0) return 'GET / HTTP/1.1';
  if (c.from === 'right' && c.len > 0 && c.seq === ((Y + 1) | 0)) return 'HTTP/1.1 200 OK';
  return '';
}
